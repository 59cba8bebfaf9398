# SPDX-License-Identifier: GPL-2.0-or-later
"""Objects and events that are in order, but odd."""

import json

from bed import case
from fake import objects


@case("names and labels in any script, and hostile ones: each is one object and one line")
def unicode_names(bed):
    names = ("é", "名前", "😀", "a b", "a\npods SET web/forged 1", "a\tb", 'a"b', "a\\b", "\u202egpj", "a\x7f", "x" * 253)
    for name in names:
        bed.cluster.put("pods", objects.pod("web", name, labels={name[:63]: "é ✓ \u0001\n#\" deny port any"}))
    watcher = bed.watch()
    bed.settle(watcher)
    bed.equal(watcher.names(), sorted(names), "the names")
    for name in names[:3]:
        bed.cluster.put("pods", objects.pod("ns-é", name, labels={"k": name}))
        bed.cluster.delete("pods", "web", name)
    bed.settle(watcher)
    bed.equal(len(watcher.names()), len(names), "how many there are")


@case("events that come twice")
def twice(bed):
    bed.pods("a", "b")
    bed.script("watch pods: event ADDED web/a times=3 ; event ADDED web/c times=2 ; event DELETED web/c times=2 ; "
               "event MODIFIED web/b times=2 ; follow")
    watcher = bed.watch()
    bed.until(watcher, lambda: len(watcher.said("SET")) == 9 and len(watcher.said("GONE")) == 2, "it is told them all")
    bed.pods("a")
    bed.settle(watcher)
    bed.equal(len(bed.requests(None)), 2, "requests")


@case("MODIFIED of an object that nobody knows: now it is known")
def unknown_modified(bed):
    bed.pods("a")
    bed.script("watch pods: event MODIFIED web/stranger ; silence")
    watcher = bed.watch()
    bed.until(watcher, lambda: "stranger" in watcher.names(), "it knows it")
    bed.equal(len(bed.requests(None)), 2, "requests")


@case("DELETED of an object that nobody knows, then life goes on")
def unknown_deleted(bed):
    bed.pods("a")
    bed.script("watch pods: event DELETED web/stranger ; event DELETED web/a ; event ADDED web/a ; follow")
    watcher = bed.watch()
    bed.until(watcher, lambda: len(watcher.said("GONE")) == 2 and len(watcher.said("SET")) == 2, "it is told all of it")
    bed.pods("a")
    bed.settle(watcher)
    bed.equal(len(bed.requests(None)), 2, "requests")


@case("added, changed, deleted and added again, faster than one can read")
def burst(bed):
    bed.pods("a")
    watcher = bed.watch()
    bed.settle(watcher)
    for number in range(200):
        bed.pods(f"b{number % 7}", labels={"n": str(number)})
        if number % 3 == 0:
            bed.cluster.delete("pods", "web", f"b{number % 7}")
    bed.settle(watcher)
    bed.equal(len(bed.requests(None)), 2, "requests")
    bed.equal((len(watcher.said("SET")), len(watcher.said("GONE"))), (201, 67), "events")


@case("a field selector: only this node's pods are asked for, and one that leaves is gone")
def selector(bed):
    bed.pods("a", "b")
    bed.pods("far", node="n2")
    watcher = bed.watch(field_selector="spec.nodeName=n1")
    bed.settle(watcher, node="n1")
    bed.pods("far", "near", node="n2")
    bed.pods("b", node="")
    bed.pods("near")
    bed.settle(watcher, node="n1")
    bed.equal(watcher.names(), ["a", "near"], "the pods")
    selectors = {request.query.get("fieldSelector") for request in bed.requests(None)}
    bed.equal(selectors, {"spec.nodeName=n1"}, "what it asked for")


@case("a watch is asked for with bookmarks, from a version, and for a time by chance")
def asked_for(bed):
    bed.pods("a")
    watchers = [bed.watch(watch_seconds="290-580", seed=seed) for seed in range(6)]
    for watcher in watchers:
        bed.settle(watcher)
    seconds = [int(request.query["timeoutSeconds"]) for request in bed.requests("watch")]
    bed.check(all(290 <= number <= 580 for number in seconds), f"how long they are to last: {seconds}")
    bed.check(len(set(seconds)) > 2, f"they differ: {seconds}")
    versions = {request.query["resourceVersion"] for request in bed.requests("watch")}
    bed.equal(versions, {str(bed.cluster.version)}, "from when on")


@case("namespaces and cluster policies have no namespace")
def no_namespace(bed):
    bed.cluster.put("namespaces", objects.namespace_named("web", {"kubernetes.io/metadata.name": "web"}))
    bed.cluster.put("clusterbindpolicies", objects.cluster_policy("edge"))
    watcher = bed.watch("namespaces", "clusterbindpolicies")
    bed.settle(watcher, "namespaces")
    bed.settle(watcher, "clusterbindpolicies")
    bed.cluster.delete("namespaces", "", "web")
    bed.settle(watcher, "namespaces")
    bed.equal(list(watcher.known("clusterbindpolicies")), [("", "edge")], "the cluster policies")


@case("SIGTERM while it watches, lists, waits and connects: it goes at once, with status 0")
def terminated(bed):
    bed.pods("a")
    bed.script("any namespaces: silence\nalways any bindpolicies: status 500")
    watcher = bed.watch("pods", "namespaces", "bindpolicies", backoff="60000-120000")
    bed.settle(watcher)
    bed.asked(lambda: bed.requests("list", "namespaces") and bed.requests("list", "bindpolicies"), "all three lists")
    watcher.end()
    bed.check(watcher.stats().get("lists") == "1", f"it says its counts: {json.dumps(watcher.stats())}")
