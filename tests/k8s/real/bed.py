# SPDX-License-Identifier: GPL-2.0-or-later
"""All that a test of the real thing has: a cluster with one node, its agent, and processes that nothing may disturb."""

import os
import signal

from real.agent import GROUP, Agent, Barrier
from real.cluster import AGENT, Cluster, Refused
from real.node import CGROUPS, LET, NODE, Node, Process

SOURCES = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
MANIFESTS = os.path.join(SOURCES, "user", "kubernetes")
# Ports of the host are bound at addresses of its loopback that nobody else cares for.
HOST = "127.93.18.1"


class Bed:
    def __init__(self, tap, programs, build):
        work = os.environ["BED_WORK"]
        self.tap, self.build = tap, build
        self.cluster = Cluster(programs, work)
        self.admin = self.cluster.admin
        self.editor = self.cluster.client("edith", "developers")
        self.agent = Agent(self.cluster, build)
        self.node = Node(self.admin, f"{build}/tests/k8s/pod")
        self.barrier = Barrier(self.node, self.agent)
        self.untouched = []
        self.outsiders = []

    # The cluster

    def start_cluster(self):
        self.cluster.start()
        self.cluster.aggregate_roles()
        self.admin.create("/api/v1/nodes", {"metadata": {"name": NODE}})

    def apply(self, *names):
        """Manifests of ours, as whoever installs them would."""
        for name in names:
            path = f"{MANIFESTS}/{name}"
            code, said = self.cluster.kubectl("admin", "apply", "-k" if os.path.isdir(path) else "-f", path)
            if code:
                raise OSError(f"kubectl apply {name}: {said}")

    def give_token(self, seconds=3600):
        self.agent.secret(self.cluster.token(seconds, AGENT))

    def sync(self, seconds=120):
        self.barrier.wait(seconds)

    # Policies

    def policy(self, namespace, name, rules, labels=None, client=None, **spec):
        """A BindPolicy, new or in the place of one, for the pods with these labels."""
        spec = {"podSelector": {"matchLabels": labels} if labels else {}, "rules": rules, **spec}
        self.put(client or self.admin, f"{GROUP}/namespaces/{namespace}/bindpolicies", "BindPolicy", name, spec)

    def cluster_policy(self, name, client=None, **spec):
        self.put(client or self.admin, f"{GROUP}/clusterbindpolicies", "ClusterBindPolicy", name, spec)

    @staticmethod
    def put(client, path, kind, name, spec):
        value = {"apiVersion": "bindctl.io/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        try:
            client.create(path, value)
        except Refused as refused:
            if refused.code != 409:
                raise
            value["metadata"]["resourceVersion"] = client.get(f"{path}/{name}")["metadata"]["resourceVersion"]
            client.replace(f"{path}/{name}", value)

    def remove_policy(self, namespace, name):
        self.admin.delete(f"{GROUP}/namespaces/{namespace}/bindpolicies/{name}")

    def remove_cluster_policy(self, name):
        self.admin.delete(f"{GROUP}/clusterbindpolicies/{name}")

    def clear(self, namespace, *cluster_policies):
        """What a test made. Its namespace stays: no controller is there to empty it."""
        for name in cluster_policies:
            self.remove_cluster_policy(name)
        self.admin.delete(f"{GROUP}/namespaces/{namespace}/bindpolicies")
        self.node.clear(namespace)

    # Processes

    def outsider(self, name, host=True, uid=4711):
        """Of no pod, in the cgroup /NAME, on the node's own network."""
        directory = f"{CGROUPS}/{name}"
        os.makedirs(directory, exist_ok=True)
        process = Process(self.node.program, directory, self.node.host_net if host else "new", uid)
        self.outsiders.append(process)
        return process

    def let(self, process, port, name, address="127.0.0.1", proto="tcp"):
        seen = process.bind(port, address, proto)
        self.tap.among("ok" if " " in seen else seen, LET, name)

    def refused(self, process, port, name, address="127.0.0.1", proto="tcp"):
        self.tap.same(process.bind(port, address, proto), "EACCES", name)

    # What nothing may disturb

    def leave_alone(self):
        """Pods with policies that no test touches, each of which binds all the time."""
        self.node.namespace("calm", calm="yes")
        self.cluster_policy("calm", namespaceSelector={"matchLabels": {"calm": "yes"}}, allowHostNetwork=True,
                            ceiling=[{"ports": ["1-1023"]}], rules=[{"action": "Deny", "ports": [8443]}])
        self.policy("calm", "calm", [{"action": "Grant", "ports": [893]}, {"action": "Deny", "ports": ["9000-9099"]}])
        host = self.node.pod("calm", "host", host=True)
        own = self.node.pod("calm", "own", qos="Guaranteed", driver="cgroupfs")
        self.sync()
        for pod, port, wanted, address in (
                (host, 893, "ok", HOST), (host, 894, "EACCES", HOST), (host, 8443, "EACCES", HOST),
                (own, 893, "ok", "::1"), (own, 9050, "EACCES", "127.0.0.1")):
            process = pod.process()
            process.keep(port, wanted, address)
            self.untouched.append((f"{pod.name} pod, port {port}", process))

    def check_untouched(self):
        total = 0
        for name, process in self.untouched:
            tries, wrong, first = process.kept()
            total += tries
            self.tap.ok(tries > 100 and wrong == 0, f"no wrong decision for what was left alone: {name}",
                        f"{wrong} of {tries} were wrong, the first {first}")
        self.untouched = []
        self.tap.note(f"binds of pods that were left alone: {total}")

    def end(self):
        for process in self.outsiders:
            process.end()
        self.agent.server.end(signal.SIGKILL)
        self.cluster.stop()

    def blame(self):
        """When something failed: what the agent said last."""
        if os.path.exists(self.agent.server.log):
            self.tap.note("the agent's last words:\n" + "".join(self.agent.server.tail(40)))
