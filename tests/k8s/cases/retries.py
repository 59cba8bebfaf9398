# SPDX-License-Identifier: GPL-2.0-or-later
"""When it asks again: not before the server wants it to, less and less often, and not all at once. The server counts
what came too early; that something took long proves nothing."""

import re

from bed import case

# Without Retry-After it would have asked again long before.
HASTY = "10-40"


def patient(bed, script, **options):
    """After the script the client is well, and was never early."""
    bed.pods("a")
    bed.script(script)
    watcher = bed.watch(**{"backoff": HASTY} | options)
    bed.used()
    bed.settle(watcher)
    bed.equal([str(request) for request in bed.server.early()], [], "requests before their Retry-After")
    return watcher


@case("429 with Retry-After on a list: no request before that")
def busy(bed):
    patient(bed, "2 times list pods: status 429 retry=1")
    bed.equal([request.status for request in bed.requests("list")], [429, 429, 200], "the lists")


@case("503 with Retry-After on a list: no request before that")
def unavailable(bed):
    patient(bed, "list pods: status 503 retry=1 text")


@case("429 and 503 with Retry-After on a watch: no request before that")
def busy_watch(bed):
    patient(bed, "watch pods: status 429 retry=1\nwatch pods: status 503 retry=1")
    bed.equal(len(bed.requests("list")), 1, "lists: the watch goes on from where it was")


@case("429 with Retry-After on a list's later page: no request before that, nothing removed")
def busy_page(bed):
    bed.pods("a", "b", "c")
    patient(bed, "continue pods: status 429 retry=1", page=1)


@case("500 and 503 without Retry-After: it tries again by itself")
def internal(bed):
    patient(bed, "2 times list pods: status 500\nlist pods: status 503")
    bed.script("watch pods: status 500\nwatch pods: status 502 html")
    bed.server.drop()
    bed.used()
    bed.settle(bed.watchers[0])


@case("504 with resourceVersion too large: the server is behind; no request before its Retry-After, then it goes on")
def too_large(bed):
    message = "'message=Timeout: Too large resource version: 99999999, current: 257'"
    patient(bed, f"watch pods: status 504 retry=1 reason=Timeout {message}\nlist pods: status 504 retry=1 {message}")


@case("ERROR events of a server that is busy: their retryAfterSeconds count")
def busy_event(bed):
    patient(bed, "watch pods: error 429 retry=1\nwatch pods: error 503 retry=1")


@case("ERROR events of other kinds: it goes on, by a list if need be")
def other_events(bed):
    steps = [f"watch pods: error {code}" for code in (500, 504, 400, 403, 0, 999)]
    patient(bed, "\n".join(steps))


@case("a Retry-After that is absurd counts for at most what the client allows")
def absurd(bed):
    bed.pods("a")
    bed.script("list pods: status 429 odd-retry=1000000000\nlist pods: status 503 odd-retry=99999999999999999999999\n")
    watcher = bed.watch(backoff=HASTY, retry_most=300)
    bed.used()
    bed.settle(watcher)


@case("a Retry-After that is none (a date that was, words, less than nothing) leaves the client its own wait")
def malformed(bed):
    bed.pods("a")
    for value in ("'Wed, 21 Oct 2015 07:28:00 GMT'", "soon", "-5", "0", "''"):
        bed.script(f"list pods: status 503 odd-retry={value}")
    watcher = bed.watch(backoff=HASTY)
    bed.used()
    bed.settle(watcher)


def gaps(bed, seed, count):
    """The waits between `count` tries that all fail, as the server saw them."""
    bed.script("always list pods: status 500")
    bed.watch(backoff="40-320", seed=seed)
    bed.asked(lambda: len(bed.requests("list")) > count, f"{count} tries")
    times = [request.at for request in bed.requests("list")]
    return [later - sooner for sooner, later in zip(times, times[1 : count + 1])]


@case("waits grow from the first to the longest")
def growing(bed):
    found = gaps(bed, 1, 7)
    # The least that each may be: 40 ms, then twice as long each time, and never more than 320 is wanted.
    for number, least in enumerate((40, 80, 160, 160, 160, 160)):
        bed.check(found[number] * 1000 >= least - 2, f"wait {number + 1} is {found[number] * 1000:.0f} ms, not {least}")


@case("waits differ by chance from each other and from node to node")
def jitter(bed):
    bed.script("always list pods: status 500")
    # The first wait is said at once, and is not waited for.
    watchers = [bed.watch(backoff="20000-60000", seed=seed) for seed in range(8)]
    for watcher in watchers:
        bed.until(watcher, watcher.tries, "it says how long it waits")
    said = {waits(watcher)[0] for watcher in watchers}
    bed.check(len(said) >= 6, f"eight nodes wait differently: {sorted(said)}")
    bed.check(max(said) - min(said) >= 5, f"they are spread: {sorted(said)}")


def waits(watcher):
    """How long it said, each time, that it would wait, in seconds."""
    return [float(wait) for wait in re.findall(r"trying again in ([0-9.]+) s", watcher.notes())]


@case("a success takes the waits back to the first")
def reset(bed):
    bed.pods("a")
    bed.script("5 times list pods: status 500")
    watcher = bed.watch(backoff="50-5000")
    bed.used()
    bed.settle(watcher)
    bed.pods("b")
    bed.settle(watcher)
    bed.script("2 times watch pods: status 500")
    bed.server.drop()
    bed.used()
    bed.settle(watcher)
    said = waits(watcher)
    bed.equal(len(said), 7, "waits")
    # A watch that was short counts as one that failed: the second, then.
    bed.check(said[4] >= 0.8 and said[5] <= 0.21, f"the sixth wait is as short as the first: {said}")


@case("watches that end as soon as they begin do not make it ask without pause")
def hasty(bed):
    bed.pods("a")
    bed.script("always watch pods: end")
    bed.watch(backoff="50-200")
    bed.asked(lambda: len(bed.requests("watch")) >= 6, "six watches")
    times = [request.at for request in bed.requests("watch")]
    least = min(later - sooner for sooner, later in zip(times[1:], times[2:]))
    bed.check(least * 1000 >= 45, f"two watches are {least * 1000:.0f} ms apart")
