"""What a check is, and what it may answer.

A check is a function that takes a Context and returns what passed(), failed() or skipped() makes. It is registered under
a dotted id whose first part is its group. Everything here is standard library and runs on Python 3.6 and later, because it
is the image's Python that runs it.
"""

import json
import os
import sys
import traceback

CHECKS = []  # in the order they are to run

PLAIN = "plain"  # forked from a Python that has imported nothing much
WARM = "warm"  # forked from a Python that has imported torch and done nothing else
FRESH = "fresh"  # a Python of its own, for what must not be forked: CUDA, worker processes


class Check:
    """One registered check. limit_s: seconds after which no answer is a failure. needs_torch: pointless without it."""

    def __init__(self, id, group, function, limit_s, needs_torch, start, is_quick):
        self.id = id
        self.group = group
        self.function = function
        self.limit_s = limit_s
        self.needs_torch = needs_torch
        self.start = start
        self.is_quick = is_quick


def check(id, limit_s, start=PLAIN, needs_torch=None, is_quick=False):
    """Registers a function under an id such as compute.matmul.fp32. needs_torch: by default, unless it starts plain."""

    def register(function):
        if any(known.id == id for known in CHECKS):
            raise ValueError("two checks are called " + id)
        needs = start != PLAIN if needs_torch is None else needs_torch
        CHECKS.append(Check(id, id.split(".")[0], function, limit_s, needs, start, is_quick))
        return function

    return register


class Context:
    """What a check may know.

    plan: the document /opt/wsb/plan.json, {} when there is none. expected: what is to be found, by name; a name that is
    absent is not known, and a check that needs it then reports what it measured or skips.
    """

    def __init__(self, plan, expect):
        self.plan = plan
        self.expected = {}
        if plan:
            environment = plan.get("environment") or {}
            self.expected.update(
                {
                    "prefix": environment.get("prefix"),
                    "python": plan.get("python"),
                    "torch": plan.get("torch"),  # absent from a plan means: no torch
                }
            )
            self.expected = {key: value for key, value in self.expected.items() if value is not None or key == "torch"}
        self.expected.update(expect)

    def get(self, name):
        """The expectation of this name, or None."""
        return self.expected.get(name)

    @property
    def has_no_torch(self):
        """Whether the plan says that there is to be no torch (as opposed to: nobody said)."""
        return "torch" in self.expected and self.expected["torch"] is None

    @property
    def gpu_mode(self):
        """none, auto or required."""
        return (self.get("gpu") or {}).get("mode", "none")


def passed(measured=None, expected=None, hint=""):
    return {"status": "pass", "measured": measured, "expected": expected, "hint": hint}


def failed(measured=None, expected=None, hint=""):
    return {"status": "fail", "measured": measured, "expected": expected, "hint": hint}


def skipped(reason, measured=None):
    """Not run, and why; reason is one sentence."""
    return {"status": "skip", "measured": measured, "expected": None, "hint": reason}


def verdict(is_right, measured, expected, hint=""):
    """pass or fail; the hint is for the failure."""
    return passed(measured, expected) if is_right else failed(measured, expected, hint)


def answer_of(check, context):
    """The check's answer; an exception is a failure that names it and shows where it was raised."""
    try:
        answer = check.function(context)
        if not isinstance(answer, dict) or answer.get("status") not in ("pass", "fail", "skip"):
            return failed("answered %r" % (answer,), "an answer", "this is a bug in the check itself")
        return answer
    except MemoryError:
        return failed("out of memory", "an answer", "Python could not get the memory it asked for")
    except Exception as error:
        frames = traceback.format_exc().strip().splitlines()
        text = str(error) or repr(error)
        return failed("%s: %s" % (type(error).__name__, first_lines(text, 3)), "an answer", "\n".join(frames[-6:]))


def first_lines(text, count):
    lines = [line.rstrip() for line in text.strip().splitlines() if line.strip()]
    return "\n".join(lines[:count] + (["…"] if len(lines) > count else []))


def plain(value):
    """value as JSON can hold it: no NaN, no infinities, strings without lone surrogates, keys as strings."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else str(value)
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {plain(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    return plain(str(value))


def to_line(document):
    """One line of ASCII JSON, newline included; ASCII, so that no locale can break it."""
    return (json.dumps(plain(document), sort_keys=True) + "\n").encode("ascii")


def write_all(fd, data):
    while data:
        data = data[os.write(fd, data) :]


def load_checks(path):
    """Runs a file of checks; they register themselves."""
    names = {"__name__": "wsb_checks", "__file__": path}
    with open(path, "rb") as file:
        exec(compile(file.read(), path, "exec"), names)


def is_at_least(torch, *release):
    """Whether this torch is of that release or a later one."""
    numbers = []
    for part in torch.__version__.split("+")[0].split(".")[:2]:
        digits = ""
        for letter in part:
            if not letter.isdigit():
                break
            digits += letter
        numbers.append(int(digits or 0))
    return tuple(numbers) >= release


def out_of_the_way():
    """Takes the probes' own folder from the front of sys.path, where it could shadow a project's module."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != here] + [here]
