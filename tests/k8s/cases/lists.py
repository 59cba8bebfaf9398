# SPDX-License-Identifier: GPL-2.0-or-later
"""Lists: only one that is complete says what is no longer there."""

import json

from bed import case
from fake import objects


@case("what went while the server was away is removed by the list")
def pruned(bed):
    bed.pods("a", "b", "c")
    bed.cluster.put("bindpolicies", objects.policy("web", "edge"))
    watcher = bed.watch("pods", "bindpolicies")
    bed.settle(watcher)
    bed.settle(watcher, "bindpolicies")
    again = bed.server.down(bed.listener)
    for name in ("a", "c"):
        bed.cluster.delete("pods", "web", name)
    bed.cluster.delete("bindpolicies", "web", "edge")
    bed.pods("d")
    bed.cluster.compact()
    bed.check(len(watcher.names()) == 3, "while the server is away all are known")
    again.begin()
    bed.settle(watcher)
    bed.settle(watcher, "bindpolicies")
    bed.equal(watcher.names(), ["b", "d"], "the pods")
    bed.equal(watcher.known("bindpolicies"), {}, "the policies")


@case("a list that is cut, or fails on a later page, removes nothing")
def partial(bed):
    bed.pods("a", "b", "c", "d")
    watcher = bed.watch(page=2)
    bed.settle(watcher)
    steps = "list pods: list part=0.3\nlist pods: list part=0.99\nlist pods: list\ncontinue pods: list part=0.5"
    again = bed.server.down(bed.listener)
    bed.cluster.delete("pods", "web", "a")
    bed.cluster.compact()
    bed.script(steps + "\nalways list pods: status 500\nalways continue pods: status 500")
    again.begin()
    bed.asked(lambda: sum(request.status == 500 for request in bed.requests(None)) >= 3, "three lists that fail")
    bed.equal(watcher.names(), ["a", "b", "c", "d"], "the pods while no list is complete")
    bed.equal(len(watcher.said("LIST-END")), 1, "lists that were complete")
    bed.server.script.clear()
    bed.settle(watcher)
    bed.equal(watcher.names(), ["b", "c", "d"], "the pods in the end")


@case("a list that is cut at any place: none is taken but the whole")
def cut_anywhere(bed):
    bed.pods("a", "b")
    bed.listener = bed.server.listen()
    for share in range(100):
        bed.script(f"list pods: list part={share / 100 + 0.003}")
    watcher = bed.watch(backoff="1-2")
    bed.used()
    bed.settle(watcher)
    bed.equal(len(bed.requests("list")), 101, "lists")
    bed.equal(len(watcher.said("LIST-END")), 1, "lists that were complete")


@case("a list whose pages go round in circles: it is left, and nothing is removed")
def circles(bed):
    bed.pods("a", "b", "c")
    page = bed.cluster.page("pods", {"limit": "1"})
    path = bed.path("page", json.dumps(page))
    watcher = bed.watch(page=1)
    bed.settle(watcher)
    bed.script(f"watch pods: status 410\nlist pods: file {path}\n50 times continue pods: file {path}")
    bed.server.drop()
    bed.asked(lambda: len(bed.requests("list")) >= 3, "a list anew")
    bed.server.script.clear()
    bed.check(watcher.tries() >= 2, "it waits before that, as after the 410")
    bed.settle(watcher)
    bed.equal(watcher.stores["pods"].pruned, [], "what was removed")


@case("a server that closes the connection after each reply without a word")
def closed(bed):
    bed.pods("a", "b", "c")
    bed.script("list pods: list part=1\n2 times continue pods: list part=1")
    watcher = bed.watch(page=1)
    bed.used()
    bed.settle(watcher)
    bed.equal(len(bed.requests("list")), 1, "lists")


@case("a list without items, without resourceVersion, or of another kind is none: nothing is removed")
def shapeless(bed):
    bed.pods("a", "b")
    watcher = bed.watch(backoff="10-40")
    bed.settle(watcher)
    bodies = (
        {},
        {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "9"}},
        {"kind": "PodList", "apiVersion": "v1", "items": []},
        {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": []},
        {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": ""}, "items": []},
        {"kind": "PodList", "apiVersion": "v1", "metadata": None, "items": []},
        {"kind": "PodList", "metadata": {"resourceVersion": "9"}, "items": {}},
        {"kind": "PodList", "metadata": {"resourceVersion": "9"}, "items": "none"},
        {"kind": "Status", "metadata": {}, "status": "Failure", "message": "no", "code": 500},
        [],
        [{"metadata": {"resourceVersion": "9"}, "items": []}],
        None,
        "items",
    )
    again = bed.server.down(bed.listener)
    bed.cluster.compact()
    for number, body in enumerate(bodies):
        bed.script(f"list pods: file {bed.path(f'body{number}', json.dumps(body))}")
    bed.script(f"list pods: file {bed.path('empty', '')}")
    again.begin()
    bed.used()
    bed.settle(watcher)
    bed.equal(watcher.stores["pods"].pruned, [], "what was removed")
    bed.equal(len(watcher.said("LIST-END")), 2, "lists that were complete")


@case("a list that is empty is one, also with null for its items: all is removed")
def empty(bed):
    for items in ("[]", "null"):
        bed.pods("a", "b")
        watcher = bed.watch()
        bed.settle(watcher)
        bed.cluster.compact()
        body = '{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"%d"},"items":%s}'
        path = bed.path("empty", body % (bed.cluster.version, items))
        for name in ("a", "b"):
            del bed.cluster.objects["pods"][("web", name)]
        bed.script(f"list pods: file {path}")
        bed.server.drop()
        bed.settle(watcher)
        bed.equal(watcher.known(), {}, f"the pods after {items}")
        bed.used()
        watcher.end()


@case("metadata before, between and behind the items; members that nobody knows")
def orders(bed):
    bed.pods("a")
    thing = objects.pod("web", "a")
    thing["metadata"]["resourceVersion"] = str(bed.cluster.version)
    members = {"metadata": {"resourceVersion": str(bed.cluster.version)}, "items": [thing], "kind": "PodList",
               "more": {"items": [{"metadata": {"name": "no"}}], "metadata": {"continue": "x"}}}
    orders_of = (["metadata", "items", "kind", "more"], ["items", "more", "metadata"], ["more", "metadata", "items"])
    for number, names in enumerate(orders_of):
        body = json.dumps({name: members[name] for name in names}, indent=number or None)
        bed.script(f"list pods: file {bed.path(f'body{number}', body)}")
        watcher = bed.watch()
        bed.settle(watcher)
        bed.used()
        watcher.end()


@case("a list whose objects come twice, or are no objects: the others count")
def odd_items(bed):
    bed.pods("a", "b")
    thing = {name: bed.cluster.objects["pods"][("web", name)] for name in ("a", "b")}
    items = [thing["a"], {}, {"metadata": {}}, {"metadata": None}, {"metadata": {"name": 7}}, thing["b"], thing["a"]]
    body = {"kind": "PodList", "metadata": {"resourceVersion": str(bed.cluster.version)}, "items": items}
    bed.script(f"list pods: file {bed.path('body', json.dumps(body))}")
    watcher = bed.watch()
    bed.until(watcher, watcher.synced, "it has a list")
    bed.equal({key: version for key, version in watcher.known().items() if key[0]},
              {key: value["metadata"]["resourceVersion"] for key, value in bed.cluster.objects["pods"].items()},
              "the objects that are some")
    bed.equal(len(bed.requests("list")), 1, "lists")


@case("a thousand pods in pages, while others come, change and go between the pages")
def thousand(bed):
    bed.pods(*[f"p{number:04}" for number in range(1000)])

    def change(request):
        if request.verb == "continue":
            number = len(bed.requests("continue"))
            bed.cluster.delete("pods", "web", f"p{number:04}")  # of a page that was
            bed.cluster.delete("pods", "web", f"p{999 - number:04}")  # of one to come
            bed.pods(f"p{500 + number:04}", f"new{number}", labels={"n": str(number)})

    bed.server.on_request = change
    watcher = bed.watch(page=100)
    bed.settle(watcher)
    bed.equal(len(bed.requests("continue")), 9, "later pages")
    bed.equal(len(bed.requests("list")), 1, "lists")
    bed.equal(len(watcher.names()), 991, "the pods")
    bed.equal(bed.server.accepted, 1, "connections")
    bed.equal({request.query.get("limit") for request in bed.requests("list") + bed.requests("continue")}, {"100"},
              "what a page is to hold")
    bed.check("resourceVersion" not in bed.requests("list")[0].query, "a list that is not of the server's cache")


@case("a thousand pods in pages, and a compaction between two of them")
def thousand_compacted(bed):
    bed.pods(*[f"p{number:04}" for number in range(1000)])

    def compact_once(request):
        if request.verb == "continue" and len(bed.requests("continue")) == 4:
            bed.cluster.delete("pods", "web", "p0001")
            bed.cluster.compact()

    bed.server.on_request = compact_once
    watcher = bed.watch(page=100)
    bed.settle(watcher)
    bed.equal(len(watcher.names()), 999, "the pods")
    bed.equal(len(bed.requests("list")), 2, "lists")


@case("a cluster that is taken back to a backup: versions that are not yet make a list")
def restored(bed):
    bed.pods("a", "b")
    watcher = bed.watch(backoff="10-40")
    bed.settle(watcher)
    again = bed.server.down(bed.listener)
    bed.cluster.delete("pods", "web", "a")
    bed.cluster.restore(500)
    again.begin()
    bed.settle(watcher)
    bed.equal([str(request) for request in bed.server.early()], [], "requests before their Retry-After")
    bed.pods("c")
    bed.settle(watcher)
    bed.equal(watcher.names(), ["b", "c"], "the pods")


@case("connection refused, then the server is up")
def refused(bed):
    bed.pods("a")
    bed.listener = bed.server.listen("good", begin=False)
    watcher = bed.watch()
    bed.until(watcher, lambda: watcher.tries() >= 3, "it has tried three times")
    bed.check(not watcher.synced(), "it has no list")
    bed.listener.begin()
    bed.settle(watcher)


@case("the server is killed and comes back, five times: each time all is as it was")
def restarts(bed):
    bed.pods("a", "b")
    watcher = bed.watch("pods", "namespaces")
    for number in range(5):
        bed.settle(watcher)
        bed.settle(watcher, "namespaces")
        bed.listener = bed.server.down(bed.listener)
        bed.pods(f"during{number}")
        bed.listener.begin()
    bed.settle(watcher)
    bed.equal(watcher.stores["pods"].pruned, [], "what was removed")
    bed.equal(len(bed.requests("list")), 1, "lists of pods")


@case("a fault of one resource does not hold up the others")
def independent(bed):
    bed.script("always any pods: status 500\nalways any namespaces: silence\nalways any bindpolicies: reset")
    bed.cluster.put("clusterbindpolicies", objects.cluster_policy("edge"))
    watcher = bed.watch("pods", "namespaces", "bindpolicies", "clusterbindpolicies")
    bed.settle(watcher, "clusterbindpolicies")
    bed.asked(lambda: len(bed.requests("list")) >= 3, "three lists of pods")
    bed.cluster.put("clusterbindpolicies", objects.cluster_policy("node"))
    bed.settle(watcher, "clusterbindpolicies")
    bed.equal([name for name in watcher.stores if watcher.synced(name)], ["clusterbindpolicies"], "what is known")
