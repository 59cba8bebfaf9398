# SPDX-License-Identifier: GPL-2.0-or-later
"""The watcher of this directory: the watch client with nothing around it but a printer of what it says. Here is what an
owner would know by that."""

import json
import os
import signal
import subprocess
import threading
import time

from fake.cluster import KINDS

WATCHER = os.environ.get("WATCHER", "build/tests/k8s/watcher")
RUNNING = set()

# So short that a test need not wait for them, and so long that what they are about can be seen.
DEFAULTS = {"backoff": "50-400"}


def kill_all():
    for process in list(RUNNING):
        process.kill()


class Store:
    """What an owner knows of a resource: as the agent's, which prunes at the end of a list what that did not have."""

    def __init__(self):
        self.objects, self.unreadable, self.seen = {}, {}, set()
        self.synced, self.listing, self.pruned = False, False, []

    def take(self, word, words):
        if word == "begin":
            self.seen, self.listing = set(), True
        elif word == "end":
            self.synced, self.listing = True, False
            self.pruned += [key for key in self.objects if key not in self.seen]
            self.objects = {key: version for key, version in self.objects.items() if key in self.seen}
        elif word in ("set", "gone", "unreadable"):
            namespace, _, name = json.loads(words[0]).rpartition("/")
            key = (namespace, name)
            self.seen.add(key)
            if word == "gone":
                self.objects.pop(key, None)
            elif word == "set":
                self.objects[key] = words[1]
                self.unreadable.pop(key, None)
            else:
                self.unreadable[key] = " ".join(words[1:])


class Watcher:
    def __init__(self, url, resources, options, environment):
        words = ["setpriv", "--pdeathsig", "KILL", WATCHER]
        for name, value in (DEFAULTS | options).items():
            if value is not None:
                words += [f"--{name.replace('_', '-')}", str(value)]
        words += [url] + [f"{name}:{KINDS[name][2]}" for name in resources]
        self.changed = threading.Condition()
        self.lines, self.stores = [], {name: Store() for name in resources}
        self.errors = []
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(words, env=os.environ | environment, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
        RUNNING.add(self.process)
        self.readers = [threading.Thread(target=self._read, args=(pipe, take), daemon=True)
                        for pipe, take in ((self.process.stdout, self._take), (self.process.stderr, self.errors.append))]  # fmt: skip
        for reader in self.readers:
            reader.start()

    def _read(self, pipe, take):
        for line in pipe:
            with self.changed:
                take(line.decode("utf-8", "backslashreplace").rstrip("\n"))
                self.changed.notify_all()

    def _take(self, line):
        self.lines.append(line)
        word, _, rest = line.partition(" ")
        resource, _, rest = rest.partition(" ")
        if resource in self.stores:
            self.stores[resource].take(word, rest.split(" "))

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
        """The lines of one kind, without their first two words."""
        with self.changed:
            return [line.split(" ", 2)[2] if line.count(" ") > 1 else "" for line in self.lines
                    if line.split(" ")[:2] == [word, resource]]  # fmt: skip

    def notes(self, resource="pods"):
        return "\n".join(self.said("note", resource))

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
        code = self.process.wait(20)
        for reader in self.readers:
            reader.join(20)
        if code != 0:
            raise RuntimeError(f"the watcher ended with {code}")

    def stats(self, resource="pods"):
        """Its counts, after the end."""
        said = self.said("stats", resource)
        return dict(pair.split("=", 1) for pair in said[-1].split(" ") if "=" in pair) if said else {}

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        RUNNING.discard(self.process)
