# SPDX-License-Identifier: GPL-2.0-or-later
"""What an editor of a namespace can not do: give himself a port of the host, or get at one that the cluster denies
him."""

from real.agent import GROUP
from real.bed import HOST
from real.cluster import Refused
from real.test_pods import grant


def forbidden(bed, name, call, *arguments):
    try:
        call(*arguments)
        bed.tap.ok(False, name, "it was let through")
    except Refused as refused:
        bed.tap.same(refused.code, 403, name)


def start(bed):
    bed.node.namespace("team")
    bed.admin.create("/apis/rbac.authorization.k8s.io/v1/namespaces/team/rolebindings", {
        "metadata": {"name": "edith"}, "subjects": [{"kind": "User", "name": "edith"}],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"}})


def test_permissions(bed):
    start(bed)
    own = f"{GROUP}/namespaces/team/bindpolicies"
    bed.policy("team", "hers", [grant(80)], client=bed.editor)
    made = bed.admin.get(f"{own}/hers")["metadata"]["name"]
    bed.tap.same(made, "hers", "an editor makes BindPolicies in her namespace")
    spec = {"ceiling": [{"ports": ["any"]}], "allowHostNetwork": True}
    value = {"apiVersion": "bindctl.io/v1alpha1", "kind": "ClusterBindPolicy", "metadata": {"name": "hers"},
             "spec": spec}
    calm = f"{GROUP}/clusterbindpolicies/calm"
    forbidden(bed, "but no ClusterBindPolicy", bed.editor.create, f"{GROUP}/clusterbindpolicies", value)
    forbidden(bed, "nor changes one", bed.editor.patch, calm, {"spec": spec})
    forbidden(bed, "nor removes one", bed.editor.delete, calm)
    forbidden(bed, "nor has BindPolicies in another's namespace", bed.editor.create,
              f"{GROUP}/namespaces/calm/bindpolicies", {**value, "kind": "BindPolicy"})
    forbidden(bed, "nor labels her namespace", bed.editor.patch, "/api/v1/namespaces/team",
              {"metadata": {"labels": {"calm": "yes"}}})
    forbidden(bed, "nor changes what the API is", bed.editor.delete,
              "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/clusterbindpolicies.bindctl.io")
    forbidden(bed, "nor says of a pod that it has ended", bed.editor.patch, "/api/v1/namespaces/team/pods/any/status",
              {"status": {"phase": "Succeeded"}})
    for word, wanted in (("create bindpolicies", "yes"), ("create clusterbindpolicies", "no")):
        code, said = bed.cluster.kubectl("edith", "auth", "can-i", *word.split(), "-n", "team")
        bed.tap.ok(said.splitlines()[0] == wanted and (code == 0) == (wanted == "yes"),
                   f"kubectl auth can-i {word}: {wanted}", said)


def test_host_port(bed):
    """All that she may write, at once."""
    everything = [grant("any"), {"action": "Allow", "ports": ["any"]}, grant(443, 22, runAsUser=4711),
                  grant(443, addresses=["127.0.0.0/8", "0.0.0.0/0", "::/0"]),
                  {"action": "Rewrite", "ports": [8443], "to": {"port": 443}},
                  {"action": "Rewrite", "ports": [8444], "to": {"address": HOST, "port": 444, "hidden": True}}]
    # That team has the label "calm", whose namespace has a ceiling for hostNetwork, is only what her pods say.
    labels = {"calm": "yes", "app": "mine"}
    ports = {"bindctl.io/ports": "1-65535", "bindctl.io/mode": "Enforce"}
    bed.policy("team", "hers", everything, client=bed.editor)
    bed.policy("team", "mine", everything, labels, client=bed.editor)
    uid = next(pod for pod in bed.node.pods if pod.namespace == "calm" and pod.host).uid
    mirror = {**ports, "kubernetes.io/config.mirror": uid, "kubernetes.io/config.hash": uid,
              "kubernetes.io/config.source": "file"}
    tries = {
        "a pod": dict(annotations=ports),
        "one that may run as root": dict(annotations=ports, non_root=False),
        "one with another pod's uid for a hash": dict(annotations=mirror),
        "one with a hash": dict(annotations={**mirror, "kubernetes.io/config.mirror": "cd" * 16}),
        "a static one, as it says": dict(annotations=ports, static="ef" * 16),
    }
    for name, more in tries.items():
        pod = bed.node.pod("team", f"try-{len(bed.node.pods)}", labels, host=True, client=bed.editor, **more)
        bed.sync()
        process = pod.process()
        for port in (1, 22, 443, 893, 1023):
            for proto in ("tcp", "udp"):
                bed.refused(process, port, f"{name}: {port}, {proto}", HOST, proto)
        bed.tap.same(process.bind(8443, HOST), f"{HOST} 8443", f"{name}: no rewrite to 443")
        bed.tap.same(process.bind(8444, HOST), f"{HOST} 8444", f"{name}: nor to 444, in secret")
    own = bed.node.pod("team", "own", labels, client=bed.editor)
    bed.sync()
    bed.let(own.process(), 443, "in a network of its own her pod has what she grants")
    process = bed.outsider("team-outside")
    bed.refused(process, 443, "nothing of it is granted to the node's processes", HOST)
    texts = [rule for rule in bed.agent.in_force()
             if "netns any" not in rule and "deny" not in rule and "port 893" not in rule]
    bed.tap.same(texts, [], "no rule in force gives anything in the host's network")
    bed.clear("team")


def test_deny_of_others(bed):
    """Nor may she take a port from anybody else."""
    bed.policy("team", "hers", [{"action": "Deny", "ports": ["any"]}], client=bed.editor)
    bed.node.pod("team", "one", host=True, client=bed.editor)
    bed.sync()
    process = bed.outsider("team-victim")
    bed.let(process, 28000, "what she denies holds for her pods alone", HOST)
    bed.clear("team")


def test_denied_port(bed):
    """However she has her pod end, be made, or be seen: the real server takes all of it."""
    bed.cluster_policy("team", rules=[{"action": "Deny", "ports": [28443]}])
    bed.policy("team", "hers", [grant("any")], client=bed.editor)
    tries = {
        "a pod": {},
        "one of a user namespace": {"hostUsers": False},
        "one with ten thousand labels": {"labels": {f"label-{n}": "x" * 60 for n in range(10000)}},
        "one with an annotation of 250 KiB": {"annotations": {"note": "\u0001<" * 62000, "bindctl.io/ports": "28443"}},
        "one that has a sysctl": {"securityContext": {
            "sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]}},
        "one with a finalizer": {},
    }
    for number, (name, more) in enumerate(tries.items()):
        pod = bed.node.pod("team", f"denied-{number}", client=bed.editor, **more)
        process = pod.process()
        bed.sync()
        bed.refused(process, 28443, f"{name}: denied")
        if name == "one with a finalizer":
            bed.editor.patch(pod.path, {"metadata": {"finalizers": ["team.example/stay"]}})
        bed.admin.patch(pod.path + "/status", {"status": {"phase": "Failed"}})
        bed.sync()
        bed.refused(process, 28443, f"{name}, Failed while it runs: denied")
        bed.editor.delete(pod.path)
        bed.sync()
        bed.refused(process, 28443, f"{name}, deleted by force: denied")
        bed.tap.same([rule for rule in bed.agent.in_force(pod.cgroup) if "deny" not in rule], [],
                     f"{name}, deleted by force: nothing is given")
        if name == "one with a finalizer":
            bed.admin.patch(pod.path, {"metadata": {"finalizers": []}})
        pod.end()
        bed.node.pods.remove(pod)
        bed.sync()
        bed.tap.same(bed.agent.in_force(pod.cgroup), [], f"{name}: with its cgroup the rules are gone")
    bed.clear("team", "team")
