# SPDX-License-Identifier: GPL-2.0-or-later
"""A node without a kubelet: pods as objects of the API, cgroups of the names that a kubelet gives them, and processes
in those that bind for real."""

import os
import subprocess

NODE = "node-1"
UID = 4711  # of processes in pods; nobody on this machine has it
CGROUPS = "/sys/fs/cgroup"
DRIVERS = ("systemd", "cgroupfs")
LET = ("ok", "EADDRINUSE")  # a bind that was let through


def resources(qos):
    """Of a container, so that the API server computes this class of quality of service."""
    amount = {"cpu": "100m", "memory": "64Mi"}
    return {"Guaranteed": {"requests": amount, "limits": amount}, "Burstable": {"requests": {"cpu": "100m"}},
            "BestEffort": {}}[qos]


def cgroup_of(identity, qos, driver, root=()):
    """The path of a pod's cgroup, as the kubelet has it: `identity` is its uid, or a static pod's hash, and `root` the
    components of --cgroup-root."""
    parts = [*root, "kubepods"] + ([] if qos == "Guaranteed" else [qos.lower()]) + [f"pod{identity}"]
    if driver == "cgroupfs":
        return "/" + "/".join(parts)
    # systemd's slices say in their names what they are in; a dash is what stands between.
    parts = [part.replace("-", "_") for part in parts]
    return "".join("/" + "-".join(parts[:n + 1]) + ".slice" for n in range(len(parts)))


class Process:
    """In a cgroup and a network namespace, as a user without capabilities."""

    def __init__(self, program, cgroup, netns, uid=UID):
        self.process = subprocess.Popen([program, cgroup, netns, str(uid)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        if self.hear() != "ready":
            raise OSError(f"no process in {cgroup}")

    def hear(self):
        return self.process.stdout.readline().strip()

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def bind(self, port, address="127.0.0.1", proto="tcp"):
        """Returns "ADDRESS PORT", where it is bound, or an error's name."""
        self.say(f"bind {proto} {address} {port}")
        return self.hear()

    def keep(self, port, wanted, address="127.0.0.1", proto="tcp"):
        self.say(f"keep {proto} {address} {port} {wanted}")

    def kept(self):
        """Ends keep(): how often it tried, how often it saw something else, and what."""
        self.say("stop")
        tries, wrong, first = self.hear().split()
        return int(tries), int(wrong), first

    def end(self):
        self.process.kill()
        self.process.wait()


class Pod:
    """One that is there; made by Node.pod()."""

    def __init__(self, node, found, driver, root):
        self.node, self.driver, self.root = node, driver, root
        self.name, self.namespace = found["metadata"]["name"], found["metadata"]["namespace"]
        self.uid, self.qos = found["metadata"]["uid"], found["status"]["qosClass"]
        annotations = found["metadata"].get("annotations", {})
        self.identity = self.uid
        if any(owner["kind"] == "Node" for owner in found["metadata"].get("ownerReferences", [])):
            self.identity = annotations["kubernetes.io/config.mirror"]
        self.host = found["spec"].get("hostNetwork", False)
        self.processes = []

    @property
    def path(self):
        return f"/api/v1/namespaces/{self.namespace}/pods/{self.name}"

    @property
    def cgroup(self):
        return cgroup_of(self.identity, self.qos, self.driver, self.root)

    def process(self, leaf=None, uid=UID):
        """A container's. Only now is there a cgroup."""
        leaf = leaf or {"systemd": "cri-containerd-1f2e.scope", "cgroupfs": "1f2e"}[self.driver]
        directory = f"{CGROUPS}{self.cgroup}/{leaf}"
        os.makedirs(directory, exist_ok=True)
        made = Process(self.node.program, directory, self.node.host_net if self.host else "new", uid)
        self.processes.append(made)
        return made

    def end(self):
        for process in self.processes:
            process.end()
        self.processes = []
        for directory, _, _ in os.walk(CGROUPS + self.cgroup, topdown=False):
            os.rmdir(directory)

    def delete(self):
        """Its processes first, then its object."""
        self.end()
        self.node.client.delete(self.path)
        self.node.pods.remove(self)


class Node:
    def __init__(self, client, program):
        self.client, self.program = client, program
        self.host_net = os.environ["BED_HOST_NET"]
        self.pods = []

    def namespace(self, name, **labels):
        self.client.create("/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})

    def pod(self, namespace, name, labels=None, annotations=None, host=False, qos="BestEffort", driver="systemd",
            root=(), node=NODE, client=None, static=None, non_root=True, **spec):
        """Through the API, as what schedules pods would leave it. `client` is who creates it; `static` the hash that a
        kubelet has for a pod of a file, whose image here this is."""
        metadata = {"name": name, "labels": labels or {}, "annotations": dict(annotations or {})}
        if static:
            uid = self.client.get(f"/api/v1/nodes/{node}")["metadata"]["uid"]
            metadata["annotations"]["kubernetes.io/config.mirror"] = static
            metadata["ownerReferences"] = [
                {"apiVersion": "v1", "kind": "Node", "name": node, "uid": uid, "controller": True}]
        container = {"name": "c", "image": "registry.example/c:1", "resources": resources(qos)}
        if non_root:
            container["securityContext"] = {"runAsNonRoot": True, "runAsUser": UID}
        found = (client or self.client).create(f"/api/v1/namespaces/{namespace}/pods", {
            "metadata": metadata,
            "spec": {"nodeName": node, "hostNetwork": host, "containers": [container], **spec},
        })
        pod = Pod(self, found, driver, root)
        self.client.patch(pod.path + "/status", {"status": {"phase": "Running"}})
        self.pods.append(pod)
        return pod

    def clear(self, namespace=None):
        for pod in list(self.pods):
            if namespace in (None, pod.namespace):
                pod.delete()


