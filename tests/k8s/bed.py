# SPDX-License-Identifier: GPL-2.0-or-later
"""What a test of the watch client has: a server, watchers, and what they said. Tests are functions with `@case`; run()
runs them, some at once, and speaks TAP."""

import concurrent.futures
import fnmatch
import os
import shutil
import signal
import tempfile
import threading
import time
import traceback

from fake import certs, objects
from fake.listen import Server
from watching import KEEP, Watcher, kill_all

# How long what must happen may take on a machine that is busy.
PATIENCE = float(os.environ.get("BINDCTL_FAULTS_SECONDS", "120"))
CASES = []


class Failed(AssertionError):
    pass


class Skipped(Exception):
    pass


def case(name):
    def keep(function):
        CASES.append((name, function))
        return function

    return keep


def whole_and_part(name):
    """Two cases: objects are read whole, or only what is wanted of them."""

    def keep(function):
        case(f"{name} (read whole)")(lambda bed: function(bed, ()))
        case(f"{name} (read in part)")(lambda bed: function(bed, KEEP))

    return keep


class Bed:
    def __init__(self, directory, certificates):
        self.directory, self.certificates = directory, certificates
        self.server = Server(certificates)
        self.cluster, self.script = self.server.cluster, self.server.script.add
        self.watchers, self.listener = [], None

    def close(self):
        for watcher in self.watchers:
            watcher.kill()
        self.server.stop()

    def path(self, name, data=None):
        """A file's path in the test's directory; with data it is written, whole at once."""
        path = os.path.join(self.directory, name)
        if data is not None:
            with open(path + ".new", "wb") as file:
                file.write(data if isinstance(data, bytes) else data.encode())
            os.rename(path + ".new", path)
        return path

    def ca(self, name="ca"):
        return os.path.join(self.certificates, name + ".crt")

    def pods(self, *names, namespace="web", **how):
        for name in names:
            self.cluster.put("pods", objects.pod(namespace, name, **how))

    def watch(self, *resources, url=None, environment=None, **options):
        """Starts a watcher of the server's first port, which is made with a good certificate if there is none."""
        if self.listener is None and url is None:
            self.listener = self.server.listen("good")
        options.setdefault("ca", self.ca())
        watcher = Watcher(self.listener.url if url is None else url, resources or ("pods",), options, environment or {})
        self.watchers.append(watcher)
        return watcher

    # What must be so

    def check(self, truth, what):
        if not truth:
            raise Failed(what)

    def equal(self, found, wanted, what):
        if found != wanted:
            raise Failed(f"{what}: {found!r} instead of {wanted!r}")

    def until(self, watcher, condition, what):
        if not watcher.wait(condition, PATIENCE):
            raise Failed(f"the watcher never came to this: {what}")

    def asked(self, condition, what):
        """Waits for requests. What watchers said before them is here then."""
        if not self.server.wait(condition, PATIENCE):
            raise Failed(f"this was never asked: {what}")
        for watcher in self.watchers:
            watcher.caught_up()

    def requests(self, verb, resource="pods"):
        return self.server.seen(verb, resource)

    def settle(self, watcher, resource="pods", node=None):
        """The watcher comes to know just what the cluster holds, and watches."""

        def truth():
            things = self.cluster.objects[resource].items()
            return {key: thing["metadata"]["resourceVersion"] for key, thing in things
                    if node is None or thing["spec"]["nodeName"] == node}

        def watching():
            seen = self.requests(None, resource)
            return seen and seen[-1].lasting and not seen[-1].over

        self.until(watcher, lambda: watcher.synced(resource) and watcher.known(resource) == truth(),
                   f"it knows the {resource} that there are: {len(truth())}")
        self.asked(watching, f"a watch of {resource} that lasts")

    def used(self):
        """All steps of the script have happened."""
        self.asked(lambda: not self.server.script.left(), f"what the script says: {self.server.script.left()}")

    def story(self):
        """For a failure: what everybody saw."""
        lines = [f"server: {request}" for request in self.server.seen()[-40:]]
        lines += [f"server: TLS: {failure}" for failure in self.server.tls_failures[-5:]]
        lines += [f"server: {line}" for error in self.server.errors for line in error.splitlines()]
        for watcher in self.watchers:
            lines += [f"watcher: {line[:300]}" for line in watcher.lines[-60:]]
            lines += [f"watcher: {line[:300]}" for line in watcher.complaints()[-40:]]
        return lines


def run_one(name, function, top, certificates):
    """The lines of TAP for a case, without its number."""
    began = time.monotonic()
    bed = Bed(tempfile.mkdtemp(dir=top), certificates)
    try:
        function(bed)
        bed.equal(bed.server.errors, [], "errors of the server's own")
        for watcher in bed.watchers:
            watcher.end()
        result = [f"ok {{}} - {name}"]
    except Skipped as why:
        result = [f"ok {{}} - {name} # SKIP {why}"]
    except Exception as error:  # pylint: disable=broad-except
        why = [str(error)] if isinstance(error, Failed) else traceback.format_exc().splitlines()
        result = [f"not ok {{}} - {name}"] + [f"# {line}" for line in why + bed.story()]
    finally:
        bed.close()
    if os.environ.get("BINDCTL_FAULTS_TIMES"):
        result.append(f"# {time.monotonic() - began:.1f} s")
    return result


def run(patterns):
    """Runs the cases whose names contain, or match, one of the patterns. Returns the exit status."""
    wanted = [(name, function) for name, function in CASES if not patterns
              or any(pattern in name or fnmatch.fnmatch(name, pattern) for pattern in patterns)]
    top = tempfile.mkdtemp(prefix="bindctl-faults.")
    failed = threading.Event()

    def give_up(*_):
        kill_all()
        os.rename(top, top + ".over")  # cases that still run find nowhere to write
        shutil.rmtree(top + ".over", ignore_errors=True)
        os._exit(1)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, give_up)
    try:
        certificates = os.path.join(top, "certificates")
        certs.make_all(certificates)
        print(f"1..{len(wanted)}", flush=True)
        # They mostly wait.
        with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("BINDCTL_FAULTS_JOBS", "4"))) as pool:
            results = [pool.submit(run_one, name, function, top, certificates) for name, function in wanted]
            for number, result in enumerate(results, 1):
                lines = result.result()
                if lines[0].startswith("not"):
                    failed.set()
                print(lines[0].replace("{}", str(number), 1), *lines[1:], sep="\n", flush=True)
    finally:
        shutil.rmtree(top)
    return 1 if failed.is_set() or not wanted else 0
