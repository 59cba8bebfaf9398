# SPDX-License-Identifier: GPL-2.0-or-later
"""Certificates, made by openssl: a CA, one that nobody knows, and what they sign."""

import os
import subprocess

CONFIG = """
[ca]
default_ca = here
[here]
dir = {0}
new_certs_dir = {0}
database = {0}/index
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
organizationName = optional
[req]
distinguished_name = none
[none]
[good]
subjectAltName = IP:127.0.0.1, IP:::1, DNS:localhost
[wrong-host]
subjectAltName = DNS:other.example, IP:192.0.2.1
[expired]
subjectAltName = IP:127.0.0.1, IP:::1, DNS:localhost
[client]
extendedKeyUsage = clientAuth
"""

# Of each: who signs it, and until when it holds.
LEAVES = {
    "good": ("ca", "20490101000000Z"),
    "wrong-host": ("ca", "20490101000000Z"),
    "expired": ("ca", "20250101000000Z"),
    "wrong-ca": ("other-ca", "20490101000000Z"),
    "client": ("ca", "20490101000000Z"),
}


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, stdin=subprocess.DEVNULL, capture_output=True)


def make_all(directory):
    """Writes NAME.crt and NAME.key of all of the above, and ca.crt, into a directory that is not there yet."""
    os.mkdir(directory, 0o700)

    def path(name):
        return os.path.join(directory, name)

    with open(path("config"), "w", encoding="ascii") as file:
        file.write(CONFIG.format(directory))
    with open(path("index"), "w", encoding="ascii"):
        pass
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    for authority in ("ca", "other-ca"):
        openssl("req", "-x509", *key, "-keyout", path(authority + ".key"), "-out", path(authority + ".crt"),
                "-days", "3650", "-subj", f"/CN=bindctl test {authority}")
    for name, (authority, end) in LEAVES.items():
        openssl("req", "-new", *key, "-config", path("config"), "-keyout", path(name + ".key"),
                "-out", path(name + ".csr"), "-subj", "/CN=system:node:n1/O=system:nodes")
        openssl("ca", "-batch", "-notext", "-config", path("config"), "-cert", path(authority + ".crt"),
                "-keyfile", path(authority + ".key"), "-in", path(name + ".csr"), "-out", path(name + ".crt"),
                "-startdate", "20240101000000Z", "-enddate", end,
                "-extensions", "good" if name == "wrong-ca" else name)
