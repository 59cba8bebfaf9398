# SPDX-License-Identifier: GPL-2.0-or-later
"""bindctl-agent as its DaemonSet runs it, and what can be seen of it: its logs, its metrics, the policy in force."""

import http.client
import json
import os
import re
import signal
import subprocess

from real.cluster import NotThere, Refused, Server, wait_for
from real.node import CGROUPS, NODE

PORT = 9734
SECRETS = "/run/secrets/kubernetes.io/serviceaccount"
# What the DaemonSet gives it, of all that root has.
CAPABILITIES = "-all,+bpf,+net_admin,+perfmon"
GROUP = "/apis/bindctl.io/v1alpha1"


class Agent:
    """One on the node. Reads its credentials as in a pod: from a directory of secrets, which the kubelet would refresh.
    With another name it is another one beside the first, with a policy of its own."""

    def __init__(self, cluster, programs, name="bindctl", port=PORT):
        self.programs, self.port = programs, port
        work = cluster.work
        self.server = Server("bindctl-agent", f"{work}/{name}-agent.log")
        self.config = f"{work}/{name}.d"
        self.where = ["--config", self.config, "--pin", f"{work}/bpf/{name}", "--cgroup", CGROUPS]
        os.makedirs(self.config, exist_ok=True)
        os.makedirs(SECRETS, exist_ok=True)
        with open(cluster.path("ca.crt"), "rb") as source, open(f"{SECRETS}/ca.crt", "wb") as target:
            target.write(source.read())

    def secret(self, token):
        """As the kubelet does it: a new file takes the old one's place."""
        with open(f"{SECRETS}/new", "w", encoding="ascii") as file:
            file.write(token)
        os.rename(f"{SECRETS}/new", f"{SECRETS}/token")

    def command(self, *more):
        return ["setpriv", "--bounding-set", CAPABILITIES, f"{self.programs}/bindctl-agent", "--node", NODE,
                *self.where, *more]

    def environment(self):
        return {"PATH": os.environ["PATH"], "KUBERNETES_SERVICE_HOST": "::1", "KUBERNETES_SERVICE_PORT": "6443"}

    def start(self, *more):
        self.server.start(*self.command("--listen", f"127.0.0.1:{self.port}", *more), env=self.environment())

    def run(self, *more):
        """To its end: what it says on its two ways."""
        done = subprocess.run(self.command("--listen", "none", *more), env=self.environment(), capture_output=True,
                              text=True, timeout=60, check=False)
        return done.returncode, done.stdout, done.stderr

    def kill(self):
        return self.server.end(signal.SIGKILL)

    def alive(self):
        return self.server.alive()

    def page(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def ready(self):
        return self.page("/readyz")[0] == 200

    def await_ready(self, seconds=120):
        def look():
            if not self.alive():
                raise NotThere("the agent ended:\n" + "".join(self.server.tail()))
            return self.ready()
        wait_for("a ready agent", look, seconds)

    def metrics(self):
        """By name with labels, as Prometheus's text has them."""
        found = {}
        for line in self.page("/metrics")[1].splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                found[name] = float(value)
        return found

    def metric(self, pattern):
        """The sum of those whose whole name with labels matches."""
        return sum(value for name, value in self.metrics().items() if re.fullmatch(pattern, name))

    def resident(self):
        """In bytes."""
        with open(f"/proc/{self.server.process.pid}/status", encoding="ascii") as file:
            return int(re.search(r"^VmRSS:\s+(\d+) kB", file.read(), re.M).group(1)) * 1024

    def log(self):
        with open(self.server.log, encoding="utf-8", errors="strict") as file:
            return file.read()

    def bindctl(self, *words):
        done = subprocess.run([f"{self.programs}/bindctl", *self.where, *words], capture_output=True, text=True,
                              timeout=60, check=False)
        return done.returncode, done.stdout

    def rules(self):
        """What is in force, by cgroup: lists of rules as `bindctl list --json` has them; "" is everywhere."""
        code, text = self.bindctl("list", "--json")
        found = {}
        for rule in json.loads(text)["rules"] if code == 0 else []:
            found.setdefault(rule.get("cgroup", ""), []).append(rule)
        return found

    def in_force(self, cgroup=None):
        """The rules' texts, sorted, of a cgroup or all."""
        rules = self.rules()
        return sorted(rule["rule"] for where in rules for rule in rules[where] if cgroup in (None, where))


class Barrier:
    """Tells when the agent has seen, and put into force, all that changed until now: by one more change of each kind of
    object, and looking out for what becomes of them. Ports from 40000 on are its own."""

    def __init__(self, node, agent):
        self.node, self.agent, self.count, self.pod = node, agent, 0, None
        self.client = node.client

    def change(self):
        """Any of them may be missing, when a test has removed them all."""
        turn = {"turn": str(self.count)}
        self.client.patch("/api/v1/namespaces/barrier", {"metadata": {"labels": turn}})
        self.client.patch(self.pod.path, {"metadata": {"labels": turn}})
        selector = {"matchLabels": turn}
        port = 40000 + self.count
        for path, kind, spec in (
                (f"{GROUP}/namespaces/barrier/bindpolicies", "BindPolicy",
                 {"podSelector": selector, "rules": [{"action": "Deny", "ports": [port], "protocol": "TCP"}]}),
                (f"{GROUP}/clusterbindpolicies", "ClusterBindPolicy",
                 {"namespaceSelector": selector, "rules": [{"action": "Deny", "ports": [port], "protocol": "UDP"}]})):
            value = {"apiVersion": "bindctl.io/v1alpha1", "kind": kind, "metadata": {"name": "barrier"}, "spec": spec}
            try:
                self.client.patch(f"{path}/barrier", {"spec": {**spec}})
            except Refused as refused:
                if refused.code != 404:
                    raise
                self.client.create(path, value)

    def wait(self, seconds=120):
        if self.pod is None:
            self.node.namespace("barrier")
            self.pod = self.node.pod("barrier", "barrier")
        self.count += 1
        self.change()
        port = 40000 + self.count

        def passed():
            found = {rule["proto"] for rule in self.agent.rules().get(self.pod.cgroup, [])
                     if rule["verb"] == "deny" and {"first": port, "last": port} in rule["ports"]}
            return found == {"tcp", "udp"}
        wait_for("what changed in force", passed, seconds)
