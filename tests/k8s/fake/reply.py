# SPDX-License-Identifier: GPL-2.0-or-later
"""What can become of a request: the acts of a script.

    list [OPTION...]         the list, or the page of it, that was asked for
    partly SHARE             so much of it, and the reply goes on
    follow [N]               the watch that was asked for, as long as it was asked for, or for N events
    status CODE [OPTION...]  a Status; with html or text a page that is none; with retry=N a Retry-After
    file PATH [OPTION...]    a file's bytes as a reply with status 200, or as the next piece of a stream
    event TYPE NS/NAME [OPTION...]    an event of a watch, with the object as it is, or one made up
    bookmark [VERSION]       the event that says how far the watch is
    error CODE [OPTION...]   an ERROR event with a Status in it
    write TEXT, bare TEXT    bytes, with Python's escapes, as the next piece of a stream; without a chunk around them
    redirect URL             a 302
    endless [1xx]            headers without an end, or replies that say that the reply is still to come
    pause SECONDS, silence   nothing for so long, or until the client hangs up
    end, cut, reset          the last chunk; no last chunk; no last chunk, and RST

    OPTIONs: part=0.5 only the first half of it; slow=0.01 a few bytes at a time, so many seconds apart; length=+9 a
    Content-Length that is 9 too large; times=3 again and again; retry=, reason=, message=, code=; odd-retry= a
    Retry-After that nobody is held to; of an event NAME=VALUE a label."""

import select
import socket
import struct
import time
from http.client import responses

from fake import objects
from fake.cluster import KINDS, Refused, key_of, status_of, text_of

REASONS = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 410: "Expired",
           429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout"}
OPTIONS = ("part", "slow", "length", "times", "retry", "odd-retry", "code", "reason", "message")
HTML = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>{\"items\":[]}</body></html>\n"


class HungUp(Exception):
    """The client has closed the connection, or the server ends."""


def split_options(words):
    """Words without '=', options, and what else has a '=': labels."""
    plain = [word for word in words if "=" not in word]
    pairs = dict(word.split("=", 1) for word in words if "=" in word)
    options = {name: value for name, value in pairs.items() if name in OPTIONS}
    return plain, options, {name: value for name, value in pairs.items() if name not in OPTIONS}


class Reply:
    """One request's reply. What is under way in it is `request`, a listen.Request."""

    def __init__(self, server, connection, request=None):
        self.server, self.connection, self.request = server, connection, request
        self.started = self.ended = False
        self.keep = False  # the connection may be used again

    # Bytes

    def send(self, data, slow=0.0):
        step = max(1, len(data) // 40) if slow else len(data)
        for start in range(0, len(data), max(step, 1)):
            try:
                self.connection.sendall(data[start : start + step])
            except (OSError, ValueError):
                raise HungUp from None
            if slow:
                self.wait(slow)

    def wait(self, seconds=None):
        """Says nothing; raises HungUp when the client, which has nothing to say either, closes."""
        end = None if seconds is None else time.monotonic() + seconds
        while end is None or time.monotonic() < end:
            if self.server.stopping.is_set():
                raise HungUp
            left = 0.05 if end is None else max(0.0, min(0.05, end - time.monotonic()))
            try:
                if select.select([self.connection], [], [], left)[0] and not self.connection.recv(1):
                    raise HungUp
            except (OSError, ValueError):
                raise HungUp from None

    def head(self, code, headers, kind="application/json"):
        lines = [f"HTTP/1.1 {code} {responses.get(code, 'Odd')}", "Audit-Id: 0ba7e213-7827-456f-a3b1-3ed740acfa89",
                 "Cache-Control: no-cache, private", f"Content-Type: {kind}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.request.status = code
        self.server.tell()
        self.send("\r\n".join([*lines, "", ""]).encode("latin-1"))
        self.started = True

    def stream(self):
        if not self.started:
            self.head(200, {"Transfer-Encoding": "chunked"})

    def piece(self, data, slow=0.0):
        self.stream()
        if slow:  # a chunk for each of them, as a server that flushes
            step = max(1, len(data) // 40)
            for start in range(0, len(data), step):
                self.piece(data[start : start + step])
                self.wait(slow)
        elif data:
            self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def whole(self, data, options, code=200, headers=None, kind="application/json"):
        """A reply with a length, or in chunks if it is long, or what the options leave of it."""
        length = len(data) + int(options.get("length", "0"))
        chunks = len(data) > 4096 and "length" not in options
        data = data[: int(len(data) * float(options.get("part", "1")))]
        framing = {"Transfer-Encoding": "chunked"} if chunks else {"Content-Length": length}
        self.head(code, framing | (headers or {}), kind)
        if chunks:
            for start in range(0, len(data), 4096):
                self.piece(data[start : start + 4096], float(options.get("slow", "0")))
        else:
            self.send(data, float(options.get("slow", "0")))
        self.ended = True
        self.keep = "part" not in options and "length" not in options
        if chunks and self.keep:
            self.send(b"0\r\n\r\n")

    # Replies

    def refuse(self, status, headers=None):
        """As a good server does: a watch's refusals other than of who asks come in the stream."""
        if self.request.verb == "watch" and status["code"] == 410:
            self.piece(text_of({"type": "ERROR", "object": status}) + b"\n")
        else:
            retry = status.get("details", {}).get("retryAfterSeconds")
            self.later(retry)
            headers = (headers or {}) | ({"Retry-After": retry} if retry else {})
            self.whole(text_of(status), {}, status["code"], headers)

    def later(self, seconds):
        """From now on a request for this resource is early, until then."""
        if seconds is not None:
            self.server.not_before[self.request.resource] = time.monotonic() + float(seconds)

    def act_list(self, words):
        _, options, _ = split_options(words)
        try:
            page = self.server.cluster.page(self.request.resource, self.request.query)
        except Refused as refused:
            self.refuse(refused.status)
        else:
            self.whole(text_of(page), options)

    def act_status(self, words):
        plain, options, _ = split_options(words)
        code, retry = int(plain[0]), options.get("retry")
        headers = {} if retry is None else {"Retry-After": retry}
        self.later(retry)
        if "odd-retry" in options:  # one that is not to be kept
            headers["Retry-After"] = options["odd-retry"]
        if "html" in plain:
            return self.whole(HTML, options, code, headers, "text/html")
        if "text" in plain:
            return self.whole(b"404 page not found\n", options, code, headers, "text/plain; charset=utf-8")
        if code in (204, 304):  # they have no body
            return self.whole(b"", {}, code, headers)
        status = status_of(code, options.get("reason", REASONS.get(code)), options.get("message", "by the script"))
        return self.whole(text_of(status), options, code, headers)

    def act_file(self, words):
        plain, options, _ = split_options(words)
        with open(plain[0], "rb") as file:
            data = file.read()
        if self.request.verb != "watch":
            return self.whole(data, options, int(options.get("code", "200")))
        return self.piece(data[: int(len(data) * float(options.get("part", "1")))], float(options.get("slow", "0")))

    def act_redirect(self, words):
        self.whole(b"", {}, 302, {"Location": words[0]}, "text/html")

    def act_endless(self, words):
        self.request.status = 200
        self.server.tell()
        line = b"HTTP/1.1 102 Processing\r\nX-Filler: %s\r\n\r\n" if words else b"X-Filler: %s\r\n"
        self.send(b"" if words else b"HTTP/1.1 200 OK\r\n")
        while not self.server.stopping.is_set():
            self.send(line % (b"x" * 8000) * 8)

    # Streams

    def act_follow(self, words):
        asked = self.request.query
        since = asked.get("resourceVersion", "0")
        if not since.isdigit():
            return self.refuse(status_of(500, None, f"resourceVersion: Invalid value: {since}"))
        since, left = int(since), int(words[0]) if words else -1
        end = time.monotonic() + float(asked.get("timeoutSeconds", "1800"))
        found = over = False
        # It does not end before it has told all that there is, and where that ends.
        while left and (found or not over):
            over = time.monotonic() >= end
            try:
                now, found = self.server.cluster.events(self.request.resource, since, asked.get("fieldSelector"))
            except Refused as refused:
                return self.refuse(refused.status)
            self.stream()
            self.request.lasting = left < 0
            for since, kind, thing in found[: left if left > 0 else None]:
                self.piece(text_of({"type": kind, "object": thing}) + b"\n")
                left -= 1
            if self.server.bookmarks and not found and now > since and "allowWatchBookmarks" in asked:
                since = now
                self.act_bookmark([str(now)])
            self.wait(0.02)
        return None

    def act_event(self, words):
        plain, options, labels = split_options(words)
        namespace, _, name = plain[1].rpartition("/")
        key = (namespace, name)
        thing = self.server.cluster.objects[self.request.resource].get(key)
        if thing is None or labels:
            kind, api, _ = KINDS[self.request.resource]
            thing = objects.make(self.request.resource, *key, labels or None) | {"kind": kind, "apiVersion": api}
            thing["metadata"]["resourceVersion"] = str(self.server.cluster.version)
        assert key_of(thing) == key
        data = text_of({"type": plain[0], "object": thing}) + b"\n"
        for _ in range(int(options.get("times", "1"))):
            self.piece(data[: int(len(data) * float(options.get("part", "1")))], float(options.get("slow", "0")))

    def act_bookmark(self, words):
        kind, api, _ = KINDS[self.request.resource]
        version = words[0] if words else str(self.server.cluster.version)
        thing = {"kind": kind, "apiVersion": api, "metadata": {"resourceVersion": version}}
        if kind == "Pod":
            thing |= {"spec": {"containers": None}, "status": {}}
        self.piece(text_of({"type": "BOOKMARK", "object": thing}) + b"\n")

    def act_error(self, words):
        plain, options, _ = split_options(words)
        code, retry = int(plain[0]), options.get("retry")
        self.later(retry)
        reason = options.get("reason", REASONS.get(code))
        status = status_of(code, reason, options.get("message", "by the script"), retry and int(retry))
        self.piece(text_of({"type": "ERROR", "object": status}) + b"\n")

    def act_partly(self, words):
        data = text_of(self.server.cluster.page(self.request.resource, self.request.query))
        self.piece(data[: int(len(data) * float(words[0]))])

    def act_bare(self, words):
        self.send(words[0].encode("latin-1", "backslashreplace").decode("unicode-escape").encode("latin-1"))

    def act_write(self, words):
        if self.request is None:
            return self.act_bare(words)
        return self.piece(words[0].encode("latin-1", "backslashreplace").decode("unicode-escape").encode("latin-1"))

    # Ends

    def act_pause(self, words):
        self.wait(float(words[0]))

    def act_silence(self, _):
        self.wait()

    def act_end(self, _):
        self.stream()
        self.send(b"0\r\n\r\n")
        self.ended = self.keep = True

    def act_cut(self, _):
        self.ended = True

    def act_reset(self, _):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.ended = True

    def perform(self, acts):
        """Does them in turn. A stream without another end is ended well."""
        for act in acts:
            getattr(self, "act_" + act[0])(act[1:])
            if self.ended:
                return
        if self.request is not None:
            self.act_end([])


ACTS = {name.removeprefix("act_") for name in dir(Reply) if name.startswith("act_")}
