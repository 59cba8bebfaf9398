# SPDX-License-Identifier: GPL-2.0-or-later
"""suite.py PROGRAMS BUILD [NAME...]: the tests of tests/k8s/run, in its namespaces."""

import importlib
import sys

from real.bed import Bed
from real.tap import Tap

# `install` comes first: it sees the agent before there is anything to find. What `trouble` does to the API server, and
# `removal` to its resources, others need not see.
GROUPS = ["install", "api", "pods", "cluster", "escape", "change", "trouble", "removal"]


def tests_of(name):
    """In the order in which they are written down."""
    module = importlib.import_module(f"real.test_{name}")
    return [(test.removeprefix("test_"), function) for test, function in vars(module).items()
            if test.startswith("test_")]


def main(programs, build, *names):
    tap = Tap()
    bed = Bed(tap, programs, build)
    try:
        bed.start_cluster()
        for name in GROUPS:
            if not names or name in names or name == "install":
                for test, function in tests_of(name):
                    if not tap.run(f"{name}: {test}", function, bed):
                        bed.blame()
                if name == "install":
                    tap.run("calm", bed.leave_alone)
        if bed.untouched:
            tap.run("calm", bed.check_untouched)
    finally:
        bed.end()
    return tap.plan()


sys.exit(main(*sys.argv[1:]))
