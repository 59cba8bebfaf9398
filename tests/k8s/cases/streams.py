# SPDX-License-Identifier: GPL-2.0-or-later
"""What happens to the connection of a watch, and to one that says nothing. An event that was cut is dropped, and comes
again, as the next watch goes on from the last one that was whole."""

import signal
import time

from bed import case


def versions(bed):
    return [request.query["resourceVersion"] for request in bed.requests("watch")]


def interrupted(bed, how, lists=1, **options):
    """A watch that gives an event, and then does `how` with another one; both pods end as they are."""
    bed.pods("a", "b")
    bed.script(f"watch pods: follow 1 ; {how}")
    watcher = bed.watch(**options)
    bed.asked(lambda: bed.requests("watch"), "the first watch")
    bed.pods("a")
    first = str(bed.cluster.version)
    bed.until(watcher, lambda: watcher.known().get(("web", "a")) == first, "it knows the first event")
    bed.pods("b")
    bed.used()
    bed.settle(watcher)
    bed.equal(len(bed.requests("list")), lists, "lists")
    bed.equal(versions(bed)[1], first, "the version that the second watch goes on from")
    bed.equal((watcher.said("GONE"), watcher.stores["pods"].pruned, watcher.stores["pods"].unreadable), ([], [], {}),
              "what was removed or could not be read")
    return watcher


@case("a watch that ends well: the next begins at once, from the last event, without a list")
def ended(bed):
    interrupted(bed, "end", backoff="100-200")


@case("a watch that is cut between two events")
def cut(bed):
    interrupted(bed, "cut")


@case("a watch that is cut in the middle of an object: the half is dropped")
def truncated(bed):
    watcher = interrupted(bed, "event MODIFIED web/b part=0.5 ; cut")
    watcher.end()
    bed.equal(watcher.stats().get("truncated"), "1", "how often it was truncated")


@case("a watch that ends well in the middle of an object: the half is dropped")
def half(bed):
    interrupted(bed, "event MODIFIED web/b part=0.9 ; end")


@case("a connection that is reset, between two events and in one")
def reset(bed):
    interrupted(bed, "event MODIFIED web/b part=0.3 ; reset")
    bed.script("watch pods: reset")
    bed.server.drop()
    bed.settle(bed.watchers[0])


@case("a chunk that is shorter than it says")
def chunk(bed):
    bed.pods("a")
    bed.script("watch pods: follow 1 ; bare 'ff\\r\\n{\"type\"' ; cut")
    bed.script("watch pods: follow 1 ; bare 'nonsense\\r\\n' ; silence")
    watcher = bed.watch()
    for _ in range(3):
        count = len(bed.requests("watch"))
        bed.asked(lambda count=count: len(bed.requests("watch")) >= max(count, 1), "a watch")
        bed.pods("a")
        version = str(bed.cluster.version)
        bed.until(watcher, lambda version=version: watcher.known().get(("web", "a")) == version, "it knows the event")
    bed.used()
    bed.settle(watcher)


@case("a server that takes a request and says nothing: it is given up, and asked again")
def silent(bed):
    bed.pods("a")
    bed.script("list pods: silence\nwatch pods: silence")
    watcher = bed.watch(silence=1000)
    bed.settle(watcher)
    first = [bed.requests("list")[0], bed.requests("watch")[0]]
    bed.asked(lambda: all(request.over for request in first), "the end of both")
    bed.equal([request.hung_up for request in first], [True, True], "who hung up")
    watcher.end()
    # On a machine that is busy a good reply may have been silent for that long, too.
    bed.check(int(watcher.stats().get("silent", 0)) >= 2, f"how often it was cut for that: {watcher.stats()}")


@case("a list that falls silent in its middle: it is given up, and nothing is removed")
def silent_list(bed):
    bed.pods("a", "b", "c")
    bed.script("list pods: partly 0.5 ; silence")
    watcher = bed.watch(silence=1000)
    bed.settle(watcher)
    bed.equal(len(watcher.said("LIST-END")), 1, "lists that were complete")


@case("a watch that says nothing for longer than it was asked to last: it is cut, and goes on from where it was")
def idle(bed):
    bed.pods("a", "b")
    bed.script("watch pods: bookmark 5001 ; silence\nwatch pods: silence")
    bed.watch(watch_seconds="1-1", grace=3000)
    # The server looks every 50 ms whether the client is still there.
    bed.asked(lambda: len(bed.requests("watch")) > 1 and bed.requests("watch")[0].over, "a second watch, the first over")
    watches = bed.requests("watch")
    bed.check(watches[0].hung_up, "the client has hung up")
    # It is asked to last a second, and is given three more, counted from before the server had the request.
    bed.check(watches[0].over - watches[0].at > 1.5, f"it was cut after {watches[0].over - watches[0].at:.3f} s")
    bed.equal(versions(bed)[1], "5001", "the version it goes on from")
    bed.equal(len(bed.requests("list")), 1, "lists")


@case("a client that was stopped, as on a node that slept, comes to know what it missed")
def slept(bed):
    bed.pods("a", "b")
    watcher = bed.watch(watch_seconds="1-1", grace=200, silence=1000)
    bed.settle(watcher)
    watcher.process.send_signal(signal.SIGSTOP)
    bed.cluster.delete("pods", "web", "a")
    bed.pods("b", "c")
    time.sleep(1.5)
    bed.pods("d")
    watcher.process.send_signal(signal.SIGCONT)
    bed.settle(watcher)
    bed.equal(watcher.names(), ["b", "c", "d"], "the pods")


@case("a watch that falls silent in the middle of an object")
def idle_half(bed):
    # Long enough for the event before.
    interrupted(bed, "event MODIFIED web/b part=0.5 ; silence", watch_seconds="5-5", grace=100)


@case("a server that takes a connection and never says a word of TLS")
def mute(bed):
    bed.pods("a")
    bed.script("connect: silence")
    watcher = bed.watch(silence=1000)
    bed.used()
    bed.settle(watcher)


@case("a server that speaks something else: no TLS")
def plain(bed):
    bed.pods("a")
    bed.script("connect: write 'SSH-2.0-OpenSSH_9.2\\r\\n' ; cut\nconnect: reset\nconnect: cut")
    watcher = bed.watch()
    bed.used()
    bed.settle(watcher)


@case("a slow drip: list and events arrive whole, each once")
def drip(bed):
    bed.pods("a", "b")
    bed.script("list pods: list slow=0.005")
    bed.script("watch pods: event MODIFIED web/a slow=0.005 ; event MODIFIED web/b slow=0.005 ; silence")
    watcher = bed.watch(silence=20000)
    bed.until(watcher, lambda: len(watcher.said("SET")) >= 4, "it knows both twice")
    time.sleep(0.1)
    bed.equal(len(watcher.said("SET")), 4, "objects that it was told of")
    bed.equal(len(bed.requests("list")), 1, "lists")


@case("bookmarks alone: they say where the next watch goes on")
def bookmarks(bed):
    bed.pods("a")
    bed.script("watch pods: bookmark 5001 ; bookmark 5002 ; pause 0.1 ; bookmark 5003 ; end")
    bed.script("watch pods: bookmark 5004 ; silence")
    watcher = bed.watch()
    bed.asked(lambda: len(bed.requests("watch")) >= 2, "a second watch")
    bed.equal(versions(bed)[1], "5003", "the version it goes on from")
    watches = bed.requests("watch")
    bed.equal({request.query.get("allowWatchBookmarks") for request in watches}, {"true"}, "that it wants them")
    bed.equal(watcher.said("SET"), ["web/a 1001"], "objects that it was told of")
    bed.equal(len(bed.requests("list")), 1, "lists")


@case("versions are words: one that is no number is given back as it was")
def opaque(bed):
    bed.pods("a")
    bed.script("watch pods: bookmark 'é &=?#%/+7' ; end\nwatch pods: silence")
    bed.watch()
    bed.asked(lambda: len(bed.requests("watch")) >= 2, "a second watch")
    bed.equal(versions(bed)[1], "é &=?#%/+7", "the version it goes on from")


@case("many events in one piece, and one event in many")
def pieces(bed):
    bed.pods(*[f"p{number}" for number in range(300)])
    watcher = bed.watch(page=1000)
    bed.settle(watcher)
    bed.script("watch pods: event MODIFIED web/p7 times=500 ; event MODIFIED web/p8 slow=0.002 ; end")
    bed.server.drop()

    def told(name):
        return sum(line.startswith(f"web/{name} ") for line in watcher.said("SET"))

    bed.until(watcher, lambda: told("p7") == 501 and told("p8") == 2, "it is told all of them")
    bed.settle(watcher)


@case("a watch with blank lines, and events without newlines between them")
def blanks(bed):
    bed.pods("a", "b")
    bed.script("watch pods: write '\\n\\r\\n \\t' ; event MODIFIED web/a ; write '\\n\\n' ; follow")
    watcher = bed.watch()
    bed.until(watcher, lambda: len(watcher.said("SET")) >= 3, "it knows the event")
    bed.pods("b")
    bed.settle(watcher)
    bed.equal(len(bed.requests(None)), 2, "requests")
