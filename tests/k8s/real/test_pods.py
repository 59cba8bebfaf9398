# SPDX-License-Identifier: GPL-2.0-or-later
"""What BindPolicies do for pods with a network of their own."""

import json

from real.agent import SECRETS
from real.node import DRIVERS

# What container runtimes call what is in a pod's cgroup.
LEAVES = {"systemd": ("cri-containerd-5d9c.scope", "crio-5d9c.scope", "docker-5d9c.scope"),
          "cgroupfs": ("5d9c", "crio-5d9c/container", "5d9c/init")}


def grant(*ports, **more):
    return {"action": "Grant", "ports": list(ports), **more}


def test_grant(bed):
    bed.node.namespace("web")
    edge = bed.node.pod("web", "edge", {"app": "edge"}).process()
    other = bed.node.pod("web", "other", {"app": "other"}).process()
    for proto in ("tcp", "udp"):
        bed.refused(edge, 443, f"before there is a policy a low port is refused, {proto}", proto=proto)
    bed.policy("web", "edge", [grant(443, protocol="TCP")], {"app": "edge"})
    bed.sync()
    for address in ("127.0.0.1", "0.0.0.0", "::1", "::"):
        bed.let(edge, 443, f"a grant lets the pod bind the port, at {address}", address)
    bed.refused(edge, 443, "not by the other protocol", proto="udp")
    bed.refused(edge, 444, "and no other port")
    bed.refused(other, 443, "a pod with other labels gets nothing")
    bed.refused(bed.outsider("kubepods.slice", False), 443, "nor does a process beside the pods")
    later = bed.node.pod("web", "later", {"app": "edge"})
    bed.sync()
    bed.let(later.process(), 443, "a new pod's first process has it at its first bind")
    bed.clear("web")


def test_names(bed):
    """Whatever kubelet and container runtime call the cgroups."""
    bed.node.namespace("names")
    bed.policy("names", "all", [grant(80)])
    pods = []
    for qos in ("Guaranteed", "Burstable", "BestEffort"):
        for driver in DRIVERS:
            for static in (None, "0123456789abcdef0123456789ab" + f"{len(pods):04x}"):
                name = f"{qos}-{driver}{'-static' if static else ''}".lower()
                pods.append(bed.node.pod("names", name, qos=qos, driver=driver, static=static))
    bed.sync()
    for pod in pods:
        for leaf in LEAVES[pod.driver]:
            process = pod.process(leaf)
            bed.let(process, 80, f"{pod.cgroup}/{leaf}")
        bed.refused(process, 81, f"{pod.cgroup}: no other port")
    bed.clear("names")


def test_rules(bed):
    """Each action, and what rules can ask for."""
    bed.node.namespace("rules")
    pod = bed.node.pod("rules", "one", {"app": "one"})
    process, root = pod.process(), pod.process(uid=0)
    bed.policy("rules", "one", [
        {"action": "Deny", "ports": ["any"]},
        {"action": "Allow", "ports": ["20000-20999"]},
        {"action": "Allow", "ports": [80]},
        grant(81, addresses=["127.0.0.0/8", "::1"]),
        grant(82, runAsUser=4711),
        {"action": "Rewrite", "ports": [83], "protocol": "TCP", "to": {"port": 8083}},
        {"action": "Rewrite", "ports": [84], "to": {"port": 8084, "hidden": True}},
        {"action": "Rewrite", "ports": [85], "to": {"address": "127.0.0.9"}},
    ], {"app": "one"})
    bed.sync()
    for port in (8080, 0, 21000):
        bed.refused(process, port, f"Deny: {port}")
        bed.refused(root, port, f"Deny: {port}, root, too")
    bed.let(process, 20500, "Allow is an exemption")
    bed.refused(process, 80, "but gives no privilege")
    bed.let(root, 80, "which root needs not")
    bed.let(process, 81, "addresses: one of them")
    bed.let(process, 81, "addresses: IPv6", "::1")
    bed.refused(process, 81, "addresses: the wildcard is none of them", "0.0.0.0")
    bed.let(process, 82, "runAsUser: this one")
    bed.refused(root, 82, "runAsUser: no other")
    bed.tap.same(process.bind(83), "127.0.0.1 8083", "Rewrite leads elsewhere")
    bed.refused(process, 83, "but not the other protocol", proto="udp")
    bed.tap.same(process.bind(84), "127.0.0.1 84", "and hides it")
    bed.tap.same(process.bind(85), "127.0.0.9 85", "and to another address")
    bed.clear("rules")


def test_audit(bed):
    bed.node.namespace("audit")
    process = (pod := bed.node.pod("audit", "one")).process()
    bed.policy("audit", "one", [{"action": "Deny", "ports": [8080]}, grant(80)], mode="Audit")
    bed.sync()
    bed.let(process, 8080, "Audit: what is denied is let through")
    bed.refused(process, 80, "Audit: what is granted is not in force")
    hits = [rule["hits"] for rule in bed.agent.rules().get(pod.cgroup, []) if rule.get("audit")]
    bed.tap.same(hits, [1], "Audit: what would be refused is counted")
    bed.policy("audit", "one", [{"action": "Deny", "ports": [8080]}, grant(80)], mode="Enforce")
    bed.sync()
    bed.refused(process, 8080, "Enforce: it is refused")
    bed.let(process, 80, "Enforce: it is granted")
    bed.clear("audit")


def test_selectors(bed):
    bed.node.namespace("selectors")
    found = {}
    for name, labels in (("a", {"app": "a"}), ("b", {"app": "b", "tier": "front"}), ("none", {})):
        found[name] = bed.node.pod("selectors", name, labels).process()
    wanted = {
        1: ({"matchLabels": {"app": "b", "tier": "front"}}, "b"),
        2: ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["a", "b"]}]}, "a b"),
        3: ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["a"]}]}, "b none"),
        4: ({"matchExpressions": [{"key": "tier", "operator": "Exists"}]}, "b"),
        5: ({"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}, "a none"),
        6: ({"matchLabels": {"app": "a"}, "matchExpressions": [{"key": "tier", "operator": "Exists"}]}, ""),
        7: ({}, "a b none"),
    }
    for port, (selector, _) in wanted.items():
        bed.policy("selectors", f"s{port}", [grant(port)], podSelector=selector)
    bed.sync()
    for port, (selector, names) in wanted.items():
        let = [name for name, process in found.items() if process.bind(port) != "EACCES"]
        bed.tap.same(" ".join(let), names, f"selects: {json.dumps(selector)}")
    bed.clear("selectors")


def test_annotation(bed):
    """It narrows and never gives."""
    bed.node.namespace("narrow")
    hostile = "443\ngrant any port 1-65535\n"
    processes = {}
    for name, ports in (("narrowed", "443/tcp,8000-8100"), ("wider", "1-65535"), ("malformed", "443,http"),
                        ("hostile", hostile)):
        processes[name] = bed.node.pod("narrow", name, {"app": "a"}, {"bindctl.io/ports": ports}).process()
    alone = bed.node.pod("narrow", "alone", {"app": "b"}, {"bindctl.io/ports": "443"}).process()
    bed.policy("narrow", "a", [grant(80, 443)], {"app": "a"})
    bed.sync()
    bed.let(processes["narrowed"], 443, "what policy and annotation name is granted")
    bed.refused(processes["narrowed"], 443, "but not the other protocol", proto="udp")
    bed.refused(processes["narrowed"], 80, "what only the policy names is not")
    bed.let(processes["wider"], 80, "an annotation that narrows nothing leaves what there is")
    bed.refused(processes["wider"], 81, "and adds nothing")
    for name in ("malformed", "hostile"):
        for port in (80, 443, 22):
            bed.refused(processes[name], port, f"one that cannot be read leaves nothing: {name}, {port}")
    bed.refused(alone, 443, "an annotation alone grants nothing")
    bed.clear("narrow")


def test_token_is_kept_secret(bed):
    with open(f"{SECRETS}/token", encoding="ascii") as file:
        bed.tap.ok(file.read() not in bed.agent.log(), "the agent's log does not tell its token")
