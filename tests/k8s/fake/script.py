# SPDX-License-Identifier: GPL-2.0-or-later
"""What is to happen to requests: a step a line, each used once, the first that suits a request.

    [N times|always] WHAT [RESOURCE]: ACT [WORD...] [; ACT...]

WHAT is `list`, `continue` (a list's later page), `watch`, `any` of these, or `connect`: before a connection has said
anything. Without RESOURCE it suits each. Words may be quoted. The acts are those of reply.py, done in turn. `#` begins
a comment."""

import shlex
import threading

from fake.cluster import KINDS
from fake.reply import ACTS

WHATS = ("list", "continue", "watch", "any", "connect")


class BadScript(ValueError):
    pass


class Step:
    def __init__(self, line):
        words = shlex.split(line, comments=True)
        self.text = line.strip()
        self.left = 1
        if words[:1] == ["always"]:
            self.left = -1
            words = words[1:]
        elif words[1:2] == ["times"] and words[0].isdigit():
            self.left = int(words[0])
            words = words[2:]
        head = []
        while words:
            word = words.pop(0)
            head.append(word.removesuffix(":"))
            if word.endswith(":"):
                break
        if not 1 <= len(head) <= 2 or head[0] not in WHATS or (len(head) == 2 and head[1] not in KINDS):
            raise BadScript(f"not a step: {line}")
        self.what, self.resource = head[0], head[1] if len(head) == 2 else None
        self.acts = [[]]
        for word in words:
            if word == ";":
                self.acts.append([])
            else:
                self.acts[-1].append(word)
        for act in self.acts:
            if not act or act[0] not in ACTS:
                raise BadScript(f"no such act: {' '.join(act) or 'nothing'} in {line}")

    def suits(self, what, resource):
        if self.what == "any":
            return what != "connect" and self.resource in (None, resource)
        return self.what == what and self.resource in (None, resource)


class Script:
    def __init__(self):
        self.lock = threading.Lock()
        self.steps = []

    def add(self, text):
        steps = [Step(line) for line in text.splitlines() if line.split("#")[0].strip()]
        with self.lock:
            self.steps += steps

    def clear(self):
        with self.lock:
            self.steps.clear()

    def take(self, what, resource=None):
        """The step for a request, or None: it gets what a good server says."""
        with self.lock:
            for step in self.steps:
                if step.suits(what, resource):
                    if step.left > 0:
                        step.left -= 1
                    if step.left == 0:
                        self.steps.remove(step)
                    return step
        return None

    def left(self):
        """The steps that are still to happen."""
        with self.lock:
            return [step.text for step in self.steps if step.left > 0]
