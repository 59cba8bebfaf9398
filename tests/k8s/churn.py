# SPDX-License-Identifier: GPL-2.0-or-later
"""churn.py PROGRAMS BUILD: the tests of tests/k8s/churn, in its namespaces."""

import http.client
import ipaddress
import os
import random
import signal
import statistics
import sys
import time

from real import meaning
from real.agent import GROUP
from real.bed import HOST, Bed
from real.cluster import Refused
from real.node import NODE, UID
from real.tap import Tap

PODS = int(os.environ.get("BINDCTL_CHURN_PODS", "250"))
RATE = 20  # changes a second; on a machine that is busy half of it, or else it takes longer
SECONDS = int(os.environ.get("BINDCTL_CHURN_SECONDS", "600"))
SEED = int(os.environ.get("BINDCTL_CHURN_SEED", str(random.randrange(1 << 30))))
LEGS = max(3, SECONDS // 60)  # of a minute; before each but the first the API server is killed
LIMIT = 50 << 20
GROWTH = 2 << 20  # what the memory may differ by between any two quarters: it has its ups and downs
NAMESPACES = [f"team-{n}" for n in range(10)]
POLICIES = int(os.environ.get("BINDCTL_CHURN_POLICIES", "60")) // len(NAMESPACES)  # of each, at most
CLUSTER_POLICIES = 6  # at most
APPS = [f"app-{n}" for n in range(int(os.environ.get("BINDCTL_CHURN_APPS", "3")))]
TIERS = ["front", "back"]
ZONES = ["red", "green", "blue"]
USERS = (UID, UID + 1)
ADDRESSES = [ipaddress.ip_address(text) for text in (HOST, "10.1.1.1", "::1")]
BINDS = [(proto, port, user, address) for proto in ("tcp", "udp") for user in USERS for address in ADDRESSES for port in
         (0, 79, *range(80, 92), 93, 443, 444, 893, 999, 2000, 2003, 2004, 2005, 2009, 2011, 7000, 7001,
          *range(8000, 8012, 2), 8443, 9050, 30000, 30001)]


class Churn:
    def __init__(self, bed, chance):
        self.bed, self.chance = bed, chance
        self.pods, self.names = [], 0
        self.done, self.lost = {}, 0
        self.kinds = ((self.replace_pod, 6), (self.relabel_pod, 3), (self.touch_pod, 3), (self.finish_pod, 1),
                      (self.set_policy, 5), (self.remove_policy, 1), (self.set_cluster_policy, 1),
                      (self.remove_cluster_policy, 0.3), (self.relabel_namespace, 0.5))

    # What objects look like

    def pod_labels(self):
        return {"app": self.chance.choice(APPS), "tier": self.chance.choice(TIERS)}

    def make_pod(self):
        self.names += 1
        self.pods.append(self.bed.node.pod(
            self.chance.choice(NAMESPACES), f"p{self.names}", self.pod_labels(), host=self.chance.random() < 0.3,
            qos=self.chance.choice(["Guaranteed", "Burstable", "BestEffort"]),
            driver=self.chance.choice(["systemd", "cgroupfs"])))

    def ports(self):
        first = self.chance.randrange(80, 92)
        return [self.chance.choice([first, first, f"{first}-{self.chance.randrange(first, 92)}", 443, "1-1023"])]

    def protocol(self):
        return self.chance.choice([{}, {"protocol": "TCP"}, {"protocol": "UDP"}])

    def addresses(self):
        return self.chance.choice([{}, {}, {}, {"addresses": ["127.0.0.0/8", "::1"]}, {"addresses": [HOST]},
                                   {"addresses": ["::/0"]}])

    def selector(self, wide):
        app, tier = self.chance.choice(APPS), self.chance.choice(TIERS)
        one = [{"matchLabels": {"app": app}}, {"matchLabels": {"app": app, "tier": tier}}]
        many = [{}, {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": [app]}]}]
        return self.chance.choice(one + many if wide else one)

    def rule(self):
        rule = self.chance.choice([
            {"action": "Grant", "ports": self.ports()}, {"action": "Grant", "ports": self.ports()},
            {"action": "Allow", "ports": [f"2000-{self.chance.randrange(2000, 2010)}"]},
            {"action": "Allow", "ports": self.ports()},
            {"action": "Rewrite", "ports": self.ports(), "to": {"port": self.chance.choice([2004, 7000, 8004, 85])}},
            {"action": "Deny", "ports": [self.chance.randrange(8000, 8010), "2003-2006"]},
            {"action": "Deny", "ports": self.ports()}, {"action": "Deny", "ports": ["any"]}])
        return {**rule, **self.protocol(), **self.addresses(), **self.chance.choice([{}, {}, {"runAsUser": UID}])}

    def set_policy(self):
        self.bed.policy(self.chance.choice(NAMESPACES), f"policy-{self.chance.randrange(POLICIES)}",
                        [self.rule() for _ in range(self.chance.randrange(1, 4))],
                        podSelector=self.selector(len(APPS) == 3),
                        mode=self.chance.choice(["Enforce"] * 5 + ["Audit"]))

    def set_cluster_policy(self):
        spec = self.chance.choice(2 * [
            {"ceiling": [{"ports": self.ports(), **self.protocol(), **self.addresses()},
                         {"ports": [443, "2000-2004", 7000]}],
             "allowHostNetwork": self.chance.random() < 0.6}] + [
            {"rules": [{"action": "Deny", "ports": [f"{self.chance.randrange(8000, 8010)}-8010"], **self.protocol()},
                       {"action": "Deny", "ports": [self.chance.randrange(80, 92)]}]},
            {"reservedPorts": [{"ports": [30000 + self.chance.randrange(2)], **self.protocol()}]}])
        self.bed.cluster_policy(f"cluster-{self.chance.randrange(CLUSTER_POLICIES)}",
                                podSelector=self.selector(True), **spec,
                                namespaceSelector={"matchLabels": {"zone": self.chance.choice(ZONES)}})

    # Other changes

    def replace_pod(self):
        pod = self.pods.pop(self.chance.randrange(len(self.pods)))
        try:
            pod.delete()
        except Refused as refused:
            if refused.code != 404:
                raise
        self.make_pod()

    def relabel_pod(self):
        self.bed.admin.patch(self.chance.choice(self.pods).path, {"metadata": {"labels": self.pod_labels()}})

    def touch_pod(self):
        """What matters nothing, as kubelets write it all the time."""
        self.bed.admin.patch(self.chance.choice(self.pods).path + "/status", {"status": {
            "message": f"turn {self.chance.random()}", "podIP": f"10.1.0.{self.chance.randrange(1, 255)}"}})

    def finish_pod(self):
        phase = self.chance.choice(["Running", "Succeeded", "Failed"])
        state = {"running": {}} if phase == "Running" else {"terminated": {"exitCode": 0}}
        self.bed.admin.patch(self.chance.choice(self.pods).path + "/status", {"status": {
            "phase": phase, "containerStatuses": [{"name": "c", "image": "registry.example/c:1", "imageID": "",
                                                   "ready": False, "restartCount": 0, "state": state}]}})

    def remove_policy(self):
        namespace, name = self.chance.choice(NAMESPACES), f"policy-{self.chance.randrange(POLICIES)}"
        self.bed.remove_policy(namespace, name)

    def remove_cluster_policy(self):
        self.bed.remove_cluster_policy(f"cluster-{self.chance.randrange(CLUSTER_POLICIES)}")

    def relabel_namespace(self):
        path = f"/api/v1/namespaces/{self.chance.choice(NAMESPACES)}"
        self.bed.admin.patch(path, {"metadata": {"labels": {"zone": self.chance.choice(ZONES)}}})

    def change(self):
        kind = self.chance.choices([kind for kind, _ in self.kinds], [weight for _, weight in self.kinds])[0]
        try:
            kind()
            self.done[kind.__name__] = self.done.get(kind.__name__, 0) + 1
        except Refused as refused:
            # What is removed may not be there; what was asked for twice, as the answer was lost, may be.
            if refused.code not in (404, 409):
                raise
        except (OSError, http.client.HTTPException):
            self.lost += 1
            self.bed.cluster.await_ready()

    def made(self):
        return sum(self.done.values())

    def run(self, seconds, sample):
        """Changes as often as time permits, for so long and until there were enough."""
        begin, turn, enough = time.monotonic(), 0, self.made() + seconds * RATE / 2
        while time.monotonic() < begin + seconds or self.made() < enough:
            self.change()
            turn += 1
            if turn % RATE == 0:
                sample()
            ahead = begin + turn / RATE - time.monotonic()
            time.sleep(max(0, ahead))
            if ahead < -1:  # while there was no server; that is not made up for
                turn = int((time.monotonic() - begin) * RATE)


def check_memory(bed, samples):
    tap = bed.tap
    half = samples[len(samples) // 2:]
    early, late = half[:len(half) // 2], half[len(half) // 2:]
    growth = statistics.median(late) - statistics.median(early)
    mib = [f"{value / (1 << 20):.1f}" for value in (samples[0], samples[-1], max(samples))]
    tap.note(f"the agent's resident memory: {mib[0]} MiB at first, {mib[1]} at last, {mib[2]} at most; "
             f"{growth / (1 << 20):+.1f} MiB from the third quarter to the last")
    tap.ok(max(samples) < LIMIT, f"the agent takes less than {LIMIT >> 20} MiB", f"{mib[2]} MiB")
    tap.ok(growth <= GROWTH, "its memory does not grow", samples)


def check_policy(bed, when):
    """The whole policy, bind by bind."""
    bed.cluster.await_ready()
    bed.sync()
    cluster = meaning.Cluster(*(bed.admin.get(path)["items"] for path in (
        f"/api/v1/pods?fieldSelector=spec.nodeName={NODE}", "/api/v1/namespaces", f"{GROUP}/bindpolicies",
        f"{GROUP}/clusterbindpolicies")))
    in_force = bed.agent.rules()
    found = meaning.differences(cluster, NODE, in_force, BINDS)
    count = sum(len(rules) for rules in in_force.values())
    bed.tap.note(f"{len(cluster.running(NODE))} pods, {len(cluster.policies)} BindPolicies, "
                 f"{len(cluster.cluster_policies)} ClusterBindPolicies, {count} rules in force")
    bed.tap.ok(not found, f"{when}: what is in force is what the cluster means, by {len(BINDS)} binds of each pod",
               *found[:20])
    return cluster


def expected(verdict, port, address):
    """What a process without privileges sees. Of a port that the kernel is to choose, no more than that it does."""
    if verdict and verdict.startswith("rewrite"):
        return f"{address} {verdict.split()[1]}"
    if verdict == "deny" or verdict != "grant" and 0 < port < 1024:
        return "EACCES"
    return f"{address} {port}" if port else "a port"


def check_binds(bed, churn, cluster):
    """Some of it with real ones: pods of all kinds, in their own networks and the host's."""
    tried, wrong, reserved = {}, [], cluster.reserved()
    objects = {pod["metadata"]["uid"]: pod for pod in cluster.running(NODE)}
    for pod in [pod for pod in churn.pods if pod.uid in objects][:40]:
        processes = {user: pod.process(uid=user) for user in USERS}
        for bind, verdict in cluster.verdicts(objects[pod.uid], BINDS).items():
            proto, port, user, address = bind
            # The host's ::1 is not ours alone, and the second address is not there.
            if address == ADDRESSES[1] or pod.host and address.version == 6:
                continue
            if pod.host and verdict is None and any(meaning.ranks(entry, bind) for entry in reserved):
                verdict = "deny"
            wanted = expected(verdict, port, address)
            seen = processes[user].bind(port, str(address), proto)
            if seen == "EADDRINUSE" and wanted != "EACCES" or wanted == "a port" and " " in seen:
                seen = wanted
            tried[verdict] = tried.get(verdict, 0) + 1
            if seen != wanted:
                wrong.append(f"{pod.path}: {meaning.told(bind)}: {seen}, {verdict} is meant")
    bed.tap.note("real binds: " + ", ".join(f"{n} {verdict or 'without a rule'}" for verdict, n in tried.items()))
    bed.tap.ok(len(tried) > 3 and not wrong, f"real binds come out so: {sum(tried.values())}", *wrong[:20])


def check_speed(bed):
    metrics = bed.agent.metrics()
    name = "bindctl_agent_event_to_enforced_seconds"
    buckets = sorted((float(key.split('"')[1]), value) for key, value in metrics.items()
                     if key.startswith(name + "_bucket"))
    total = metrics[name + "_count"]
    for share in (0.5, 0.99):
        bound = next(bound for bound, value in buckets if value >= share * total)
        bed.tap.note(f"from an event to the kernel: {share * 100:.0f} % within {bound * 1000:.0f} ms")
    for reason in ("expired", "truncated", "silent"):
        value = bed.agent.metric(rf'bindctl_agent_api_faults_total\{{.*reason="{reason}".*')
        bed.tap.note(f"watches that were {reason}: {value:.0f}")
    bed.tap.note(f"applies: {total:.0f}, processor: {metrics['process_cpu_seconds_total']:.0f} s")


def test(bed):
    tap, samples = bed.tap, []
    bed.apply("namespace.yaml", "crds", "rbac.yaml")
    bed.give_token(10 * SECONDS + 3600)
    bed.agent.start()
    bed.agent.await_ready()
    bed.leave_alone()
    tap.note(f"seed: {SEED} (BINDCTL_CHURN_SEED)")
    churn = Churn(bed, random.Random(SEED))
    for name in NAMESPACES:
        bed.node.namespace(name, zone=churn.chance.choice(ZONES))
    for _ in range(PODS):
        churn.make_pod()
    # About as many as there will be in the long run: what comes after that changes, and does not grow.
    for _ in range(3 * len(NAMESPACES) * POLICIES):
        churn.set_policy()
    for _ in range(3 * CLUSTER_POLICIES):
        churn.set_cluster_policy()
    bed.sync()
    begin = time.monotonic()
    for leg in range(LEGS):
        if leg:
            bed.cluster.server.end(signal.SIGKILL)
            bed.cluster.start_server()
        churn.run(SECONDS / LEGS, lambda: samples.append(bed.agent.resident()))
        cluster = check_policy(bed, f"after {time.monotonic() - begin:.0f} s")
    tap.note(f"{churn.made()} changes in {time.monotonic() - begin:.0f} s: " +
             ", ".join(f"{name} {n}" for name, n in sorted(churn.done.items())))
    tap.note(f"the API server was killed {LEGS - 1} times, when {churn.lost} changes were lost")
    tap.ok(bed.agent.alive(), "the agent lives")
    check_binds(bed, churn, cluster)
    bed.check_untouched()
    check_memory(bed, samples)
    check_speed(bed)


def main(programs, build):
    tap = Tap()
    bed = Bed(tap, programs, build)
    try:
        bed.start_cluster()
        if not tap.run("churn", test, bed):
            bed.blame()
    finally:
        bed.end()
    return tap.plan()


sys.exit(main(*sys.argv[1:]))
