# SPDX-License-Identifier: GPL-2.0-or-later
"""What is in a reply: objects that cannot be read are named and left out, all others are kept; what is no list and no
watch is refused whole. Whatever comes, memory stays small."""

import json
import os
import random

from bed import case, whole_and_part
from fake import objects
from fake.cluster import text_of
from watching import LEAN

MOST = 20000  # bytes that an object may have here
SMALL = 32 * 1024  # KiB of memory; with the sanitizers the program alone has 22


def event(kind, thing):
    return text_of({"type": kind, "object": {"kind": "Pod", "apiVersion": "v1"} | thing}) + b"\n"


def pod(bed, name, version=None, **labels):
    thing = objects.pod("web", name, labels=labels)
    thing["metadata"]["resourceVersion"] = str(version or bed.cluster.version)
    return thing


def damaged(bed, keep, thing, why, **options):
    """An object, as bytes, stands between two good ones: first in a list, then in a watch. The good ones are kept, the
    bad one is named, and the old version of it is not taken for the present one."""
    bed.pods("a", "bad", "c")
    good = [text_of(pod(bed, name)) for name in ("a", "c")]
    head = b'{"kind":"PodList","metadata":{"resourceVersion":"%d"},"items":[' % bed.cluster.version
    body = head + b",".join([good[0], thing, good[1]]) + b"]}"
    bed.script(f"list pods: file {bed.path('list', body)}")
    piece = b'{"type":"MODIFIED","object":%s}\n' % thing
    bed.script(f"watch pods: file {bed.path('watch', event('MODIFIED', pod(bed, 'a', 9001)) + piece)} ; end")
    bed.script("watch pods: silence")
    watcher = bed.watch(environment=LEAN, keep=keep, **({"max_object": MOST} | options))
    store = watcher.stores["pods"]
    bed.asked(lambda: len(bed.requests("watch")) >= 2, "a watch after the one with the bad object")
    bed.equal(watcher.names(), ["a", "c"], "the objects that could be read")
    bed.equal(list(store.unreadable), [("web", "bad")], "those that could not")
    bed.check(why in store.unreadable[("web", "bad")], f"it says '{why}', not '{store.unreadable[('web', 'bad')]}'")
    bed.equal(len(watcher.said("UNREADABLE")), 2, "how often it said so")
    bed.equal(len(bed.requests("list")), 1, "lists")
    bed.equal(bed.requests("watch")[1].query["resourceVersion"], "9002", "the next watch does not get it again")
    bed.check(watcher.memory() < SMALL, f"it has {watcher.memory()} KiB")


def garble(dice, text):
    """With some bytes changed, left out, doubled, or moved."""
    data = bytearray(text)
    for _ in range(dice.choice((1, 1, 2, 5, 20))):
        place, size = dice.randrange(len(data)), dice.choice((1, 1, 1, 4, 60))
        what = dice.randrange(4)
        if what == 0:
            data[place] = dice.choice(b'{}[]",:\\ \n\x00\xff0e-tn')
        elif what == 1:
            del data[place : place + size]
        elif what == 2:
            data[place:place] = data[place : place + size]
        else:
            data[place:place] = bytes(dice.randrange(256) for _ in range(size))
    return bytes(data)


@whole_and_part("an object that is too large is named and left out, others are kept")
def oversized(bed, keep):
    damaged(bed, keep, text_of(pod(bed, "bad", 9002, filler="x" * MOST)), "too large")


@whole_and_part("an object of 15 MB: what is too large is not in memory as a whole")
def huge(bed, keep):
    damaged(bed, keep, text_of(pod(bed, "bad", 9002, filler="x" * 15_000_000)), "too large", silence=60000)


@case("an object of 3 MB, of which little is wanted, is kept, and costs little")
def little_wanted(bed):
    bed.pods("a", "b")
    variables = [{"name": f"NAME{number}", "value": "x"} for number in range(100_000)]
    bed.cluster.put("pods", objects.pod("web", "large", containers=[{"name": "c", "env": variables}]))
    watcher = bed.watch(environment=LEAN)
    bed.settle(watcher)
    bed.equal(watcher.names(), ["a", "b", "large"], "the pods")
    bed.check(watcher.memory() < SMALL, f"it has {watcher.memory()} KiB")
    watcher = bed.watch(keep=())
    bed.until(watcher, watcher.synced, "it has a list")
    bed.equal(watcher.names(), ["a", "b"], "what is read whole may not be so large")
    bed.equal(watcher.stores["pods"].unreadable, {("web", "large"): "too large"}, "what could not be read")


@case("an object that has just the size that is allowed is kept")
def just_fits(bed):
    bed.pods("a")
    thing = bed.cluster.objects["pods"][("web", "a")]
    size = len(text_of(thing)) - len(text_of({"kind": "Pod", "apiVersion": "v1"})) + 1
    for most, known in ((size, 1), (size - 1, 0)):
        watcher = bed.watch(max_object=most)
        bed.until(watcher, watcher.synced, "it has a list")
        bed.equal(len(watcher.known()), known, f"objects with at most {most} bytes")
        bed.equal(len(watcher.said("UNREADABLE")), 1 - known, "objects that could not be read")
        watcher.end()


def no_utf8(word):
    def function(bed, keep):
        text = text_of(pod(bed, "bad", 9002, label="WORD")).replace(b"WORD", word)
        damaged(bed, keep, text, "not UTF-8")

    whole_and_part(f"bytes that are no UTF-8 ({word.hex()}): the object is named and left out")(function)


for wrong in (b"\xff", b"\xc3(", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xc0\xaf", b"\xe2\x82"):
    no_utf8(wrong)


@whole_and_part("a nesting bomb: the object is named and left out")
def bomb(bed, keep):
    text = text_of(pod(bed, "bad", 9002, label="WORD"))
    deep = text.replace(b'"WORD"', b"[" * 8000 + b"]" * 8000)
    damaged(bed, keep, deep, "")


@whole_and_part("a nesting bomb of millions of brackets, around objects or in none, and without an end")
def endless_bomb(bed, keep):
    bed.pods("a")
    bombs = (
        b"[" * 4_000_000,
        b'{"a":' * 1_000_000,
        b'{"items":[' + b'{"a":[' * 1_000_000,
        b'{"metadata":' + b"[" * 4_000_000,
    )
    for number, text in enumerate(bombs):
        bed.script(f"list pods: file {bed.path(f'bomb{number}', text)} length=+1")
        bed.script(f"watch pods: file {bed.path(f'bomb{number}')} ; end")
    watcher = bed.watch(environment=LEAN, keep=keep, max_object=MOST, backoff="10-40")
    bed.used()
    bed.settle(watcher)
    bed.check(watcher.memory() < SMALL, f"it has {watcher.memory()} KiB")


@case("replies that are no JSON, or not all of it: none is taken, the next good one is")
def no_json(bed):
    bed.pods("a")
    whole = '{"metadata":{"resourceVersion":"1"},"items":[]}'
    texts = ["hello", "404 page not found\n", "{", "}", '{"items":[}', "{]", '"\\', "nul", "\x00\x00\x00", "<xml/>"]
    texts += [whole + "}", whole + "{}", whole[:-1], "\ufeff" + whole]
    texts += [whole.replace('"1"', "1"), whole.replace('"', "'")]
    for number, text in enumerate(texts):
        bed.script(f"list pods: file {bed.path(f'text{number}', text)}")
    watcher = bed.watch(backoff="5-20")
    bed.used()
    bed.settle(watcher)
    bed.equal(len(bed.requests("list")), len(texts) + 1, "lists")
    bed.equal(len(watcher.said("LIST-END")), 1, "lists that were complete")


@case("a watch that is no JSON, or whose events make no sense: nothing is lost, it goes on")
def no_events(bed):
    bed.pods("a", "b")
    texts = ("hello", "[]", '"x"', "7", "null", "{}", '{"type":"ADDED"}', '{"type":"ADDED","object":null}', "}{",
             '{"type":"ADDED","object":[]}', '{"type":7,"object":{}}', '{"object":{"metadata":{"name":"x"}}}',
             '{"type":"FLOWN","object":{"metadata":{"name":"x"}}}', '{"type":"BOOKMARK","object":{}}',
             '{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":""}}}',
             '{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":7}}}',
             '{"type":"ERROR","object":{}}', '{"type":"ERROR"}', '{"type":"ERROR","object":{"code":"410"}}',
             '{"kind":"PodList","metadata":{"resourceVersion":"1"},"items":[]}')
    watcher = bed.watch(backoff="5-20")
    bed.settle(watcher)
    for number, text in enumerate(texts):
        bed.script(f"watch pods: file {bed.path(f'text{number}', text)} ; end")
    bed.server.drop()
    bed.used()
    bed.pods("b")
    bed.settle(watcher)
    store = watcher.stores["pods"]
    bed.equal((watcher.said("GONE"), store.pruned), ([], []), "what was removed")
    bed.equal(watcher.names(), ["a", "b"], "what is there")


@case("a page of HTML with status 200, from something between us and the server")
def html(bed):
    bed.pods("a", "b")
    watcher = bed.watch(backoff="5-20")
    bed.settle(watcher)
    bed.script("watch pods: status 200 html\nlist pods: status 200 html\nlist pods: status 200 text")
    bed.server.drop()
    bed.used()
    bed.settle(watcher)
    bed.equal(watcher.stores["pods"].pruned, [], "what was removed")


@whole_and_part("bytes garbled by chance, in lists and watches: nothing breaks, and the next good list puts all right")
def garbled(bed, keep):
    seed = int(os.environ.get("BINDCTL_FAULTS_SEED", "1"))
    dice = random.Random(seed)
    bed.pods("a", "b", "c")
    whole = text_of(bed.cluster.page("pods", {}))
    events = b"".join(event("MODIFIED", pod(bed, name)) for name in "abc")
    for number in range(150):
        for verb, text, behind in (("list", whole, ""), ("watch", events, " ; end")):
            bed.script(f"{verb} pods: file {bed.path(f'{verb}{number}', garble(dice, text))}{behind}")
    bed.listener = bed.server.listen()
    watcher = bed.watch(backoff="1-2", keep=keep, max_object=MOST)
    bed.asked(lambda: len(bed.server.script.left()) < 150, f"half of the script, with seed {seed}")
    bed.server.script.clear()
    bed.cluster.compact()
    bed.script("any pods: status 410")
    bed.server.drop()
    bed.settle(watcher)


@case("odd JSON that is JSON: escapes, numbers, members twice, blanks everywhere")
def odd_json(bed):
    bed.pods("a")
    version = bed.cluster.version
    text = r"""
      { "kind" : "PodList" , "metadata" : { "resourceVersion" : "%d" , "selfLink" : "[{\"\\\\\"}]" } , "items" : [
        { "metadata" : { "name" : "\u0061", "namespace" : "web", "resourceVersion" : "%d",
          "labels" : { "x" : "}]\\\"{[", "y" : "\ud83d\ude00", "z" : "\/" },
          "big" : [ 123456789012345678901234567890, -1e400, 0.1e-5, true, false, null, {}, [] , "" ] } } ] }
    """ % (version, version)
    bed.script(f"list pods: file {bed.path('list', text)}")
    watcher = bed.watch()
    bed.used()
    bed.settle(watcher)


@case("a string without an end, of 60 MB, in a list and in a watch: memory stays small")
def endless_string(bed):
    bed.pods("a")
    heads = [b'{"metadata":{"resourceVersion":"1', b'{"items":[{"metadata":{"name":"', b'{"kind":"']
    heads.append(b'{"metadata":{"continue":"')
    for number, text in enumerate(heads):
        bed.script(f"list pods: file {bed.path(f'text{number}', text + b'x' * 15_000_000)} length=+1")
    event_head = b'{"type":"ADDED","object":{"x":"'
    bed.script(f"watch pods: file {bed.path('event', event_head + b'x' * 15_000_000)} ; end")
    watcher = bed.watch(environment=LEAN, max_object=MOST, backoff="5-20", silence=60000)
    bed.used()
    bed.settle(watcher)
    bed.check(watcher.memory() < SMALL, f"it has {watcher.memory()} KiB")


@case("a Status that is malformed, hostile or endless, for the body of an error: one printable line is said")
def hostile_status(bed):
    bed.pods("a")
    message = "line\nline\x1b[31m\x07\u202e\ud800 end pods 1"
    texts = (
        json.dumps({"kind": "Status", "message": message, "reason": ["x"], "code": "1", "details": 7}).encode(),
        json.dumps({"message": message}, ensure_ascii=False).encode("utf-8", "surrogatepass"),
        b'{"message":"' + b"x" * 3_000_000 + b'"}',
        b"[" * 100000,
        b"\xff\xfe\x00",
        b'{"message":{"a":1},"details":{"retryAfterSeconds":-9}}',
        b"\x1b[2Jnot JSON\npods SET web/forged 1\n",
    )
    for number, text in enumerate(texts):
        bed.script(f"list pods: file {bed.path(f'text{number}', text)} code=500")
    watcher = bed.watch(backoff="5-20")
    bed.used()
    bed.settle(watcher)
    bed.check(all(line.isprintable() for line in watcher.lines), f"every line is printable: {watcher.lines}")
    bed.equal(watcher.names(), ["a"], "no line is forged")
