# SPDX-License-Identifier: GPL-2.0-or-later
"""A cluster: etcd and Debian's own API server on loopback, with a certificate authority of its own and RBAC, and
clients. Runs in the namespaces that tests/k8s/enter makes. There are no controllers: what those do that a test needs,
it does."""

import base64
import http.client
import json
import os
import signal
import ssl
import subprocess
import time
import urllib.parse

API_PORT = 6443
ETCD_PORT = 2379
ISSUER = "https://kubernetes.default.svc"
AGENT = ("bindctl-system", "bindctl-agent")


class Refused(Exception):
    """An answer of the API server's that is no success."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code


class NotThere(Exception):
    """What was waited for did not come."""


def wait_for(what, condition, seconds=120.0, pause=0.02):
    """Returns the condition's first true value; an exception of its own counts as false, and is told at the end."""
    end = time.monotonic() + seconds
    said = None
    while True:
        try:
            value = condition()
            if value:
                return value
            said = None
        except (OSError, http.client.HTTPException, Refused, ValueError) as error:
            said = error
        if time.monotonic() > end:
            raise NotThere(f"{what}: not within {seconds} s" + (f" ({said})" if said else ""))
        time.sleep(pause)


class Client:
    """Speaks JSON with the API server, as the owner of a certificate or of a token."""

    def __init__(self, authority, certificate=None, key=None, token=None):
        self.context = ssl.create_default_context(cafile=authority)
        if certificate:
            self.context.load_cert_chain(certificate, key)
        self.token = token
        self.connection = None

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def send(self, method, path, body, kind):
        if not self.connection:
            self.connection = http.client.HTTPSConnection("127.0.0.1", API_PORT, context=self.context, timeout=30)
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = kind
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            self.connection.request(method, path, body=body, headers=headers)
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def ask(self, method, path, value=None, kind="application/json"):
        """`value` is sent as it is when it is bytes."""
        body = value if value is None or isinstance(value, bytes) else json.dumps(value).encode()
        try:
            code, text = self.send(method, path, body, kind)
        except (OSError, http.client.HTTPException):
            # The server was away since we last spoke. A change that it made all the same is refused the second time.
            code, text = self.send(method, path, body, kind)
        try:
            found = json.loads(text)
        except ValueError:
            found = {"message": text.decode(errors="replace")}
        if code >= 300:
            raise Refused(code, found.get("message", ""))
        return found

    def get(self, path):
        return self.ask("GET", path)

    def create(self, path, value):
        return self.ask("POST", path, value)

    def replace(self, path, value):
        return self.ask("PUT", path, value)

    def delete(self, path):
        """As the kubelet does it when all is gone: at once."""
        return self.ask("DELETE", path + "?gracePeriodSeconds=0")

    def patch(self, path, value):
        return self.ask("PATCH", path, value, "application/merge-patch+json")


class Server:
    """A process whose words go to a file."""

    def __init__(self, name, log):
        self.name, self.log, self.process = name, log, None

    def start(self, *command, **more):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **more)

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def end(self, number=signal.SIGTERM, seconds=30):
        """Returns its exit code, which is negative when a signal ended it."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.process = None
        return code

    def tail(self, count=30):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.readlines()[-count:]


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Cluster:
    def __init__(self, programs, work):
        self.programs, self.work = programs, work
        self.etcd = Server("etcd", f"{work}/etcd.log")
        self.server = Server("kube-apiserver", f"{work}/kube-apiserver.log")
        self.make_certificates()
        self.admin = self.client("admin", "system:masters")

    def path(self, name):
        return f"{self.work}/{name}"

    def openssl(self, *words, **more):
        return subprocess.run(["openssl", *words], cwd=self.work, check=True, capture_output=True, **more).stdout

    def make_certificates(self):
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650",
                     "-subj", "/CN=test-ca", "-keyout", "ca.key", "-out", "ca.crt")
        self.openssl("genrsa", "-out", "sa.key", "2048")
        self.certificate("server", "/CN=kube-apiserver",
                         "subjectAltName=IP:127.0.0.1,IP:::1,DNS:localhost,DNS:kubernetes.default.svc")

    def certificate(self, name, subject, extension="basicConstraints=CA:FALSE"):
        with open(self.path(f"{name}.ext"), "w", encoding="utf-8") as file:
            file.write(extension + "\n")
        self.openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject,
                     "-keyout", f"{name}.key", "-out", f"{name}.csr")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
                     "-days", "3650", "-extfile", f"{name}.ext", "-out", f"{name}.crt")

    def client(self, name, group):
        """Who `name` is, of this group; there is a kubeconfig of his, too."""
        self.certificate(name, f"/O={group}/CN={name}")
        with open(self.kubeconfig(name), "w", encoding="utf-8") as file:
            json.dump({
                "apiVersion": "v1", "kind": "Config", "current-context": "test",
                "clusters": [{"name": "test", "cluster": {
                    "server": f"https://127.0.0.1:{API_PORT}", "certificate-authority": self.path("ca.crt")}}],
                "users": [{"name": name, "user": {
                    "client-certificate": self.path(f"{name}.crt"), "client-key": self.path(f"{name}.key")}}],
                "contexts": [{"name": "test", "context": {"cluster": "test", "user": name}}],
            }, file)
        return Client(self.path("ca.crt"), self.path(f"{name}.crt"), self.path(f"{name}.key"))

    def kubeconfig(self, name):
        return self.path(f"{name}.kubeconfig")

    def kubectl(self, name, *words, text=None):
        """Returns the exit code and what was said, on both ways."""
        done = subprocess.run(
            [f"{self.programs}/kubectl", "--kubeconfig", self.kubeconfig(name), *words], input=text, text=True,
            env={"HOME": self.work, "PATH": os.environ["PATH"]}, capture_output=True, timeout=120, check=False)
        return done.returncode, done.stdout + done.stderr

    def start_etcd(self):
        url = f"http://127.0.0.1:{ETCD_PORT}"
        peer = f"http://127.0.0.1:{ETCD_PORT + 1}"
        self.etcd.start(f"{self.programs}/etcd", "--data-dir", self.path("etcd"), "--listen-client-urls", url,
                        "--advertise-client-urls", url, "--listen-peer-urls", peer, "--initial-cluster",
                        f"default={peer}", "--initial-advertise-peer-urls", peer)

    def start_server(self):
        self.server.start(
            f"{self.programs}/kube-apiserver", f"--etcd-servers=http://127.0.0.1:{ETCD_PORT}", "--bind-address=::",
            "--advertise-address=127.0.0.1", f"--secure-port={API_PORT}", "--service-cluster-ip-range=10.0.0.0/24",
            "--tls-cert-file=server.crt", "--tls-private-key-file=server.key", "--client-ca-file=ca.crt",
            f"--service-account-issuer={ISSUER}", "--service-account-key-file=sa.key",
            "--service-account-signing-key-file=sa.key", "--authorization-mode=Node,RBAC",
            "--disable-admission-plugins=ServiceAccount", "--endpoint-reconciler-type=none", cwd=self.work)

    def start(self):
        if not self.etcd.alive():
            self.start_etcd()
        self.start_server()
        self.await_ready()

    def await_ready(self):
        def ready():
            if not self.server.alive() or not self.etcd.alive():
                raise NotThere("the API server or etcd ended:\n" + "".join(self.etcd.tail(5) + self.server.tail()))
            return self.admin.send("GET", "/readyz", None, None) == (200, b"ok")
        wait_for("a ready API server", ready, 120, 0.1)

    def stop(self):
        self.server.end(signal.SIGKILL)
        self.etcd.end(signal.SIGKILL)

    def stop_server(self, number=signal.SIGTERM):
        """Once asked to end, it waits up to a minute for those who watch; asked again it does not."""
        self.server.process.send_signal(number)
        time.sleep(1)
        self.server.end(number)

    def compact(self):
        """Makes etcd forget all versions but the last."""
        def call(path, value):
            connection = http.client.HTTPConnection("127.0.0.1", ETCD_PORT, timeout=30)
            connection.request("POST", path, json.dumps(value))
            answer = json.loads(connection.getresponse().read())
            connection.close()
            return answer
        revision = call("/v3/kv/range", {"key": base64.b64encode(b"x").decode()})["header"]["revision"]
        call("/v3/kv/compaction", {"revision": revision, "physical": True})
        return int(revision)

    def token(self, seconds, account=AGENT):
        """Of a service account, as a TokenRequest makes it, but for one that may end sooner than in ten minutes. The
        server is lenient by a minute, and this is not."""
        namespace, name = account
        uid = self.admin.get(f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}")["metadata"]["uid"]
        now = int(time.time()) - 60
        claims = {"iss": ISSUER, "aud": [ISSUER], "sub": f"system:serviceaccount:{namespace}:{name}", "iat": now,
                  "nbf": now, "exp": now + seconds,
                  "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": name, "uid": uid}}}
        text = ".".join(encode(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT"}, claims))
        return text + "." + encode(self.openssl("dgst", "-sha256", "-sign", "sa.key", input=text.encode()))

    def requested_token(self, seconds=600, account=AGENT):
        """By the API."""
        path = "/api/v1/namespaces/{}/serviceaccounts/{}/token".format(*account)
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
                   "spec": {"expirationSeconds": seconds}}
        return self.admin.create(path, request)["status"]["token"]

    def aggregate_roles(self):
        """What kube-controller-manager does: puts roles together of those that their labels name."""
        group = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
        for _ in range(3):  # admin has in it what edit has, and that what view has
            roles = self.admin.get(group)["items"]
            for role in roles:
                selectors = role.get("aggregationRule", {}).get("clusterRoleSelectors", [])
                wanted = [selector["matchLabels"].items() for selector in selectors]
                if wanted:
                    rules = [rule for other in roles for rule in other["rules"] or []
                             if any(labels <= other["metadata"].get("labels", {}).items() for labels in wanted)]
                    self.admin.patch(f"{group}/{urllib.parse.quote(role['metadata']['name'])}", {"rules": rules})
