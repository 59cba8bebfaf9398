# SPDX-License-Identifier: GPL-2.0-or-later
"""The objects of a cluster, with the history that lists in pages and watches are answered from."""

import base64
import json
import threading

GROUP = "bindctl.io/v1alpha1"

# What the agent looks at: kind, apiVersion, path.
KINDS = {
    "pods": ("Pod", "v1", "/api/v1/pods"),
    "namespaces": ("Namespace", "v1", "/api/v1/namespaces"),
    "bindpolicies": ("BindPolicy", GROUP, f"/apis/{GROUP}/bindpolicies"),
    "clusterbindpolicies": ("ClusterBindPolicy", GROUP, f"/apis/{GROUP}/clusterbindpolicies"),
}
PATHS = {path: resource for resource, (_, _, path) in KINDS.items()}


def text_of(value):
    """JSON as the API server writes it: on one line, UTF-8, and what means something to HTML escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.encode("utf-8", "surrogatepass")


def status_of(code, reason=None, message="", retry_after=None, details=None, metadata=None):
    """A Status, which is what every refusal has for its body."""
    status = {"kind": "Status", "apiVersion": "v1", "metadata": metadata or {}, "status": "Failure", "message": message}
    if reason:
        status["reason"] = reason
    details = dict(details or {})
    if retry_after is not None:
        details["retryAfterSeconds"] = retry_after
    if details:
        status["details"] = details
    status["code"] = code
    return status


class Refused(Exception):
    """The request gets this Status; of a watch that is refused the API server says it in an event."""

    def __init__(self, status):
        super().__init__(status["message"])
        self.status = status


def key_of(thing):
    return (thing["metadata"].get("namespace", ""), thing["metadata"]["name"])


def chosen(thing, selector):
    """Whether an object is one of those that a field selector asks for."""
    if thing is None:
        return False
    if not selector:
        return True
    field, _, wanted = selector.partition("=")
    if field == "spec.nodeName":
        return thing.get("spec", {}).get("nodeName", "") == wanted.lstrip("=")
    if field == "metadata.name":
        return thing["metadata"]["name"] == wanted.lstrip("=")
    raise Refused(status_of(400, "BadRequest", f"field label not supported: {field}"))


class Cluster:
    """Everything in it is guarded by the condition `changed`, which is notified of every change."""

    def __init__(self):
        self.changed = threading.Condition()
        self.version = 1000
        self.oldest = 1000  # a watch from before that is refused
        self.objects = {resource: {} for resource in KINDS}
        self.history = []  # (version, resource, what was there before, what is there now)
        self.snapshots = {}  # version: {resource: objects}, for lists that go on
        self.installed = set(KINDS)

    def put(self, resource, thing):
        """Creates or replaces an object. Returns it as it is then, with its resourceVersion."""
        kind, api, _ = KINDS[resource]
        with self.changed:
            self.version += 1
            thing = {"kind": kind, "apiVersion": api} | thing
            thing["metadata"] = thing["metadata"] | {"resourceVersion": str(self.version)}
            self._change(resource, key_of(thing), thing)
        return thing

    def delete(self, resource, namespace, name):
        with self.changed:
            self.version += 1
            self._change(resource, (namespace, name), None)

    def _change(self, resource, key, thing):
        before = self.objects[resource].get(key)
        # In one step, for who reads without the lock.
        others = {name: value for name, value in self.objects[resource].items() if name != key}
        self.objects[resource] = others if thing is None else others | {key: thing}
        self.history.append((self.version, resource, before, thing))
        self.changed.notify_all()

    def compact(self):
        """Forgets the past, as etcd does every five minutes: older watches and lists are refused with 410."""
        with self.changed:
            self.version += 1
            self.oldest = self.version
            self.history.clear()
            self.snapshots.clear()
            self.changed.notify_all()

    def restore(self, version):
        """As a cluster that is taken back to a backup: what is there now has versions that were before."""
        with self.changed:
            self.version = self.oldest = version
            self.history.clear()
            self.snapshots.clear()
            for resource, things in self.objects.items():
                self.objects[resource] = {
                    key: thing | {"metadata": thing["metadata"] | {"resourceVersion": str(version)}}
                    for key, thing in things.items()
                }

    def install(self, *resources):
        """Only these are there; others are answered with 404."""
        with self.changed:
            self.installed = set(resources)

    def page(self, resource, query):
        """The list that a request gets, or Refused."""
        kind, api, _ = KINDS[resource]
        with self.changed:
            token = query.get("continue")
            wanted = query.get("resourceVersion", "")
            self._not_before(wanted)
            version, start = self._resume(token) if token else (self.version, "")
            if not token:
                self.snapshots[version] = dict(self.objects)
            things = sorted(self.snapshots[version][resource].items(), key=lambda item: "/".join(item[0]))
        selector = query.get("fieldSelector")
        rest = [(f"{key[0]}/{key[1]}", thing) for key, thing in things if chosen(thing, selector)]
        rest = [(key, thing) for key, thing in rest if key > start]
        limit = int(query.get("limit", "0")) or len(rest)
        metadata = {"resourceVersion": str(version)}
        if len(rest) > limit:
            place = text_of({"v": "meta.k8s.io/v1", "rv": version, "start": rest[limit - 1][0]})
            metadata["continue"] = base64.urlsafe_b64encode(place).decode().rstrip("=")
            metadata["remainingItemCount"] = len(rest) - limit
        items = [thing for _, thing in rest[:limit]]
        if api == "v1":  # as the API server does with its own kinds
            items = [{name: thing[name] for name in thing if name not in ("kind", "apiVersion")} for thing in items]
        return {"kind": kind + "List", "apiVersion": api, "metadata": metadata, "items": items}

    def _not_before(self, wanted):
        if wanted.isdigit() and int(wanted) > self.version:
            cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
            message = f"Timeout: Too large resource version: {wanted}, current: {self.version}"
            raise Refused(status_of(504, "Timeout", message, 1, {"causes": [cause]}))

    def _resume(self, token):
        try:
            place = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
            version, start = place["rv"], place["start"]
        except (ValueError, KeyError, TypeError):
            raise Refused(status_of(400, "BadRequest", "continue key is not valid")) from None
        if version not in self.snapshots:
            # It offers to go on without being consistent; who takes that may miss what is no longer there.
            message = "The provided continue parameter is too old to display a consistent list result."
            raise Refused(status_of(410, "Expired", message, metadata={"continue": token}))
        return version, start

    def events(self, resource, since, selector):
        """The version of now, and (version, type, object) of what changed since, as one who watches sees it."""
        with self.changed:
            self._not_before(str(since))
            now, history, oldest = self.version, list(self.history), self.oldest
        if since < oldest:
            raise Refused(status_of(410, "Expired", f"too old resource version: {since} ({oldest})"))
        found = []
        for version, kind, before, thing in history:
            if kind != resource or version <= since:
                continue
            was, there = chosen(before, selector), chosen(thing, selector)
            if there:
                found.append((version, "MODIFIED" if was else "ADDED", thing))
            elif was:
                last = thing or before
                metadata = last["metadata"] | {"resourceVersion": str(version)}
                found.append((version, "DELETED", last | {"metadata": metadata}))
        return now, found
