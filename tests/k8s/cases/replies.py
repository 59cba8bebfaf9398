# SPDX-License-Identifier: GPL-2.0-or-later
"""Replies whose HTTP is wrong."""

import gzip

from bed import case
from watching import LEAN


@case("a Content-Length that is larger or smaller than the body")
def lengths(bed):
    bed.pods("a", "b")
    bed.script("list pods: list length=-40\nlist pods: list length=-1\nlist pods: list length=+100000 part=0.6")
    watcher = bed.watch(backoff="10-40")
    bed.used()
    bed.settle(watcher)
    bed.equal(len(watcher.said("LIST-END")), 1, "lists that were complete")


@case("a Content-Length that is larger than a whole list, and then silence: it is not waited for without an end")
def too_long(bed):
    bed.pods("a", "b")
    bed.script("list pods: list length=+10 ; silence")
    watcher = bed.watch(silence=1000)
    bed.used()
    bed.settle(watcher)


@case("headers without an end: it hangs up, and its memory stays small")
def endless_headers(bed):
    bed.pods("a")
    bed.script("list pods: endless\nwatch pods: endless")
    watcher = bed.watch(environment=LEAN, silence=1500)
    bed.used()
    bed.settle(watcher)
    bed.asked(lambda: sum(request.hung_up for request in bed.requests(None)) >= 2, "two replies at which it hung up")
    bed.settle(watcher)
    bed.check(watcher.memory() < 32 * 1024, f"it has {watcher.memory()} KiB")


@case("interim replies without an end: it hangs up, and its memory stays small")
def endless_interim(bed):
    bed.pods("a")
    bed.script("list pods: endless 1xx")
    watcher = bed.watch(environment=LEAN, silence=1500)
    bed.used()
    bed.settle(watcher)
    bed.asked(lambda: bed.requests("list")[0].hung_up, "a reply at which it hung up")
    bed.check(watcher.memory() < 32 * 1024, f"it has {watcher.memory()} KiB")


@case("replies that are no HTTP, or HTTP of another kind")
def no_http(bed):
    bed.pods("a")
    good, chunked = "HTTP/1.1 200 OK\\r\\n", "HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n"
    texts = (
        "garbage\\r\\n\\r\\n",
        "HTTP/1.1\\r\\n\\r\\n",
        "HTTP/1.1 abc OK\\r\\n\\r\\n",
        "HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: h2c\\r\\n\\r\\n",
        "\\x00\\x00\\x12\\x04\\x00\\x00\\x00\\x00\\x00",
        good + "Content-Length: -1\\r\\n\\r\\n{}",
        good + "Content-Length: 99999999999999999999\\r\\n\\r\\n{}",
        good + "\\r\\n",
        chunked + "\\r\\nzz\\r\\n",
        chunked + "\\r\\nffffffffffffffffff\\r\\n{",
    )
    for text in texts:
        bed.script(f"list pods: bare '{text}' ; cut")
    watcher = bed.watch(backoff="5-20", silence=1000)
    bed.used()
    bed.settle(watcher)
    bed.equal(len(watcher.said("LIST-END")), 1, "lists that were complete")


@case("a body that says that it is compressed, which was not asked for")
def compressed(bed):
    bed.pods("a")
    whole = b'{"metadata":{"resourceVersion":"1"},"items":[]}'
    body = "".join(f"\\x{byte:02x}" for byte in gzip.compress(whole))
    bed.script(f"list pods: bare 'HTTP/1.1 200 OK\\r\\nContent-Encoding: gzip\\r\\n\\r\\n{body}' ; cut")
    watcher = bed.watch()
    bed.used()
    bed.settle(watcher)
    bed.equal({request.headers.get("Accept-Encoding") for request in bed.requests(None)}, {None}, "what it asks for")


@case("a redirect to another host: it is not followed, and no credentials get there")
def redirect(bed):
    bed.pods("a")
    other = bed.server.listen("good")
    plain = bed.server.listen()
    hosts = (f"https://localhost:{other.port}", f"http://127.0.0.1:{plain.port}", "", "file://")
    for target in [host + "/api/v1/pods" for host in hosts]:
        bed.script(f"list pods: redirect {target}\nwatch pods: redirect {target}")
    watcher = bed.watch(token_file=bed.path("token", "secret"), backoff="5-20")
    bed.used()
    bed.settle(watcher)
    bed.equal({request.port for request in bed.requests(None, None)}, {bed.listener.port}, "the ports that were asked")
    bed.check("302" in watcher.notes(), "a note has the status")


@case("the environment's proxies do not count")
def proxies(bed):
    bed.pods("a")
    proxy = bed.server.listen()
    names = ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY")
    watcher = bed.watch(environment={name: f"http://127.0.0.1:{proxy.port}" for name in names})
    bed.settle(watcher)
    bed.equal({request.port for request in bed.requests(None, None)}, {bed.listener.port}, "the ports that were asked")


@case("fifty faults leave no descriptor behind")
def descriptors(bed):
    bed.pods("a")
    bed.script("25 times list pods: list part=0.5\n25 times watch pods: event ADDED web/a part=0.5 ; cut")
    watcher = bed.watch(backoff="1-4")
    bed.used()
    bed.settle(watcher)
    bed.check(watcher.descriptors() < 15, f"it has {watcher.descriptors()} descriptors")
