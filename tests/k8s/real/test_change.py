# SPDX-License-Identifier: GPL-2.0-or-later
"""What comes and goes: policies, pods, labels, and objects that are wrong."""

import json

from real.agent import GROUP
from real.bed import HOST
from real.cluster import wait_for
from real.node import NODE
from real.test_pods import grant


def test_policy(bed):
    bed.node.namespace("policy")
    process = bed.node.pod("policy", "one").process()
    bed.policy("policy", "one", [grant(80)])
    bed.sync()
    bed.let(process, 80, "a policy that is made")
    bed.policy("policy", "one", [grant(81)])
    bed.sync()
    bed.refused(process, 80, "one that is changed: what it was")
    bed.let(process, 81, "one that is changed: what it is")
    bed.policy("policy", "two", [grant(82)])
    bed.remove_policy("policy", "one")
    bed.sync()
    bed.refused(process, 81, "one that is removed")
    bed.let(process, 82, "beside it another")
    bed.clear("policy")


def test_pod(bed):
    """A name is not a pod."""
    bed.node.namespace("again")
    bed.policy("again", "all", [grant(80)])
    first = bed.node.pod("again", "one")
    bed.sync()
    bed.let(first.process(), 80, "a pod")
    # Its object is gone, its process lingers.
    bed.admin.delete(first.path)
    bed.sync()
    bed.refused(first.processes[0], 80, "removed, its last process has nothing")
    bed.tap.same(bed.agent.in_force(first.cgroup), [], "nor is there a rule left")
    second = bed.node.pod("again", "one")
    bed.sync()
    bed.let(second.process(), 80, "another of its name")
    bed.refused(first.processes[0], 80, "which gives the first nothing back")
    first.end()
    bed.node.pods.remove(first)
    bed.clear("again")


def test_phase(bed):
    bed.node.namespace("phase")
    bed.policy("phase", "all", [grant(80)])
    pod = bed.node.pod("phase", "job")
    process = pod.process()
    elsewhere = bed.node.pod("phase", "elsewhere", node="node-2")
    bed.sync()
    bed.let(process, 80, "a pod that runs")
    bed.tap.same(bed.agent.in_force(elsewhere.cgroup), [], "there is no rule for a pod of another node")
    bed.tap.same(bed.admin.get(pod.path)["spec"]["nodeName"], NODE, "the first one is of this")
    for phase in ("Succeeded", "Failed"):
        bed.admin.patch(pod.path + "/status", {"status": {"phase": phase}})
        bed.sync()
        bed.refused(process, 80, f"one that has {phase.lower()}")
    bed.clear("phase")


def test_labels(bed):
    bed.node.namespace("labels", stage="test")
    pod = bed.node.pod("labels", "one", {"app": "a"}, host=True)
    process = pod.process()
    bed.policy("labels", "a", [grant(743)], {"app": "a"})
    bed.cluster_policy("labels", namespaceSelector={"matchLabels": {"stage": "live"}}, ceiling=[{"ports": [743]}],
                       allowHostNetwork=True)
    bed.sync()
    bed.refused(process, 743, "a namespace that no ClusterBindPolicy selects", HOST)
    bed.admin.patch("/api/v1/namespaces/labels", {"metadata": {"labels": {"stage": "live"}}})
    bed.sync()
    bed.let(process, 743, "relabelled so that one does", HOST)
    bed.admin.patch(pod.path, {"metadata": {"labels": {"app": "b"}}})
    bed.sync()
    bed.refused(process, 743, "a pod that is relabelled so that no BindPolicy selects it", HOST)
    bed.admin.patch(pod.path, {"metadata": {"labels": {"app": "a"}}})
    bed.sync()
    bed.let(process, 743, "and back", HOST)
    bed.admin.patch("/api/v1/namespaces/labels", {"metadata": {"labels": {"stage": None}}})
    bed.sync()
    bed.refused(process, 743, "a namespace that loses its label", HOST)
    bed.clear("labels", "labels")


# What the server's schema cannot see.
REJECTED = {
    "reversed": {"podSelector": {}, "rules": [grant("9-3"), grant(80)]},
    "selects-nothing": {"podSelector": {"matchLabels": {"app": "a"}, "matchExpressions": [
        {"key": "app", "operator": "NotIn", "values": ["a"]}]}, "rules": [grant(80)]},
    "too-much": {"podSelector": {}, "rules": [grant(*range(1, 65)), grant(80)] * 16},
    "no-key": {"podSelector": {"matchLabels": {"no key": "a"}}, "rules": [grant(80)]},
}


def test_rejected(bed):
    """Each is named, and all others stay in force."""
    bed.node.namespace("wrong")
    process = bed.node.pod("wrong", "one", {"app": "a"}).process()
    bed.policy("wrong", "good", [grant(81)])
    for name, spec in REJECTED.items():
        bed.put(bed.admin, f"{GROUP}/namespaces/wrong/bindpolicies", "BindPolicy", name, spec)
    bed.sync()
    bed.let(process, 81, "beside objects that are wrong the others are in force")
    bed.refused(process, 80, "of one that is wrong nothing is")
    metrics, log = bed.agent.metrics(), bed.agent.log()
    for name in REJECTED:
        label = f'bindctl_agent_object_rejected{{kind="BindPolicy",namespace="wrong",name="{name}"}}'
        bed.tap.ok(metrics.get(label) == 1, f"the metric names it: {name}", json.dumps(REJECTED[name])[:300])
        lines = [line for line in log.splitlines() if name in line and "wrong" in line]
        bed.tap.ok(lines, f"the log names it: {name}")
        bed.tap.note("\n".join(lines[:1]))
    bed.tap.ok(not any('name="good"' in name for name in metrics), "and not the others")
    bed.policy("wrong", "reversed", [grant("3-9"), grant(80)])
    bed.sync()
    bed.let(process, 80, "put right, it is in force")
    bed.tap.ok(not any('name="reversed"' in name for name in bed.agent.metrics()), "and named no more")
    bed.policy("wrong", "reversed", REJECTED["reversed"]["rules"])
    bed.sync()
    bed.refused(process, 80, "made wrong again it is not")
    bed.clear("wrong")
    bed.sync()
    bed.tap.ok(not any('namespace="wrong"' in name for name in bed.agent.metrics()), "removed, none is named")


def test_conflict(bed):
    """Two rules that are as specific: the lesser privilege, and a word about it. Neither object is wrong."""
    bed.node.namespace("conflict")
    process = bed.node.pod("conflict", "one").process()
    bed.policy("conflict", "gives", [grant(8080), grant(81)])
    bed.policy("conflict", "takes", [{"action": "Deny", "ports": [8080]}])
    bed.sync()
    bed.refused(process, 8080, "of a Grant and a Deny the Deny decides")
    bed.let(process, 81, "the other rule of the same policy is in force")
    lines = [line for line in bed.agent.log().splitlines() if "name=gives" in line and "conflict/takes" in line]
    bed.tap.ok(lines, "the log names both", *bed.agent.server.tail(5))
    bed.clear("conflict")


def test_large(bed):
    """As large as the API server takes them: most of it is of no interest here."""
    bed.node.namespace("large")
    bed.policy("large", "all", [grant(*range(n, n + 64)) for n in (*range(1, 961, 64), 1001)])
    container = {"name": "c", "image": "registry.example/c:1", "env": [{"name": "X", "value": "x" * (1 << 20)}]}
    process = bed.node.pod("large", "one", containers=[container]).process()
    bed.sync()
    for port in (1, 64, 65, 960, 1001):
        bed.let(process, port, f"a pod of 1 MiB, and a policy of 1024 ports: {port}")
    bed.refused(process, 961, "which has just what it gives")
    bed.clear("large")


def test_cluster_policy_gone_bad(bed):
    """What it denied stays denied: who breaks it shall not open anything."""
    bed.node.namespace("fail", fail="closed")
    process = bed.node.pod("fail", "one").process()
    here = {"namespaceSelector": {"matchLabels": {"fail": "closed"}}}
    bed.policy("fail", "one", [grant(80, 443)])
    bed.cluster_policy("fail", **here, ceiling=[{"ports": [80]}], rules=[{"action": "Deny", "ports": [8080]}])
    bed.sync()
    bed.refused(process, 8080, "it denies")
    bed.refused(process, 443, "and bounds")
    bed.cluster_policy("fail", **here, ceiling=[{"ports": ["90-80"]}], rules=[{"action": "Deny", "ports": [8081]}])
    bed.sync()
    bed.refused(process, 8080, "unreadable, it goes on to deny")
    bed.refused(process, 443, "and to bound")
    bed.let(process, 8081, "as it last could be read")
    bed.tap.ok(bed.agent.metric(r'bindctl_agent_object_rejected\{kind="ClusterBindPolicy".*name="fail".*') == 1,
               "the metric names it")
    bed.clear("fail", "fail")
    bed.sync()
    bed.let(process := bed.node.pod("fail", "two").process(), 8080, "removed, it denies no more")
    bed.clear("fail")


def test_burst(bed):
    """Many changes at once are few for the kernel."""
    bed.node.namespace("burst")
    pods = [bed.node.pod("burst", f"p{n}", {"n": str(n)}) for n in range(20)]
    bed.sync()
    before = bed.agent.metric(r'bindctl_agent_applies_total\{result="changed"\}')
    for n in range(100):
        bed.policy("burst", f"n{n}", [grant(n % 50 + 1)], {"n": str(n % 20)})
    bed.sync()
    applies = bed.agent.metric(r'bindctl_agent_applies_total\{result="changed"\}') - before
    bed.tap.note(f"100 policies took {applies:.0f} applies")
    bed.tap.ok(applies < 100, "a burst takes fewer applies than it has changes")
    wanted = {n: sorted({k % 50 + 1 for k in range(100) if k % 20 == n}) for n in range(20)}
    rules = bed.agent.rules()
    found = {n: sorted(ports["first"] for rule in rules.get(pod.cgroup, []) for ports in rule["ports"]
                       if rule["verb"] == "grant") for n, pod in enumerate(pods)}
    bed.tap.same(found, wanted, "all of them are in force")
    bed.clear("burst")
    wait_for("their end", lambda: not any(pod.cgroup in bed.agent.rules() for pod in pods))
    bed.tap.ok(True, "and gone when they are removed")
