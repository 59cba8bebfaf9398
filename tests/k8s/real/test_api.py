# SPDX-License-Identifier: GPL-2.0-or-later
"""What the API server itself makes of the manifests: what kubectl prints, and what is refused before any agent sees it."""

import re

from real.agent import GROUP
from real.cluster import Client, Refused
from real.test_pods import grant


def described(text):
    """Fields of `kubectl explain --recursive=false`, with what is said of each."""
    fields = text[text.index("FIELDS:"):].split("\n\n")
    found = {}
    for field in fields:
        lines = field.replace("FIELDS:", "").strip("\n").splitlines()
        if lines:
            found[lines[0].split()[0]] = " ".join(line.strip() for line in lines[1:])
    return found


def test_explain(bed):
    for what, wanted in {
            "bindpolicy": "apiVersion kind metadata spec", "bp.spec": "mode podSelector rules",
            "bindpolicy.spec.rules": "action addresses ports protocol runAsUser to",
            "bindpolicy.spec.rules.to": "address hidden port",
            "bindpolicy.spec.podSelector": "matchExpressions matchLabels", "clusterbindpolicy": "apiVersion kind metadata spec",
            "cbp.spec": "allowHostNetwork ceiling mode namespaceSelector podSelector reservedPorts rules",
            "clusterbindpolicy.spec.ceiling": "addresses ports protocol",
            "clusterbindpolicy.spec.reservedPorts": "ports protocol",
            "clusterbindpolicy.spec.rules": "action addresses ports protocol runAsUser"}.items():
        code, text = bed.cluster.kubectl("admin", "explain", what)
        fields = described(text) if code == 0 and "FIELDS:" in text else {}
        bed.tap.same(" ".join(sorted(fields)), wanted, f"kubectl explain {what}")
        silent = [name for name, said in fields.items() if len(said) < 10]
        bed.tap.ok(not silent and re.search(r"DESCRIPTION:\n\s+\w", text), f"kubectl explain {what}: each is described", silent)


def test_columns(bed):
    bed.node.namespace("columns")
    bed.policy("columns", "edge", [grant(443)], {"app": "edge"})
    bed.cluster_policy("columns", namespaceSelector={"matchLabels": {"columns": "yes"}}, ceiling=[{"ports": [443]}])
    for resource, columns, values in (("bp", "NAME MODE PODS AGE", ("edge", "Enforce")),
                                      ("cbp", "NAME MODE HOSTNETWORK CEILING AGE", ("columns", "false"))):
        code, text = bed.cluster.kubectl("admin", "get", resource, "-n", "columns")
        lines = text.splitlines()
        bed.tap.ok(code == 0 and lines[0].split() == columns.split() and any(
            all(value in line for value in values) for line in lines[1:]), f"kubectl get {resource} prints {columns}", text)
    bed.clear("columns", "columns")


def test_refused(bed):
    """By the schema, each with the field's name; beside each, the least that makes it good."""
    bed.node.namespace("schema")
    path, cluster = f"{GROUP}/namespaces/schema/bindpolicies", f"{GROUP}/clusterbindpolicies"
    here = {"namespaceSelector": {"matchLabels": {"schema": "yes"}}}

    def rule(**more):
        return {"podSelector": {}, "rules": [{"action": "Grant", "ports": [80], **more}]}

    def term(**more):
        return {"podSelector": {"matchExpressions": [{"key": "app", **more}]}, "rules": rule()["rules"]}
    namespaced = {
        "action": (rule(action="Permit"), rule(action="Allow")),
        "ports": (rule(ports=[70000]), rule(ports=[65535])),
        "ports ": (rule(ports=[0]), rule(ports=["any"])),
        "ports  ": (rule(ports=["80-"]), rule(ports=["80-81"])),
        "ports   ": (rule(ports=["http"]), rule(ports=["80"])),
        "ports    ": (rule(ports=[]), rule()),
        "protocol": (rule(protocol="SCTP"), rule(protocol="UDP")),
        "addresses": (rule(addresses=["10.0.0.0/33"]), rule(addresses=["10.0.0.0/8"])),
        "addresses ": (rule(addresses=["localhost"]), rule(addresses=["::1"])),
        "runAsUser": (rule(runAsUser=-1), rule(runAsUser=0)),
        "rules": (rule(action="Rewrite"), rule(action="Rewrite", to={"port": 8080})),
        "rules ": (rule(to={"port": 8080}), rule()),
        "rules  ": ({"podSelector": {}, "rules": []}, rule()),
        "podSelector": ({"rules": rule()["rules"]}, rule()),
        "mode": ({**rule(), "mode": "Try"}, {**rule(), "mode": "Audit"}),
        "operator": (term(operator="Is", values=["a"]), term(operator="In", values=["a"])),
        "matchExpressions": (term(operator="In"), term(operator="Exists")),
    }
    clustered = {
        "rules": ({"rules": rule()["rules"]}, {"rules": rule(action="Deny")["rules"]}),
        "spec": ({}, {"reservedPorts": [{"ports": [80]}]}),
        "spec ": ({"allowHostNetwork": True, "rules": []}, {"allowHostNetwork": True, "ceiling": []}),
        "ceiling": ({"ceiling": [{"ports": ["1-99999"]}]}, {"ceiling": [{"ports": ["1-9999"]}]}),
    }
    for where, kind, cases in ((path, "BindPolicy", namespaced),
                               (cluster, "ClusterBindPolicy",
                                {name: ({**here, **bad}, {**here, **good}) for name, (bad, good) in clustered.items()})):
        for field, (bad, good) in cases.items():
            value = {"apiVersion": "bindctl.io/v1alpha1", "kind": kind, "metadata": {"name": "case"}}
            try:
                bed.admin.create(where, {**value, "spec": bad})
                bed.admin.delete(f"{where}/case")
                bed.tap.ok(False, f"refused by its {field}: {kind} {bad}")
            except Refused as refused:
                bed.tap.ok(refused.code == 422 and field.strip() in str(refused), f"refused by its {field}: {kind} {bad}", refused)
            try:
                bed.admin.create(where, {**value, "spec": good})
                bed.admin.delete(f"{where}/case")
                bed.tap.ok(True, f"taken: {kind} {good}")
            except Refused as refused:
                bed.tap.ok(False, f"taken: {kind} {good}", refused)


def test_minimal_rights(bed):
    """The agent's account lists and watches four resources, and nothing else."""
    agent = Client(bed.cluster.path("ca.crt"), token=bed.cluster.requested_token())
    for path in ("/api/v1/pods", "/api/v1/namespaces", f"{GROUP}/bindpolicies", f"{GROUP}/clusterbindpolicies"):
        bed.tap.ok("items" in agent.get(path), f"it lists {path}")
    refused = {}
    for method, path in (("GET", "/api/v1/secrets"), ("GET", "/api/v1/nodes"), ("GET", "/api/v1/namespaces/calm/pods/own"),
                         ("GET", f"{GROUP}/clusterbindpolicies/calm"), ("POST", f"{GROUP}/clusterbindpolicies"),
                         ("DELETE", f"{GROUP}/clusterbindpolicies/calm"), ("DELETE", "/api/v1/namespaces/calm/pods/own"),
                         ("POST", "/api/v1/namespaces/calm/events"), ("POST", "/api/v1/namespaces/calm/pods")):
        try:
            agent.ask(method, path, {} if method == "POST" else None)
        except Refused as answer:
            refused[f"{method} {path}"] = answer.code
            bed.tap.same(answer.code, 403, f"it may not {method} {path}")
        else:
            bed.tap.ok(False, f"it may not {method} {path}")
