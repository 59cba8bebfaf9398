# SPDX-License-Identifier: GPL-2.0-or-later
"""What ClusterBindPolicies do: ceilings, hostNetwork, reserved ports, and what they deny."""

from real.bed import HOST
from real.test_pods import grant

STATIC = "ab" * 16


def test_host_network(bed):
    """The case that this is for: hostNetwork with runAsNonRoot, which has no way to a low port."""
    bed.node.namespace("host", host="yes")
    pod = bed.node.pod("host", "ingress", {"app": "ingress"}, host=True)
    process = pod.process()
    here = {"namespaceSelector": {"matchLabels": {"host": "yes"}}}
    bed.policy("host", "ingress", [grant(743, "793-795")], {"app": "ingress"})
    bed.sync()
    bed.refused(process, 743, "a BindPolicy alone gives a hostNetwork pod nothing", HOST)
    bed.cluster_policy("host", **here, ceiling=[{"ports": [743, 794, 843]}])
    bed.sync()
    bed.refused(process, 743, "nor does a ceiling that is not for hostNetwork", HOST)
    bed.cluster_policy("host", **here, ceiling=[{"ports": [743, 794, 843]}], allowHostNetwork=True)
    bed.sync()
    for proto in ("tcp", "udp"):
        bed.let(process, 743, f"with allowHostNetwork it has the port, {proto}", HOST, proto)
    bed.let(process, 794, "of a range what the ceiling holds", HOST)
    for port in (793, 795):
        bed.refused(process, port, f"and no more: {port}", HOST)
    bed.refused(process, 843, "what no BindPolicy grants is not granted", HOST)
    bed.refused(bed.outsider("outside"), 743, "a process of the host's has nothing of it", HOST)
    other = bed.node.pod("host", "other", {"app": "other"}, host=True).process()
    bed.refused(other, 743, "nor has another pod", HOST)
    bed.cluster_policy("host", **here, ceiling=[{"ports": [743], "protocol": "UDP"}], allowHostNetwork=True)
    bed.sync()
    bed.refused(process, 743, "a ceiling of one protocol does not hold the other", HOST)
    bed.let(process, 743, "and holds its own", HOST, "udp")
    bed.remove_policy("host", "ingress")
    bed.sync()
    bed.refused(process, 743, "without the BindPolicy it is gone", HOST, "udp")
    bed.policy("host", "ingress", [grant(743)], {"app": "ingress"})
    bed.sync()
    bed.let(process, 743, "and with it back", HOST, "udp")
    bed.remove_cluster_policy("host")
    bed.sync()
    bed.refused(process, 743, "without the ClusterBindPolicy it is gone", HOST, "udp")
    bed.clear("host")


def test_rewrite(bed):
    """What a ceiling speaks of is the place that a rewrite leads to."""
    bed.node.namespace("lead", lead="yes")
    process = bed.node.pod("lead", "one", host=True).process()
    bed.policy("lead", "one", [{"action": "Rewrite", "ports": [8731], "to": {"port": 731}},
                               {"action": "Rewrite", "ports": [8732], "to": {"port": 732}},
                               {"action": "Rewrite", "ports": [733], "to": {"port": 8733}}])
    bed.sync()
    bed.tap.same(process.bind(8731, HOST), f"{HOST} 8731", "without an allowance nothing is led anywhere")
    bed.cluster_policy("lead", namespaceSelector={"matchLabels": {"lead": "yes"}}, allowHostNetwork=True,
                       ceiling=[{"ports": [731, 8733]}])
    bed.sync()
    bed.tap.same(process.bind(8731, HOST), f"{HOST} 731", "a target in the ceiling is led to")
    bed.tap.same(process.bind(8732, HOST), f"{HOST} 8732", "another is not")
    bed.tap.same(process.bind(733, HOST), f"{HOST} 8733", "the port that is asked for needs no ceiling")
    bed.clear("lead", "lead")


def test_ceiling(bed):
    """For pods with a network of their own."""
    bed.node.namespace("low", ceiling="yes")
    bed.node.namespace("free")
    pods = {name: bed.node.pod(name, "one", {"app": "one"}).process() for name in ("low", "free")}
    for name in pods:
        bed.policy(name, "one", [grant(80, 443, 853)])
    here = {"namespaceSelector": {"matchLabels": {"ceiling": "yes"}}}
    bed.cluster_policy("ceiling-1", **here, ceiling=[{"ports": [80]}])
    bed.sync()
    bed.let(pods["low"], 80, "what a ceiling holds can be granted")
    bed.refused(pods["low"], 443, "what it does not hold cannot")
    bed.let(pods["free"], 443, "where no ceiling matches everything can")
    bed.cluster_policy("ceiling-2", **here, ceiling=[{"ports": ["400-500"], "addresses": ["127.0.0.0/8"]}])
    bed.sync()
    bed.let(pods["low"], 80, "ceilings add up")
    bed.let(pods["low"], 443, "so that the other's ports come to it")
    bed.refused(pods["low"], 443, "at its addresses", "::1")
    bed.refused(pods["low"], 853, "what neither holds cannot be granted")
    bed.cluster_policy("ceiling-1", **here, ceiling=[])
    bed.cluster_policy("ceiling-2", **here, ceiling=[])
    bed.sync()
    bed.refused(pods["low"], 80, "an empty ceiling permits nothing")
    bed.clear("low", "ceiling-1", "ceiling-2")
    bed.clear("free")


def test_denies(bed):
    """They win, whatever the namespace says."""
    bed.node.namespace("strict", strict="yes")
    pod = bed.node.pod("strict", "one", {"app": "one"})
    process, root = pod.process(), pod.process(uid=0)
    bed.policy("strict", "one", [
        {"action": "Allow", "ports": [8080], "protocol": "TCP", "addresses": ["127.0.0.1"], "runAsUser": 4711},
        grant("80-90", runAsUser=4711), {"action": "Rewrite", "ports": [9000, 9001], "to": {"port": 7000}},
        {"action": "Rewrite", "ports": [9002], "to": {"port": 7002}}])
    bed.sync()
    bed.let(process, 8080, "before there is one")
    bed.let(process, 85, "before there is one, a grant")
    bed.cluster_policy("strict", namespaceSelector={"matchLabels": {"strict": "yes"}}, rules=[
        {"action": "Deny", "ports": ["8000-8999", "84-86", 9001, 7002]},
        {"action": "Deny", "ports": [89], "protocol": "UDP"},
        {"action": "Deny", "ports": [10000], "runAsUser": 0}])
    bed.sync()
    for who, one in (("", process), (", root", root)):
        for port in (8080, 8500, 84, 85, 86, 9001):
            bed.refused(one, port, f"denied: {port}{who}")
    bed.let(process, 83, "beside it the grant holds")
    bed.let(process, 89, "a deny of one protocol leaves the other")
    bed.refused(process, 89, "and takes its own", proto="udp")
    bed.tap.same(process.bind(9000), "127.0.0.1 7000", "a rewrite that nothing denies")
    bed.tap.ok(process.bind(9002) != "127.0.0.1 7002", "none leads to what is denied")
    bed.refused(root, 10000, "a deny for a user")
    bed.let(process, 10000, "is for no other")
    bed.cluster_policy("strict", namespaceSelector={"matchLabels": {"strict": "yes"}}, mode="Audit",
                       rules=[{"action": "Deny", "ports": ["8000-8999"]}])
    bed.sync()
    bed.let(process, 8500, "Audit: it is let through")
    bed.let(process, 8080, "Audit: and what is granted is granted")
    bed.clear("strict", "strict")


def test_reserved_ports(bed):
    """Of the node, to everybody without a grant."""
    bed.node.namespace("keep", keep="yes")
    granted = bed.node.pod("keep", "granted", {"app": "granted"}, host=True).process()
    other = bed.node.pod("keep", "other", host=True, driver="cgroupfs").process()
    own = bed.node.pod("keep", "own").process()
    root = bed.outsider("system.slice/some.service", uid=0)
    bed.policy("keep", "granted", [grant(29431)], {"app": "granted"})
    bed.sync()
    bed.let(other, 29431, "before it is reserved", HOST)
    bed.cluster_policy("keep", namespaceSelector={"matchLabels": {"keep": "yes"}}, ceiling=[{"ports": [29431]}],
                       allowHostNetwork=True, reservedPorts=[{"ports": [29431]}])
    bed.sync()
    bed.let(granted, 29431, "a reserved port goes to the pod with a grant", HOST)
    bed.refused(other, 29431, "not to another", HOST)
    bed.refused(root, 29431, "nor to root's programs on the node", HOST)
    bed.let(own, 29431, "a pod with a network of its own has its own")
    bed.let(other, 29432, "the next port is not reserved", HOST)
    bed.clear("keep", "keep")
    bed.sync()
    bed.let(root, 29431, "without the policy it is free", HOST)


def test_static_pods(bed):
    """Two that say they are the same static pod: neither is believed, and what is denied to either holds."""
    bed.node.namespace("system", static="yes")
    bed.node.namespace("forger", static="yes")
    pod = bed.node.pod("system", "proxy", host=True, static=STATIC)
    process = pod.process()
    bed.policy("system", "proxy", [grant(756)])
    bed.cluster_policy("static", namespaceSelector={"matchLabels": {"static": "yes"}}, ceiling=[{"ports": [756]}],
                       allowHostNetwork=True, rules=[{"action": "Deny", "ports": [8756]}])
    bed.policy("forger", "all", [{"action": "Deny", "ports": ["any"]}])
    bed.sync()
    bed.let(process, 756, "a static pod has its grant", HOST)
    marked = bed.node.pod("forger", "marked", annotations={"kubernetes.io/config.mirror": STATIC})
    bed.sync()
    bed.let(process, 756, "a pod with nothing but the annotation is not it", HOST)
    bed.refused(marked.process(), 8756, "what the cluster denies is denied to that, too")
    bed.tap.same(bed.agent.metric(r'bindctl_agent_object_rejected\{kind="Pod",namespace="forger",name="marked"\}'), 1,
                 "the metric names it")
    forged = bed.node.pod("forger", "forged", static=STATIC)
    bed.sync()
    bed.let(process, 20756, "one that claims all of it has nothing denied to the other", HOST)
    bed.refused(process, 756, "but nothing is granted to what both claim", HOST)
    bed.refused(process, 8756, "and what the cluster denies is denied", HOST)
    bed.node.pods.remove(forged)
    bed.admin.delete(forged.path)
    bed.sync()
    bed.let(process, 756, "without it the grant is back", HOST)
    bed.clear("forger")
    bed.clear("system", "static")
