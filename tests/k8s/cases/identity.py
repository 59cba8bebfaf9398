# SPDX-License-Identifier: GPL-2.0-or-later
"""Who the server is, and who we are."""

import base64
import json
import os
import socket

from bed import Skipped, case


def contents(path):
    with open(path, "rb") as file:
        return file.read()


def distrusted(bed, certificate, words):
    """A server with such a certificate is told nothing, the reason is said, and with a good one all is well."""
    bed.pods("a")
    bed.listener = bed.server.listen(certificate)
    watcher = bed.watch(token_file=bed.path("token", "secret"))
    bed.until(watcher, lambda: watcher.tries() >= 3, "it has tried three times")
    bed.equal(bed.requests(None, None), [], "requests")
    bed.check(any(word in watcher.notes().lower() for word in words), f"a note says why: {watcher.notes()}")
    bed.check(not watcher.synced(), "it has no list")
    port = bed.listener.port
    bed.server.close(bed.listener)
    bed.server.listen("good", port=port)
    bed.settle(watcher)


@case("TLS: a certificate of an authority that we do not know")
def wrong_ca(bed):
    distrusted(bed, "wrong-ca", ("issuer", "self-signed", "self signed"))


@case("TLS: a certificate of another host")
def wrong_host(bed):
    distrusted(bed, "wrong-host", ("127.0.0.1", "subject"))


@case("TLS: a certificate that has expired")
def expired(bed):
    distrusted(bed, "expired", ("expired",))


@case("TLS: a certificate that is wrong after a reconnection: what is known stays")
def turned(bed):
    bed.pods("a", "b")
    watcher = bed.watch()
    bed.settle(watcher)
    asked = len(bed.requests(None))
    port = bed.listener.port
    bed.server.close(bed.listener)
    impostor = bed.server.listen("wrong-ca", port=port)
    bed.server.drop()
    bed.asked(lambda: len(bed.server.tls_failures) >= 2, "it has tried twice")
    bed.equal((len(bed.requests(None)), watcher.names()), (asked, ["a", "b"]), "requests, and pods")
    bed.server.close(impostor)
    bed.server.listen("good", port=port)
    bed.settle(watcher)


@case("TLS: the authority's file is read again: a new authority is known without a restart")
def new_authority(bed):
    bed.pods("a")
    path = bed.path("ca.crt", contents(bed.ca("other-ca")))
    watcher = bed.watch(ca=path)
    bed.until(watcher, lambda: watcher.tries() >= 2, "it has tried twice")
    bed.equal(bed.requests(None), [], "requests")
    bed.path("ca.crt", contents(bed.ca()))
    bed.settle(watcher)


@case("TLS: an authority's file that is missing or is none: the reason is said, then it goes on")
def no_authority(bed):
    bed.pods("a")
    watcher = bed.watch(ca=bed.path("ca.crt"))
    bed.until(watcher, lambda: watcher.tries() >= 2, "it has tried twice")
    bed.path("ca.crt", "nonsense\n")
    notes = len(watcher.said("NOTE"))
    bed.until(watcher, lambda: len(watcher.said("NOTE")) >= notes + 2, "it has tried twice more")
    bed.equal(bed.requests(None), [], "requests")
    bed.path("ca.crt", contents(bed.ca()))
    bed.settle(watcher)


@case("TLS: the connection is cut without a word in the middle of a list: it is not a list")
def tls_cut(bed):
    bed.pods("a", "b")
    bed.script("list pods: list part=0.9 length=+0\nlist pods: partly 0.9 ; reset")
    watcher = bed.watch()
    bed.used()
    bed.settle(watcher)
    bed.equal(len(watcher.said("LIST-END")), 1, "lists that were complete")


def kubeconfig(bed, listener, user):
    """A file with one cluster and one user."""
    return bed.path("config", f"""apiVersion: v1
kind: Config
current-context: here
clusters:
- name: test
  cluster: {{server: "{listener.url}", certificate-authority: {bed.ca()}}}
users:
- name: agent
  user: {{{user}}}
contexts:
- name: here
  context: {{cluster: test, user: agent}}
""")


@case("a certificate of our own, where the server asks for one")
def client_certificate(bed):
    bed.pods("a")
    bed.listener = bed.server.listen("good", ask_client=True)
    base = os.path.join(bed.certificates, "client")
    path = kubeconfig(bed, bed.listener, f"client-certificate: {base}.crt, client-key: {base}.key")
    watcher = bed.watch(url="", ca=None, kubeconfig=path)
    bed.settle(watcher)
    bed.check("system:node:n1" in bed.requests("list")[0].peer, f"who we are: {bed.requests('list')[0].peer}")
    nobody = bed.watch()
    bed.until(nobody, lambda: nobody.tries() >= 2, "without one it has tried twice")
    bed.check(not nobody.synced(), "without one it has no list")


def in_a_cluster(bed, host):
    """A watcher with what a pod is given."""
    listener = bed.server.listen("good", host=host)
    os.mkdir(bed.path("account"))
    bed.path("account/ca.crt", contents(bed.ca()))
    bed.path("account/token", "secret\n")
    environment = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": str(listener.port)}
    return bed.watch(url="", ca=None, in_cluster=bed.path("account"), environment=environment)


@case("in a cluster: host and port from the environment, token and authority from their directory")
def in_cluster(bed):
    bed.pods("a")
    bed.server.tokens = {"secret"}
    bed.settle(in_a_cluster(bed, "127.0.0.1"))


@case("in a cluster of IPv6: the host is put in brackets")
def ipv6(bed):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        raise Skipped(f"no IPv6: {error}") from None
    bed.pods("a")
    bed.settle(in_a_cluster(bed, "::1"))


@case("a kubeconfig: server, authority and token as it says")
def from_kubeconfig(bed):
    bed.pods("a")
    bed.server.tokens = {"secret"}
    path = kubeconfig(bed, bed.server.listen("good"), "token: secret")
    watcher = bed.watch(url="", ca=None, kubeconfig=path)
    bed.settle(watcher)


@case("a kubeconfig with all in it: authority, certificate and key; and a server below a path")
def all_in_one(bed):
    bed.pods("a")
    bed.server.prefix = "/k8s/clusters/c-1"
    listener = bed.server.listen("good", ask_client=True)
    data = {name: base64.b64encode(contents(os.path.join(bed.certificates, name))).decode()
            for name in ("ca.crt", "client.crt", "client.key")}
    path = bed.path("config", json.dumps({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "elsewhere",
        "clusters": [
            {"name": "no", "cluster": {"server": "https://192.0.2.1"}},
            {"name": "test", "cluster": {"server": listener.url + bed.server.prefix,
                                         "certificate-authority-data": data["ca.crt"]}},
        ],
        "users": [{"name": "agent", "user": {"client-certificate-data": data["client.crt"],
                                             "client-key-data": data["client.key"]}}],
        "contexts": [
            {"name": "elsewhere", "context": {"cluster": "no", "user": "agent"}},
            {"name": "here", "context": {"cluster": "test", "user": "agent"}},
        ],
    }))
    watcher = bed.watch(url="", ca=None, kubeconfig=path, context="here")
    bed.settle(watcher)
    bed.check("system:node:n1" in bed.requests("list")[0].peer, f"who we are: {bed.requests('list')[0].peer}")


@case("it asks with GET alone, for JSON, and says who it is")
def manners(bed):
    bed.pods("a")
    watcher = bed.watch()
    bed.settle(watcher)
    for request in bed.requests(None, None):
        bed.check(request.verb in ("list", "watch"), f"{request.verb} is a GET")
        bed.equal(request.headers.get("Accept"), "application/json", "what it takes")
        bed.check("bindctl-agent/" in request.headers.get("User-Agent", ""), "who it is")
        bed.check("Content-Length" not in request.headers, "it sends no body")
