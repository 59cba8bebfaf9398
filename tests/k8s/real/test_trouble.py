# SPDX-License-Identifier: GPL-2.0-or-later
"""When the API server, its history, the agent's token or the agent itself goes away."""

import os
import re
import signal
import time

from real.agent import PORT, Agent
from real.cluster import wait_for
from real.node import DRIVERS
from real.test_pods import grant


def still(bed, process, when):
    bed.let(process, 80, f"{when}: what was granted is granted")
    bed.refused(process, 81, f"{when}: what was not is not")


def a_pod(bed, namespace, *ports):
    bed.node.namespace(namespace)
    bed.policy(namespace, "all", [grant(*ports)])
    pod = bed.node.pod(namespace, "one", {"app": "a"})
    bed.sync()
    return pod, pod.process()


def restart(bed, namespace, number, name):
    """While it is away, what was in force is; when it is back, what changed comes."""
    _, process = a_pod(bed, namespace, 80)
    bed.cluster.stop_server(number)
    still(bed, process, f"the API server {name}")
    bed.tap.same(bed.agent.page("/healthz")[0], 200, f"the API server {name}: the agent is alive")
    time.sleep(1)
    bed.cluster.start()
    bed.policy(namespace, "more", [grant(82)])
    bed.sync()
    still(bed, process, "it is back")
    bed.let(process, 82, "it is back: what changed is in force")
    bed.tap.ok(bed.agent.ready(), "it is back: the agent is ready")
    bed.clear(namespace)


def test_server_restarts(bed):
    restart(bed, "restart", signal.SIGTERM, "stops")


def test_server_is_killed(bed):
    restart(bed, "killed", signal.SIGKILL, "is killed")


def test_history_is_compacted(bed):
    """While the agent does not look, much happens, and is forgotten: it must list anew, and miss what went."""
    pod, process = a_pod(bed, "compact", 80, 83)
    gone = bed.node.pod("compact", "gone")
    bed.policy("compact", "gone", [grant(84)])
    bed.sync()
    expired = r'bindctl_agent_api_faults_total\{.*reason="expired".*\}'
    before = bed.agent.metric(expired)
    lists = bed.agent.metric(r"bindctl_agent_lists_total\{.*")
    bed.agent.server.process.send_signal(signal.SIGSTOP)
    try:
        # Its connections end before anything is told on them.
        bed.cluster.server.end(signal.SIGKILL)
        bed.cluster.start()
        bed.remove_policy("compact", "gone")
        bed.policy("compact", "all", [grant(80)])
        gone.delete()
        bed.cluster.compact()
        # So that it does not know by itself either what was.
        bed.cluster.server.end(signal.SIGKILL)
        bed.cluster.start()
    finally:
        bed.agent.server.process.send_signal(signal.SIGCONT)
    bed.sync()
    still(bed, process, "after a compaction")
    for port in (83, 84):
        bed.refused(process, port, f"what went meanwhile is gone: {port}")
    bed.tap.same(bed.agent.in_force(gone.cgroup), [], "and so is the pod")
    bed.tap.ok(bed.agent.metric(expired) > before, "the agent was told that its history had expired")
    bed.tap.ok(bed.agent.metric(r"bindctl_agent_lists_total\{.*") > lists, "and listed anew")
    bed.tap.ok(bed.agent.in_force(pod.cgroup), "the other pod has its rules")
    bed.clear("compact")


def test_token_expires(bed):
    """A watch outlives its token; whoever has to begin a new one does not."""
    _, process = a_pod(bed, "token", 80)
    bed.agent.secret(bed.cluster.token(1))
    before = len(bed.agent.log())
    time.sleep(2)
    bed.cluster.server.end(signal.SIGKILL)
    bed.cluster.start()
    wait_for("401s", lambda: len(set(re.findall(r"resource=(\w+) .*\b401\b", bed.agent.log()[before:]))) == 4)
    bed.tap.ok(True, "with a token that has expired it is refused, and says so of each resource")
    wait_for("the agent to say so", lambda: bed.agent.metric(r"bindctl_agent_watching\{.*") == 0)
    still(bed, process, "without access")
    bed.policy("token", "all", [grant(80, 82)])
    bed.give_token()
    bed.sync()
    bed.let(process, 82, "with a new token what changed is in force")
    still(bed, process, "with a new token")
    bed.clear("token")


def test_agent_is_killed(bed):
    """Nobody is there to change anything, and nothing changes."""
    pod, process = a_pod(bed, "agent", 80)
    before = bed.agent.in_force()
    bed.agent.kill()
    still(bed, process, "the agent is killed")
    bed.tap.same(bed.agent.in_force(), before, "all rules are in force")
    bed.policy("agent", "all", [grant(80, 82)])
    bed.policy("agent", "new", [grant(83)])
    bed.agent.start()
    still(bed, process, "the agent starts")
    bed.agent.await_ready()
    bed.sync()
    still(bed, process, "the agent is back")
    bed.let(process, 82, "what changed meanwhile is in force")
    bed.let(process, 83, "what came meanwhile, too")
    bed.agent.kill()
    bed.remove_policy("agent", "new")
    bed.node.pods.remove(pod)
    bed.admin.delete(pod.path)
    bed.agent.start()
    bed.agent.await_ready()
    bed.sync()
    bed.refused(process, 83, "what went while it was away is gone")
    left = bed.agent.in_force(pod.cgroup)
    bed.tap.same([rule for rule in left if "deny" not in rule], [], "and so are the rules of a pod that went")
    bed.refused(process, 8443, "but for what some ClusterBindPolicy denies, as its process goes on")
    pod.end()
    bed.clear("agent")


def test_agent_without_server(bed):
    """Killed, and started where there is no API server: what is in force stays."""
    _, process = a_pod(bed, "alone", 80)
    bed.agent.kill()
    bed.cluster.server.end(signal.SIGKILL)
    bed.agent.start()
    wait_for("an agent that listens", lambda: bed.agent.page("/healthz")[0] == 200)
    time.sleep(1)
    still(bed, process, "an agent that reaches no API server")
    bed.tap.same(bed.agent.page("/readyz")[0], 503, "is not ready")
    bed.cluster.start()
    bed.agent.await_ready()
    bed.sync()
    still(bed, process, "and then reaches it")
    bed.clear("alone")


def test_agent_ends(bed):
    _, process = a_pod(bed, "ends", 80)
    bed.tap.same(bed.agent.server.end(signal.SIGTERM), 0, "SIGTERM ends the agent, and it says 0")
    still(bed, process, "the agent has ended")
    bed.agent.start()
    bed.agent.await_ready()
    bed.sync()
    still(bed, process, "the agent is back")
    bed.clear("ends")


def test_nested_root(bed):
    """As in a node that is a container itself: the kubelet has a root of its own for cgroups. The agent is another one,
    beside the first, which is not disturbed."""
    bed.node.namespace("nested")
    bed.policy("nested", "all", [grant(80)])
    pods = [bed.node.pod("nested", driver, driver=driver, root=("kubelet",), qos="Burstable") for driver in DRIVERS]
    nested = Agent(bed.cluster, bed.build, "nested", PORT + 1)
    try:
        nested.start("--cgroup-root", "/kubelet")
        nested.await_ready()
        for pod in pods:
            process = pod.process()
            wait_for("its rules", lambda pod=pod: nested.in_force(pod.cgroup))
            still(bed, process, pod.cgroup)
        paths = list(nested.rules())
        bed.tap.ok(not any(path.startswith("/kubepods") for path in paths), "it names no pods elsewhere", paths)
        drift(bed, nested, pods[0].processes[0])
        bed.tap.same(nested.server.end(), 0, "it ends")
        nested.bindctl("unload")
        bed.refused(pods[0].processes[0], 80, "it was its doing")
    finally:
        nested.kill()
    bed.clear("nested")


def drift(bed, agent, process):
    """What somebody does to the agent's file, the next change at the latest undoes."""
    file = f"{agent.config}/60-kubernetes.conf"
    os.unlink(file)
    agent.bindctl("apply")
    bed.refused(process, 80, "a policy file that somebody removed is not in force")
    bed.policy("nested", "more", [grant(82)])
    wait_for("the file", lambda: os.path.exists(file))
    wait_for("the rules", lambda: process.bind(82) != "EACCES")
    still(bed, process, "after the next change")


def test_dry_run(bed):
    """Changes nothing, says what it would."""
    pod, process = a_pod(bed, "dry", 80)
    bed.agent.server.end()
    before = bed.agent.in_force()
    bed.policy("dry", "all", [grant(81)])
    code, text, _ = bed.agent.run("--dry-run")
    bed.tap.same(code, 0, "it ends by itself")
    bed.tap.ok("port 81" in text and pod.cgroup in text, "it prints what would be in the file", text[-2000:])
    bed.tap.ok("/kubepods/" in text and "/kubepods.slice/" in text, "by either driver's names")
    for driver, wanted, other in (("systemd", "/kubepods.slice/", "/kubepods/"),
                                  ("cgroupfs", "/kubepods/", "/kubepods.slice/")):
        code, text, _ = bed.agent.run("--dry-run", "--cgroup-driver", driver)
        bed.tap.ok(code == 0 and wanted in text and other not in text, f"or by those of {driver}", text[-2000:])
    bed.tap.same(bed.agent.in_force(), before, "nothing has changed")
    still(bed, process, "after a dry run")
    bed.agent.start()
    bed.agent.await_ready()
    bed.sync()
    bed.let(process, 81, "without --dry-run it does")
    bed.clear("dry")
