# SPDX-License-Identifier: GPL-2.0-or-later
"""The server: sockets, TLS, who may ask, and a record of all that was asked."""

import dataclasses
import http.server
import os
import socket
import socketserver
import ssl
import threading
import time
import traceback
import urllib.parse

from fake.cluster import PATHS, Cluster, status_of
from fake.reply import HungUp, Reply
from fake.script import Script

# The client counts in milliseconds, and its clock may have been read just before the reply was.
EARLY = 0.005


@dataclasses.dataclass
class Request:
    """One that came; how it was answered is filled in when it is known."""

    number: int
    at: float
    port: int
    verb: str  # list, continue, watch, or the method of what is none of these
    resource: str
    query: dict
    authorization: str
    peer: str  # the subject of the client's certificate
    headers: dict
    early: bool = False  # before the Retry-After that the resource's last reply had
    status: int = 0
    lasting: bool = False  # a watch without a fault
    over: float = 0.0  # when the reply was finished, or the client had hung up
    hung_up: bool = False

    def __str__(self):
        asked = urllib.parse.urlencode(self.query)
        ended = f"{self.over - self.at:.2f} s" if self.over else "under way"
        return (f"{self.number} {self.verb} {self.resource}?{asked} -> {self.status}"
                f"{' hung up' if self.hung_up else ''}{' EARLY' if self.early else ''} ({ended})")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        if not self.server.owner.answer(self):
            self.close_connection = True

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_GET


class Listener(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """A port, with a certificate or without."""

    daemon_threads = True
    allow_reuse_address = allow_reuse_port = True
    request_queue_size = 64

    def __init__(self, owner, host, port, tls):
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.owner, self.tls, self.host, self.open = owner, tls, host, False
        super().__init__((host, port), Handler, bind_and_activate=False)
        self.server_bind()
        self.port = self.server_address[1]
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port}"

    def begin(self):
        """Until then connections are refused, but nobody else has the port."""
        self.server_activate()
        self.open = True
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def finish_request(self, request, client_address):
        # One more descriptor of it, by which drop() can break it whoever reads and writes.
        copy = request.dup()
        with self.owner.changed:
            self.owner.connections.add(copy)
            self.owner.accepted += 1
        try:
            step = self.owner.script.take("connect")
            if step:
                Reply(self.owner, request).perform(step.acts)
                return
            if self.tls:
                request.settimeout(20)
                request = self.tls.wrap_socket(request, server_side=True)
                request.settimeout(None)
            request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
            Handler(request, client_address, self)
        except ssl.SSLError as error:
            self.owner.tls_failed(str(error))
        except (OSError, ValueError, HungUp):
            pass
        finally:
            with self.owner.changed:
                self.owner.connections.remove(copy)
                self.owner.changed.notify_all()
            copy.close()
            # The handler's files hold on to it: close for good.
            fd = request.detach()
            if fd >= 0:
                os.close(fd)

    def shutdown_request(self, request):
        request.close()

    def handle_error(self, request, client_address):
        self.owner.broken()


class Server:
    """Everything together. `changed` is notified of each request and of how it ends."""

    def __init__(self, certificates=None):
        self.cluster, self.script = Cluster(), Script()
        self.certificates = certificates
        self.changed = threading.Condition()
        self.stopping = threading.Event()
        self.listeners, self.connections = [], set()
        self.requests, self.tls_failures, self.errors = [], [], []
        self.not_before = {}
        self.tokens = None  # or those that may ask
        self.bookmarks = True
        self.accepted = 0  # connections
        self.prefix = ""  # of all paths
        self.on_request = None  # called with each request before it is answered

    def listen(self, certificate=None, host="127.0.0.1", port=0, ask_client=False, begin=True):
        """A new port; `certificate` is a name of certs.py."""
        tls = None
        if certificate:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            base = os.path.join(self.certificates, certificate)
            tls.load_cert_chain(base + ".crt", base + ".key")
            tls.set_alpn_protocols(["http/1.1"])
            if ask_client:
                tls.load_verify_locations(os.path.join(self.certificates, "ca.crt"))
                tls.verify_mode = ssl.CERT_REQUIRED
        listener = Listener(self, host, port, tls)
        self.listeners.append(listener)
        if begin:
            listener.begin()
        return listener

    def down(self, listener):
        """As an API server that was killed: connections break, new ones are refused until the result's begin()."""
        again = Listener(self, listener.host, listener.port, listener.tls)  # before somebody else has the port
        self.listeners.append(again)
        self.close(listener)
        self.drop()
        return again

    def close(self, listener):
        """No more connections to it; those that there are stay."""
        if listener.open:
            listener.shutdown()
        listener.server_close()
        self.listeners.remove(listener)

    def drop(self):
        """Breaks all connections. Their requests are over then."""
        with self.changed:
            there = set(self.connections)
            for connection in there:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self.wait(lambda: not there & self.connections, 60)

    def stop(self):
        self.stopping.set()
        for listener in list(self.listeners):
            self.close(listener)
        self.drop()

    def tell(self):
        with self.changed:
            self.changed.notify_all()

    def tls_failed(self, why):
        with self.changed:
            self.tls_failures.append(why)
            self.changed.notify_all()

    def broken(self):
        """An error of the server's own: no test passes with one."""
        with self.changed:
            self.errors.append(traceback.format_exc())
            self.changed.notify_all()

    def wait(self, condition, seconds):
        """Until the condition holds. Returns what it said last. It may be about what nobody is notified of."""
        end = time.monotonic() + seconds
        with self.changed:
            while not (said := condition()) and time.monotonic() < end:
                self.changed.wait(0.1)
            return said

    def seen(self, verb=None, resource=None):
        """The requests so far."""
        with self.changed:
            return [r for r in self.requests if verb in (None, r.verb) and resource in (None, r.resource)]

    def early(self):
        return [request for request in self.seen() if request.early]

    def note(self, handler):
        """A request into the record."""
        path, _, query = handler.path.partition("?")
        query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        resource = PATHS.get(path.removeprefix(self.prefix), path) if path.startswith(self.prefix) else path
        verb = "watch" if query.get("watch") in ("1", "true") else "continue" if "continue" in query else "list"
        if handler.command != "GET":
            verb = handler.command
        peer = handler.connection.getpeercert() if handler.server.tls else None
        now = time.monotonic()
        with self.changed:
            request = Request(len(self.requests) + 1, now, handler.server.port, verb, resource, query,
                              handler.headers.get("Authorization", ""), str((peer or {}).get("subject", "")),
                              dict(handler.headers))
            request.early = now + EARLY < self.not_before.get(resource, 0)
            self.requests.append(request)
            self.changed.notify_all()
        if self.on_request:
            self.on_request(request)
        return request

    def answer(self, handler):
        """Replies to a request. Returns whether the connection may go on."""
        request = self.note(handler)
        reply = Reply(self, handler.connection, request)
        try:
            step = self.script.take(request.verb, request.resource)
            if step:
                reply.perform(step.acts)
            else:
                self.good(reply)
        except HungUp:
            request.hung_up, reply.keep = True, False
        with self.changed:
            request.over = time.monotonic()
            self.changed.notify_all()
        return reply.keep

    def good(self, reply):
        """What a good server says."""
        request = reply.request
        if self.tokens is not None and request.authorization not in [f"Bearer {token}" for token in self.tokens]:
            return reply.refuse(status_of(401, "Unauthorized", "Unauthorized"))
        if request.resource not in self.cluster.installed:
            return reply.perform([["status", "404", "text"]])
        if request.verb == "watch":
            return reply.perform([["follow"]])
        if request.verb in ("list", "continue"):
            return reply.perform([["list"]])
        return reply.perform([["status", "405", "reason=MethodNotAllowed"]])
