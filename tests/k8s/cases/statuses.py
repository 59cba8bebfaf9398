# SPDX-License-Identifier: GPL-2.0-or-later
"""Replies that say no: the client says why, loses nothing, and is there again when the server is."""

from bed import case


def expired(bed, step, removed=("b",)):
    """A watch that ends well, then `step` for the next, while something goes that only a list can show."""
    bed.pods("a", "b")
    bed.script(f"watch pods: follow 1\n{step}")
    watcher = bed.watch()
    bed.asked(lambda: bed.requests("watch"), "the first watch")
    # Nobody is told: the pod is missing in the next list, and in no watch.
    del bed.cluster.objects["pods"][("web", "b")]
    bed.pods("c")
    bed.used()
    bed.settle(watcher)
    bed.equal(sorted(name for _, name in watcher.stores["pods"].pruned), list(removed), "what the second list removed")
    bed.equal(len(bed.requests("list")), 2, "lists")
    bed.equal(watcher.said("GONE"), [], "what was said to be gone by a watch")
    watcher.end()
    bed.equal(watcher.stats().get("expired"), "1", "how often it had expired")


@case("410 as the status of a watch: it lists anew")
def gone_status(bed):
    expired(bed, "watch pods: status 410")


@case("410 as an ERROR event in a reply with 200: it lists anew")
def gone_event(bed):
    expired(bed, "watch pods: error 410")


@case("410 as an ERROR event behind others: these count, then it lists anew")
def gone_later(bed):
    expired(bed, "watch pods: event ADDED web/extra ; bookmark ; error 410 ; silence", ("b", "extra"))


@case("410 after a compaction while the client was away")
def compaction(bed):
    bed.pods("a", "b")
    watcher = bed.watch()
    bed.settle(watcher)
    again = bed.server.down(bed.listener)
    bed.cluster.delete("pods", "web", "a")
    bed.pods("b", "c")
    bed.cluster.compact()
    again.begin()
    bed.settle(watcher)
    bed.equal(watcher.names(), ["b", "c"], "the pods")
    asked = [request.verb for request in bed.requests(None)]
    bed.equal(asked, ["list", "watch", "watch", "list", "watch"], "what it asked")


@case("410 on a list's later page: the list begins anew, from its first page")
def gone_page(bed):
    bed.pods("a", "b", "c", "d", "e")
    bed.script("continue pods: list\ncontinue pods: status 410")
    watcher = bed.watch(page=2)
    bed.settle(watcher)
    asked = [request.verb for request in bed.requests(None)]
    bed.equal(asked[:4], ["list", "continue", "continue", "list"], "what it asked")
    tokens = [request.query["continue"] for request in bed.requests("continue")]
    bed.check(tokens[1] not in tokens[2:], "the token that has expired is not used again")
    bed.equal(len(watcher.said("LIST-END")), 1, "lists that were complete")


@case("410 on a list's later page after a compaction: what that page offers, an inconsistent rest, is not taken")
def gone_inconsistent(bed):
    bed.pods("a", "b", "c", "d")

    def compact_once(request):
        if request.verb == "continue" and len(bed.requests("continue")) == 1:
            bed.cluster.delete("pods", "web", "a")
            bed.cluster.compact()

    bed.server.on_request = compact_once
    watcher = bed.watch(page=2)
    bed.settle(watcher)
    bed.equal(watcher.names(), ["b", "c", "d"], "the pods")
    bed.equal([request.verb for request in bed.requests(None)][:3], ["list", "continue", "list"], "what it asked")


@case("401, then a new token in the file: it is taken without a restart, and nothing is lost meanwhile")
def token(bed):
    bed.pods("a")
    bed.server.tokens = {"old"}
    watcher = bed.watch(token_file=bed.path("token", "old\n"))
    bed.settle(watcher)
    bed.server.tokens = {"new"}
    again = bed.server.down(bed.listener)
    again.begin()
    bed.asked(lambda: sum(request.status == 401 for request in bed.requests(None)) >= 2, "twice with the old token")
    bed.equal(watcher.names(), ["a"], "the pods while it is refused")
    bed.check("401" in watcher.notes(), "a note has the status")
    bed.path("token", "new\n")
    bed.pods("b")
    bed.settle(watcher)
    used = [request.authorization for request in bed.requests(None)]
    bed.equal(sorted(set(used)), ["Bearer new", "Bearer old"], "what it showed")
    bed.check(used.index("Bearer new") == used.count("Bearer old"), "the old token is not used again")
    bed.equal(len(bed.requests("list")), 1, "lists: the watch goes on from where it was")


@case("a token that is replaced while it still holds is used from the next request on")
def rotation(bed):
    bed.pods("a")
    watcher = bed.watch(token_file=bed.path("token", "old"))
    bed.settle(watcher)
    # A request of which nothing has come back libcurl sends again by itself, as it was.
    bed.pods("a")
    bed.settle(watcher)
    bed.path("token", "new")
    bed.server.drop()
    bed.asked(lambda: len(bed.requests("watch")) >= 2, "a second watch")
    bed.settle(watcher)
    bed.equal({request.authorization for request in bed.requests(None)[2:]}, {"Bearer new"}, "what it showed then")


@case("a token's file that is missing or empty for a while: no request without a token, then it goes on")
def no_token(bed):
    bed.pods("a")
    watcher = bed.watch(token_file=bed.path("token", ""), backoff="20-100")
    bed.until(watcher, lambda: watcher.tries() >= 2, "it says so more than once")
    bed.equal(len(bed.server.seen()), 0, "requests without a token")
    bed.path("token", "late")
    bed.settle(watcher)


@case("403: it says what the server says, tries again, and other resources are not held up")
def forbidden(bed):
    bed.pods("a")
    sentence = "pods is forbidden: User x cannot list resource"
    bed.script(f"4 times list pods: status 403 'message={sentence}'")
    watcher = bed.watch("pods", "bindpolicies")
    bed.settle(watcher, "bindpolicies")
    bed.used()
    bed.settle(watcher)
    bed.check("403" in watcher.notes() and sentence in watcher.notes(), "a note has the status and the sentence")


@case("403 on a watch after the list: what is known stays")
def forbidden_watch(bed):
    bed.pods("a", "b")
    bed.script("3 times watch pods: status 403")
    watcher = bed.watch()
    bed.settle(watcher)
    bed.equal((watcher.said("GONE"), watcher.stores["pods"].pruned), ([], []), "what was removed")
    bed.equal(len(bed.requests("list")), 1, "lists: the watch goes on from where it was")


@case("404: the resource is not installed, later it is")
def not_installed(bed):
    bed.cluster.install("pods", "namespaces")
    bed.pods("a")
    watcher = bed.watch("pods", "namespaces", "bindpolicies", "clusterbindpolicies")
    bed.settle(watcher)
    bed.settle(watcher, "namespaces")
    bed.asked(lambda: len(bed.requests("list", "bindpolicies")) >= 3, "three lists of what is not there")
    bed.check(not watcher.synced("bindpolicies"), "404 is not an empty list")
    bed.check("404" in watcher.notes("bindpolicies"), "a note has the status")
    bed.cluster.install("pods", "namespaces", "bindpolicies", "clusterbindpolicies")
    bed.settle(watcher, "bindpolicies")
    bed.settle(watcher, "clusterbindpolicies")


@case("404 of what was installed: nothing is removed until a list says so")
def uninstalled(bed):
    bed.pods("a", "b")
    watcher = bed.watch()
    bed.settle(watcher)
    bed.cluster.install()
    bed.server.drop()
    bed.asked(lambda: sum(request.status == 404 for request in bed.requests(None)) >= 3, "it has tried three times")
    bed.equal(watcher.names(), ["a", "b"], "the pods while there are none")
    bed.cluster.delete("pods", "web", "a")
    bed.cluster.compact()
    bed.cluster.install("pods")
    bed.settle(watcher)
    bed.equal(watcher.names(), ["b"], "the pods")


@case("every other status: none is taken for a list, not even those that sound well")
def others(bed):
    codes = [201, 202, 203, 204, 205, 206, 300, 304, 400, 402, 405, 406, 409, 413, 422, 451, 500, 501, 502, 505, 599]
    bed.pods("a")
    for code in codes:
        bed.script(f"list pods: status {code}")
    watcher = bed.watch(backoff="5-20")
    bed.used()
    bed.settle(watcher)
    bed.equal([request.status for request in bed.requests("list")], codes + [200], "the statuses")
    bed.equal((len(watcher.said("LIST-BEGIN")), len(watcher.said("LIST-END"))), (1, 1), "lists that began, and ended")
    watcher.end()
    bed.equal(watcher.stats().get("lists"), "1", "lists that were complete")
