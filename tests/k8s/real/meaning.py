# SPDX-License-Identifier: GPL-2.0-or-later
"""What a cluster's objects mean for single binds, and what rules in force do: each in as few words as can be, and without
a thought for how the agent comes to the one from the other. A verdict is "grant", "allow", "deny" or None.

Of what policies can say this knows what tests/k8s/churn.py has in them: no addresses, users and rewrites; and there a Deny of
a namespace is of one port and protocol, so that none of what it gives is more specific."""

from real.node import DRIVERS, cgroup_of


def selects(selector, labels):
    for key, value in selector.get("matchLabels", {}).items():
        if labels.get(key) != value:
            return False
    for term in selector.get("matchExpressions", []):
        there = labels.get(term["key"]) in term.get("values", [])
        if not {"In": there, "NotIn": not there, "Exists": term["key"] in labels,
                "DoesNotExist": term["key"] not in labels}[term["operator"]]:
            return False
    return True


def holds(entry, proto, port):
    """Whether a rule or an entry of a ceiling speaks of it."""
    if entry.get("protocol", proto.upper()) != proto.upper():
        return False
    for item in entry["ports"]:
        first, _, last = str(item).partition("-")
        if item == "any" or int(first) <= port <= int(last or first):
            return True
    return False


class Cluster:
    def __init__(self, pods, namespaces, policies, cluster_policies):
        self.pods, self.policies, self.cluster_policies = pods, policies, cluster_policies
        self.labels = {item["metadata"]["name"]: item["metadata"].get("labels", {}) for item in namespaces}

    def running(self, node):
        return [pod for pod in self.pods
                if pod["spec"].get("nodeName") == node and pod["status"]["phase"] not in ("Succeeded", "Failed")]

    def over(self, pod):
        """The specs of the ClusterBindPolicies that select it."""
        return [item["spec"] for item in self.cluster_policies
                if selects(item["spec"].get("namespaceSelector", {}), self.labels[pod["metadata"]["namespace"]])
                and selects(item["spec"].get("podSelector", {}), pod["metadata"].get("labels", {}))]

    def inside(self, pod):
        """The rules of the BindPolicies that select it and are in force."""
        return [rule for item in self.policies if item["metadata"]["namespace"] == pod["metadata"]["namespace"]
                and item["spec"].get("mode") != "Audit"
                and selects(item["spec"]["podSelector"], pod["metadata"].get("labels", {})) for rule in item["spec"]["rules"]]

    def verdicts(self, pod, points):
        """Of each (protocol, port)."""
        over, inside = self.over(pod), self.inside(pod)
        denied = [rule for spec in over if spec.get("mode") != "Audit" for rule in spec.get("rules", [])]
        host = pod["spec"].get("hostNetwork", False)
        bounds = [spec for spec in over if "ceiling" in spec and (spec.get("allowHostNetwork") or not host)]
        free = not host and not bounds

        def verdict(point):
            if any(holds(rule, *point) for rule in denied + [rule for rule in inside if rule["action"] == "Deny"]):
                return "deny"
            if free or any(holds(entry, *point) for spec in bounds for entry in spec["ceiling"]):
                given = {rule["action"].lower() for rule in inside if rule["action"] != "Deny" and holds(rule, *point)}
                return min(given) if given else None
            return None
        return {point: verdict(point) for point in points}

    def reserved(self):
        """Specs of ports of the node's, that are in force."""
        return [entry for item in self.cluster_policies if item["spec"].get("mode") != "Audit"
                for entry in item["spec"].get("reservedPorts", [])]


ORDER = ("deny", "allow", "rewrite", "grant")


def decided(rules, netns, points):
    """What rules that `bindctl list --json` prints for one cgroup decide there."""
    def verdict(point):
        best = None
        for rule in rules:
            if rule.get("audit") or rule["proto"] not in ("any", point[0]) or netns not in (rule["netns"], "host"):
                continue
            for ports in rule["ports"]:
                if ports["first"] <= point[1] <= ports["last"]:
                    rank = (ports["last"] - ports["first"], rule["proto"] == "any", ORDER.index(rule["verb"]))
                    best = min(best, rank) if best else rank
        return best and ORDER[best[2]]
    return {point: verdict(point) for point in points}


def differences(cluster, node, in_force, points):
    """Between what is meant and what is in force: sentences. Every cgroup that has rules must be a pod's."""
    found, known = [], {""}
    for pod in cluster.running(node):
        wanted = cluster.verdicts(pod, points)
        host = pod["spec"].get("hostNetwork", False)
        for driver in DRIVERS:
            path = cgroup_of(pod["metadata"]["uid"], pod["status"]["qosClass"], driver)
            known.add(path)
            for point, verdict in decided(in_force.get(path, []), "host" if host else "any", points).items():
                if verdict != wanted[point]:
                    name = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
                    found.append(f"{name}, {driver}: {point[1]}/{point[0]}: {verdict}, {wanted[point]} is meant")
    found += [f"{path} is no pod's" for path in in_force if path not in known]
    for point in points:
        wanted = "deny" if any(holds(entry, *point) for entry in cluster.reserved()) else None
        if (verdict := decided(in_force.get("", []), "host", [point])[point]) != wanted:
            found.append(f"the node: {point[1]}/{point[0]}: {verdict}, {wanted} is meant")
    return found
