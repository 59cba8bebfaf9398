# SPDX-License-Identifier: GPL-2.0-or-later
"""What the API server itself makes of the manifests: what kubectl prints, what is refused before an agent sees it."""

import os
import re

import yaml

from real.agent import GROUP
from real.cluster import Client, Refused, wait_for
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
    wait_for("what the API server says of the resource", lambda: bed.cluster.kubectl("admin", "explain", "cbp")[0] == 0)
    for what, wanted in {
            "bindpolicy": "apiVersion kind metadata spec", "bp.spec": "mode podSelector rules",
            "bindpolicy.spec.rules": "action addresses ports protocol runAsUser to",
            "bindpolicy.spec.rules.to": "address hidden port",
            "bindpolicy.spec.podSelector": "matchExpressions matchLabels",
            "clusterbindpolicy": "apiVersion kind metadata spec",
            "cbp.spec": "allowHostNetwork ceiling mode namespaceSelector podSelector reservedPorts rules",
            "clusterbindpolicy.spec.ceiling": "addresses ports protocol",
            "clusterbindpolicy.spec.reservedPorts": "ports protocol",
            "clusterbindpolicy.spec.rules": "action addresses ports protocol runAsUser"}.items():
        code, text = bed.cluster.kubectl("admin", "explain", what)
        fields = described(text) if code == 0 and "FIELDS:" in text else {}
        bed.tap.same(" ".join(sorted(fields)), wanted, f"kubectl explain {what}")
        silent = [name for name, said in fields.items() if not said.endswith((".", "resources", "kinds", "metadata"))]
        bed.tap.ok(not silent and re.search(r"DESCRIPTION:\n\s+\w", text),
                   f"kubectl explain {what}: each is described", silent)


def test_columns(bed):
    bed.node.namespace("columns")
    bed.policy("columns", "edge", [grant(443)], {"app": "edge"})
    bed.cluster_policy("columns", namespaceSelector={"matchLabels": {"columns": "yes"}}, ceiling=[{"ports": [443]}])
    for resource, columns, values in (("bp", "NAME MODE PODS AGE", ("edge", "Enforce")),
                                      ("cbp", "NAME MODE HOSTNETWORK CEILING AGE", ("columns", "false"))):
        code, text = bed.cluster.kubectl("admin", "get", resource, "-n", "columns")
        lines = text.splitlines()
        there = any(all(value in line for value in values) for line in lines[1:])
        bed.tap.ok(code == 0 and lines[0].split() == columns.split() and there,
                   f"kubectl get {resource} prints {columns}", text)
    bed.clear("columns", "columns")


def test_schema(bed):
    """The server makes of objects what tests/k8s/manifests says that the schemas do."""
    bed.node.namespace("schema")
    with open(os.path.join(os.path.dirname(os.path.dirname(__file__)), "objects.yaml"), encoding="utf-8") as file:
        entries = yaml.safe_load(file)
    for entry, good in [(entry, True) for entry in entries["good"]] + [(entry, False) for entry in entries["bad"]]:
        kind = entry["kind"]
        where = GROUP + ("/namespaces/schema/bindpolicies" if kind == "BindPolicy" else "/clusterbindpolicies")
        value = {"apiVersion": "bindctl.io/v1alpha1", "kind": kind, "metadata": {"name": "case"}}
        value.update({"spec": entry["spec"]} if "spec" in entry else {})
        name = f"{'taken' if good else 'refused'}: {entry['what']}"
        try:
            bed.admin.create(where + "?dryRun=All", value)
            bed.tap.ok(good, name)
        except Refused as refused:
            # This server names no places in lists, and of what is missing the field itself.
            at = re.sub(r"\[[0-9]+\]", "", entry.get("at", ""))
            named = re.search(rf"\b{re.escape(at)}\b", str(refused))
            bed.tap.ok(not good and refused.code == 422 and named, name, refused)


def test_minimal_rights(bed):
    """The agent's account lists and watches four resources, and nothing else."""
    agent = Client(bed.cluster.path("ca.crt"), token=bed.cluster.requested_token())
    for path in ("/api/v1/pods", "/api/v1/namespaces", f"{GROUP}/bindpolicies", f"{GROUP}/clusterbindpolicies"):
        bed.tap.ok("items" in agent.get(path), f"it lists {path}")
    pod, policy = "/api/v1/namespaces/calm/pods/own", f"{GROUP}/clusterbindpolicies/calm"
    for method, path in (("GET", "/api/v1/secrets"), ("GET", "/api/v1/nodes"), ("GET", pod), ("GET", policy),
                         ("POST", f"{GROUP}/clusterbindpolicies"), ("DELETE", policy), ("DELETE", pod),
                         ("POST", "/api/v1/namespaces/calm/events"), ("POST", "/api/v1/namespaces/calm/pods")):
        try:
            agent.ask(method, path, {} if method == "POST" else None)
        except Refused as answer:
            bed.tap.same(answer.code, 403, f"it may not {method} {path}")
        else:
            bed.tap.ok(False, f"it may not {method} {path}")
