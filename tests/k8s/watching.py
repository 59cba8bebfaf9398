# SPDX-License-Identifier: GPL-2.0-or-later
"""The watcher of this directory: the watch client with nothing around it but a printer of what it says. Here is what an
owner would know by that."""

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time

from fake.cluster import KINDS

WATCHER = os.environ.get("WATCHER", "build/tests/k8s/watcher")
RUNNING = set()

# What the address sanitizer holds back of memory that was freed would hide what is in use.
LEAN = {"ASAN_OPTIONS": "quarantine_size_mb=1:thread_local_quarantine_size_kb=64"}
# What the agent wants of a pod, more or less.
KEEP = ("metadata.uid", "metadata.labels", "spec.nodeName", "status.phase")
# Waits so short that a test need not wait for them, and so long that what they are about can be seen.
DEFAULTS = {"backoff": "50-400", "keep": KEEP}
# Of an option here, those of the watcher: with two, they are the ends of a range.
OPTIONS = {
    "backoff": ("backoff-ms", "backoff-most-ms"),
    "retry_most": ("retry-most-ms",),
    "grace": ("grace-ms",),
    "silence": ("idle-ms",),
    "max_object": ("most",),
    "watch_seconds": ("watch-least-s", "watch-most-s"),
    "field_selector": ("fields",),
}


def kill_all():
    for process in list(RUNNING):
        process.kill()


def unescaped(name):
    """A name as it is, of one that is printable."""
    data = re.sub(rb"\\x([0-9a-f]{2})", lambda found: bytes([int(found[1], 16)]), name.encode())
    return data.decode("utf-8", "replace")


def key_of(name):
    namespace, _, name = name.rpartition("/")
    return (unescaped(namespace), unescaped(name))


class Store:
    """What an owner knows of a resource: as the agent's, which prunes at the end of a list what that did not have."""

    def __init__(self):
        self.objects, self.unreadable, self.seen = {}, {}, set()
        self.synced, self.pruned = False, []

    def take(self, word, rest):
        if word == "LIST-BEGIN":
            self.seen = set()
        elif word == "LIST-END":
            self.synced = True
            self.pruned += [key for key in self.objects if key not in self.seen]
            self.objects = {key: version for key, version in self.objects.items() if key in self.seen}
        elif word == "SET":
            name, _, version = rest.rpartition(" ")
            self.seen.add(key_of(name))
            self.objects[key_of(name)] = version
            self.unreadable.pop(key_of(name), None)
        elif word == "GONE":
            self.objects.pop(key_of(rest), None)
        elif word == "UNREADABLE":
            name, _, why = rest.partition(": ")
            self.seen.add(key_of(name))
            self.unreadable[key_of(name)] = why


class Watcher:
    def __init__(self, url, resources, options, environment):
        words = ["setpriv", "--pdeathsig", "KILL", WATCHER, "--stats"]
        for name, value in (DEFAULTS | options).items():
            if name == "keep":
                words += [word for path in value for word in ("--keep", path)]
                continue
            names = OPTIONS.get(name, (name.replace("_", "-"),))
            values = [value] if len(names) == 1 else value.split("-")
            for option, part in zip(names, values):
                words += [] if part is None else [f"--{option}", str(part)]
        words += ([url] if url else []) + [KINDS[name][2] for name in resources]
        self.changed = threading.Condition()
        self.lines, self.stores = [], {name: Store() for name in resources}
        self.errors = []
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(
            words,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        RUNNING.add(self.process)
        pipes = ((self.process.stdout, self._take), (self.process.stderr, self.errors.append))
        self.readers = [threading.Thread(target=self._read, args=pipe, daemon=True) for pipe in pipes]
        for reader in self.readers:
            reader.start()

    def _read(self, pipe, take):
        """What has left the pipe counts: see caught_up()."""
        rest = b""
        while select.select([pipe], [], []):
            with self.changed:
                data = os.read(pipe.fileno(), 65536)
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    take(line.decode("utf-8", "backslashreplace"))
                self.changed.notify_all()
            if not data:
                break

    def caught_up(self):
        """All that it has said so far is here."""
        with self.changed:
            while struct.unpack("i", fcntl.ioctl(self.process.stdout, termios.FIONREAD, b"\0" * 4))[0]:
                self.changed.wait(0.1)

    def _take(self, line):
        self.lines.append(line)
        resource, _, rest = line.partition(" ")
        if resource in self.stores:
            word, _, rest = rest.partition(" ")
            self.stores[resource].take(word, rest)

    def wait(self, condition, seconds):
        """Until the condition holds, or it cannot any more. Returns what it said last."""
        end = time.monotonic() + seconds
        with self.changed:
            while not (said := condition()) and time.monotonic() < end and self.process.poll() is None:
                self.changed.wait(0.1)
            return said

    def known(self, resource="pods"):
        with self.changed:
            return dict(self.stores[resource].objects)

    def names(self, resource="pods"):
        return sorted(name for _, name in self.known(resource))

    def synced(self, resource="pods"):
        return self.stores[resource].synced

    def said(self, word, resource="pods"):
        """What is behind the first two words of such lines."""
        with self.changed:
            words = [line.split(" ", 2) for line in self.lines]
        return [rest[0] if rest else "" for name, said, *rest in (line for line in words if len(line) > 1)
                if (name, said) == (resource, word)]

    def notes(self, resource="pods"):
        return "\n".join(self.said("NOTE", resource))

    def tries(self, resource="pods"):
        """How often it said that it will try again."""
        return len([line for line in self.said("NOTE", resource) if "trying again" in line])

    def complaints(self):
        return list(self.errors)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def memory(self):
        """What it has in memory at most so far, in KiB."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))

    def end(self):
        """Ends it as a service manager does. It must go by itself, and leave no complaint of a sanitizer's."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(120)
        for reader in self.readers:
            reader.join(20)
        if code != 0:
            raise RuntimeError(f"the watcher ended with {code}")

    def stats(self, resource="pods"):
        """Its counts, after the end."""
        said = self.said("STATS", resource)
        return dict(pair.split("=", 1) for pair in said[-1].split(" ") if "=" in pair) if said else {}

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        RUNNING.discard(self.process)
