# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests that speak TAP: `ok`, and what was found where it is not."""

import traceback


class Tap:
    def __init__(self):
        self.number = self.failures = 0
        self.label = ""

    def say(self, good, name):
        self.number += 1
        self.failures += not good
        print(f"{'ok' if good else 'not ok'} {self.number} - {self.label}{name}", flush=True)

    def note(self, text):
        for line in str(text).splitlines():
            print("# " + line, flush=True)

    def ok(self, good, name, *notes):
        self.say(bool(good), name)
        if not good:
            for note in notes:
                self.note(note)
        return good

    def same(self, found, wanted, name):
        return self.ok(found == wanted, name, f"found:  {found}", f"wanted: {wanted}")

    def among(self, found, wanted, name):
        return self.ok(found in wanted, name, f"found:  {found}", f"wanted: one of {', '.join(wanted)}")

    def run(self, label, function, *arguments):
        """What raises has failed; the others go on."""
        self.label = label + ": "
        try:
            function(*arguments)
            return True
        except Exception:  # pylint: disable=broad-except # whatever it is
            self.say(False, "got to its end")
            self.note(traceback.format_exc())
            return False
        finally:
            self.label = ""

    def plan(self):
        print(f"1..{self.number}", flush=True)
        return 0 if self.failures == 0 else 1
