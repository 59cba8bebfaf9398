# SPDX-License-Identifier: GPL-2.0-or-later
"""What a cluster's objects mean for single binds, and what rules in force do: each in as few words as can be, and
without a thought for how the agent comes to the one from the other.

A bind is (protocol, port, user, address). A verdict is "grant", "allow", "deny", "rewrite PORT", or None. Of what
policies can say, this leaves out what tests/k8s/churn.py does not write: rewrites to addresses, annotations, and
ClusterBindPolicies that deny users or addresses."""

import ipaddress

from real.node import DRIVERS, cgroup_of

ORDER = ("deny", "allow", "rewrite", "grant")
WILDCARDS = ipaddress.ip_address("0.0.0.0"), ipaddress.ip_address("::")


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


def widths(entry, port):
    """Of the ranges of a rule, or of an entry of a ceiling, that hold the port."""
    for item in entry["ports"]:
        first, _, last = ("0", "", "65535") if item == "any" else str(item).partition("-")
        if int(first) <= port <= int(last or first):
            yield int(last or first) - int(first)


def prefixes(entry, address):
    """The lengths of those that hold the address; 0 is any."""
    for prefix in map(ipaddress.ip_network, entry.get("addresses", [])):
        if address in prefix:
            yield prefix.prefixlen + 1
    if not entry.get("addresses"):
        yield 0


def ranks(rule, bind):
    """The ranks that a rule, or an entry of a ceiling, has for a bind; none when it does not speak of it."""
    proto, port, user, address = bind
    if rule.get("protocol", proto.upper()) != proto.upper() or rule.get("runAsUser", user) != user:
        return []
    return [("runAsUser" not in rule, width, -bits, "protocol" not in rule)
            for width in widths(rule, port) for bits in prefixes(rule, address)]


def lands(rule, bind):
    """Where a bind is when the rule has been followed."""
    proto, port, user, address = bind
    return proto, rule.get("to", {}).get("port", port), user, address


def holds(entry, there, rule, entries):
    """Whether what this entry of a ceiling leaves of a rule leads there. A rewrite of a wildcard may take a dual-stack
    socket to both wildcards: if what is left is about one, the entries must hold both."""
    proto, port, user, address = there
    nets = [net for addresses in (rule.get("addresses", []), entry.get("addresses", []))
            for net in map(ipaddress.ip_network, addresses) if address in net]
    wide = rule["action"] == "Rewrite" and all(any(wildcard in net for wildcard in WILDCARDS) for net in nets)
    return ranks(entry, there) and (not wide or all(
        any(ranks(other, (proto, port, user, wildcard)) for other in entries) for wildcard in WILDCARDS))


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
        """The rules of the BindPolicies that select it and are in force, by the policies' names."""
        own = [item for item in self.policies if item["metadata"]["namespace"] == pod["metadata"]["namespace"]
               and item["spec"].get("mode") != "Audit"
               and selects(item["spec"]["podSelector"], pod["metadata"].get("labels", {}))]
        own.sort(key=lambda item: item["metadata"]["name"])
        return [rule for item in own for rule in item["spec"]["rules"]]

    def verdicts(self, pod, binds):
        over, inside = self.over(pod), self.inside(pod)
        denies = [rule for spec in over if spec.get("mode") != "Audit" for rule in spec.get("rules", [])]
        host = pod["spec"].get("hostNetwork", False)
        bounds = [spec["ceiling"] for spec in over if "ceiling" in spec and (spec.get("allowHostNetwork") or not host)]
        free = not host and not bounds
        entries = [entry for bound in bounds for entry in bound]

        def permitted(rule, bind):
            """Of what gives: it must lead to what some ceiling holds and nothing denies."""
            there = lands(rule, bind)
            held = free or any(holds(entry, there, rule, entries) for entry in entries)
            return rule["action"] == "Deny" or held and not any(ranks(deny, there) for deny in denies)

        def verdict(bind):
            if any(ranks(deny, bind) for deny in denies):
                return "deny"
            best = min(((rank, ORDER.index(rule["action"].lower()), number) for number, rule in enumerate(inside)
                        for rank in ranks(rule, bind) if permitted(rule, bind)), default=None)
            if best is None:
                return None
            rule = inside[best[2]]
            return f"rewrite {rule['to']['port']}" if rule["action"] == "Rewrite" else rule["action"].lower()
        return {bind: verdict(bind) for bind in binds}

    def reserved(self):
        """Ports of the node's, that are in force."""
        return [entry for item in self.cluster_policies if item["spec"].get("mode") != "Audit"
                for entry in item["spec"].get("reservedPorts", [])]


def as_policy(rule):
    """One that `bindctl list --json` prints, in a policy's words."""
    entry = {"action": rule["verb"].capitalize(), "ports": [f"{p['first']}-{p['last']}" for p in rule["ports"]]}
    if rule["proto"] != "any":
        entry["protocol"] = rule["proto"].upper()
    if rule["addr"]:
        entry["addresses"] = [rule["addr"]]
    if "uid" in rule:
        entry["runAsUser"] = rule["uid"]
    if "to" in rule:
        entry["to"] = {"port": int(rule["to"].rpartition(":")[2])}
    return entry


def decided(rules, host, binds):
    """What the rules of one cgroup decide in the host's network, or in another."""
    rules = [as_policy(rule) for rule in sorted(rules, key=lambda rule: (rule["file"], rule["line"]))
             if not rule.get("audit") and (host or rule["netns"] == "any")]

    def verdict(bind):
        best = min(((rank, ORDER.index(rule["action"].lower()), number) for number, rule in enumerate(rules)
                    for rank in ranks(rule, bind)), default=None)
        if best is None:
            return None
        rule = rules[best[2]]
        return f"rewrite {rule['to']['port']}" if rule["action"] == "Rewrite" else rule["action"].lower()
    return {bind: verdict(bind) for bind in binds}


def told(bind):
    return "{1}/{0} of user {2} at {3}".format(*bind)


def differences(cluster, node, in_force, binds):
    """Between what is meant and what is in force: sentences. Every cgroup that has rules must be a pod's."""
    found, known = [], {""}
    for pod in cluster.running(node):
        wanted = cluster.verdicts(pod, binds)
        host = pod["spec"].get("hostNetwork", False)
        for driver in DRIVERS:
            path = cgroup_of(pod["metadata"]["uid"], pod["status"]["qosClass"], driver)
            known.add(path)
            for bind, verdict in decided(in_force.get(path, []), host, binds).items():
                if verdict != wanted[bind]:
                    name = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
                    found.append(f"{name}, {driver}: {told(bind)}: {verdict}, {wanted[bind]} is meant")
    found += [f"{path} is no pod's" for path in in_force if path not in known]
    reserved = cluster.reserved()
    for bind, verdict in decided(in_force.get("", []), True, binds).items():
        wanted = "deny" if any(ranks(entry, bind) for entry in reserved) else None
        if verdict != wanted:
            found.append(f"the node: {told(bind)}: {verdict}, {wanted} is meant")
    return found
