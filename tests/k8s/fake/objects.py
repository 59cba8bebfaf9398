# SPDX-License-Identifier: GPL-2.0-or-later
"""Objects as the API server gives them, with what the agent needs and with what it must not keep."""

import hashlib


def uid_of(*words):
    digest = hashlib.sha256("/".join(words).encode("utf-8", "surrogatepass")).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"


def metadata(namespace, name, labels=None, annotations=None):
    found = {
        "name": name,
        "namespace": namespace,
        "uid": uid_of(namespace, name),
        "resourceVersion": "0",
        "generation": 1,
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "labels": labels or {},
        "annotations": annotations or {"note": 'quote " backslash \\ tab\t <b>é ✓ 😀'},
        "managedFields": [
            {
                "manager": "kubelet",
                "operation": "Update",
                "apiVersion": "v1",
                "fieldsType": "FieldsV1",
                "fieldsV1": {"f:status": {"f:conditions": {".": {}, 'k:{"type":"Ready"}': {".": {}, "f:status": {}}}}},
                "subresource": "status",
            }
        ],
    }
    if not namespace:
        del found["namespace"]
    return found


def pod(namespace, name, node="n1", labels=None, **spec):
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": metadata(namespace, name, labels if labels is not None else {"app": name}),
        "spec": {
            "nodeName": node,
            "containers": [{"name": "c", "image": "registry.example/c:1", "resources": {}}],
            "restartPolicy": "Always",
        }
        | spec,
        "status": {"phase": "Running", "qosClass": "BestEffort", "podIPs": [{"ip": "10.244.0.7"}, {"ip": "fd00::7"}]},
    }


def namespace_named(name, labels=None):
    found = {"kind": "Namespace", "apiVersion": "v1", "metadata": metadata("", name, labels)}
    return found | {"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}


def policy(namespace, name, ports=(443,)):
    return {
        "apiVersion": "bindctl.io/v1alpha1",
        "kind": "BindPolicy",
        "metadata": metadata(namespace, name),
        "spec": {
            "podSelector": {"matchLabels": {"app": name}},
            "rules": [{"action": "Grant", "protocol": "TCP", "ports": list(ports)}],
        },
    }


def cluster_policy(name, ports=("1-1023",)):
    return {
        "apiVersion": "bindctl.io/v1alpha1",
        "kind": "ClusterBindPolicy",
        "metadata": metadata("", name),
        "spec": {"podSelector": {}, "rules": [{"action": "Deny", "ports": list(ports)}]},
    }


def make(resource, namespace, name, labels=None):
    """One of each kind by its names, for scripts."""
    if resource == "pods":
        return pod(namespace, name, labels=labels)
    if resource == "namespaces":
        return namespace_named(name, labels)
    if resource == "bindpolicies":
        return policy(namespace, name)
    return cluster_policy(name)
