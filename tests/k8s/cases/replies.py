# SPDX-License-Identifier: GPL-2.0-or-later
"""Replies whose HTTP is wrong."""

from bed import case


@case("a Content-Length that is larger or smaller than the body")
def lengths(bed):
    bed.pods("a", "b")
    bed.script("list pods: list length=-40\nlist pods: list length=-1\nlist pods: list length=+100000 part=0.6")
    watcher = bed.watch(backoff="10-40")
    bed.settle(watcher)
    bed.used()
    bed.equal(len(watcher.said("end")), 1, "lists that were complete")


@case("a Content-Length that is larger than a whole list, and then silence: it is not waited for without an end")
def too_long(bed):
    bed.pods("a", "b")
    bed.script("list pods: list length=+10 ; silence")
    watcher = bed.watch(silence=500)
    bed.settle(watcher)
    bed.used()


@case("headers without an end: it hangs up, and its memory stays small")
def endless_headers(bed):
    bed.pods("a")
    bed.script("list pods: endless\nwatch pods: endless")
    watcher = bed.watch(silence=1500)
    bed.settle(watcher)
    bed.used()
    bed.equal(sum(request.hung_up for request in bed.requests(None)), 2, "replies at which it hung up")
    bed.check(watcher.memory() < 60 * 1024, f"it has {watcher.memory()} KiB")


@case("interim replies without an end: it hangs up, and its memory stays small")
def endless_interim(bed):
    bed.pods("a")
    bed.script("list pods: endless 1xx")
    watcher = bed.watch(silence=1500)
    bed.settle(watcher)
    bed.used()
    bed.check(bed.requests("list")[0].hung_up, "it hung up")
    bed.check(watcher.memory() < 60 * 1024, f"it has {watcher.memory()} KiB")


@case("replies that are no HTTP, or HTTP of another kind")
def no_http(bed):
    bed.pods("a")
    for text in ("garbage\\r\\n\\r\\n", "HTTP/1.1\\r\\n\\r\\n", "HTTP/1.1 abc OK\\r\\n\\r\\n", "HTTP/1.1 200 OK\\r\\nContent-Length: -1\\r\\n\\r\\n{}",
                 "HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\nzz\\r\\n", "\\x00\\x00\\x12\\x04\\x00\\x00\\x00\\x00\\x00",
                 "HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\nffffffffffffffffff\\r\\n{",
                 "HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: h2c\\r\\n\\r\\n",
                 "HTTP/1.1 200 OK\\r\\nContent-Length: 99999999999999999999\\r\\n\\r\\n{}"):  # fmt: skip
        bed.script(f"list pods: bare '{text}' ; cut")
    watcher = bed.watch(backoff="5-20", silence=1000)
    bed.settle(watcher)
    bed.used()
    bed.equal(len(watcher.said("end")), 1, "lists that were complete")


@case("a body that says that it is compressed, which was not asked for")
def compressed(bed):
    bed.pods("a")
    body = "\\x1f\\x8b\\x08\\x00\\x00\\x00\\x00\\x00\\x00\\x03\\xab\\xae\\x05\\x00\\x43\\xbf\\xa6\\xa3\\x02\\x00\\x00\\x00"
    head = "HTTP/1.1 200 OK\\r\\nContent-Encoding: gzip\\r\\nContent-Length: 22\\r\\n\\r\\n"
    bed.script(f"list pods: bare '{head}{body}' ; cut")
    watcher = bed.watch()
    bed.settle(watcher)
    bed.used()
    bed.check(not any("gzip" in request.headers.get("Accept-Encoding", "") for request in bed.requests(None)), "it asks for none")


@case("a redirect to another host: it is not followed, and no credentials get there")
def redirect(bed):
    bed.pods("a")
    other = bed.server.listen("good")
    plain = bed.server.listen()
    for target in (f"https://localhost:{other.port}/api/v1/pods", f"http://127.0.0.1:{plain.port}/api/v1/pods", "/api/v1/pods", "file:///etc/passwd"):
        bed.script(f"list pods: redirect {target}\nwatch pods: redirect {target}")
    watcher = bed.watch(token_file=bed.path("token", "secret"), backoff="5-20")
    bed.settle(watcher)
    bed.used()
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


@case("a hundred connections are not left behind by a hundred faults")
def descriptors(bed):
    bed.pods("a")
    bed.script("50 times list pods: list part=0.5\n50 times watch pods: event ADDED web/a part=0.5 ; cut")
    watcher = bed.watch(backoff="1-4")
    bed.settle(watcher)
    bed.used()
    bed.check(watcher.descriptors() < 20, f"it has {watcher.descriptors()} descriptors")
