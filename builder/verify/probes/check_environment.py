"""Is this Python the one that was planned, and does one meet it however one comes in?"""

import json
import os
import shutil
import subprocess
import sys

from probe_kit import check, failed, first_lines, passed, skipped, verdict

MARK = "wsb-prefix:"  # a login shell may print a greeting of its own
ASK = "import sys; print('%s' + sys.prefix)" % MARK


@check("environment.prefix", limit_s=20, is_quick=True)
def prefix(context):
    expected = context.get("prefix")
    if not expected:
        return skipped("no plan says where the environment lies", sys.prefix)
    return verdict(
        os.path.realpath(sys.prefix) == os.path.realpath(expected),
        sys.prefix,
        expected,
        "the `python` that was started is not the environment's: %s" % sys.executable,
    )


@check("environment.python", limit_s=20, is_quick=True)
def python(context):
    measured, expected = "%d.%d.%d" % sys.version_info[:3], context.get("python")
    if not expected:
        return skipped("no plan says which Python is wanted", measured)
    parts = expected.split(".")
    return verdict(measured.split(".")[: len(parts)] == parts, measured, expected, "the environment holds another Python")


@check("environment.plan", limit_s=20, is_quick=True)
def plan(context):
    """Whether the image was built from the plan that now holds."""
    built, holds = context.plan.get("digest"), context.get("digest")
    if not built or not holds:
        return skipped("nothing to compare the image's plan with" if built else "this image carries no plan", built)
    return verdict(built == holds, built, holds, "wsb.yaml has changed since this image was built: run `wsb build`")


@check("environment.entry", limit_s=60, is_quick=True)
def entry(context):
    """Whether every usual way in meets the same Python. Asks the interpreter itself: a path alone can mislead."""
    expected = os.path.realpath(context.get("prefix") or sys.prefix)
    ways = [("python", ["python", "-c", ASK]), ("python3", ["python3", "-c", ASK])]
    for name, shell in (("sh -c", ["sh", "-c"]), ("bash -lc", ["bash", "-lc"]), ("bash -ic", ["bash", "-ic"])):
        if shutil.which(shell[0]):
            ways.append((name, [*shell, 'python -c "%s"' % ASK]))
    started = [(name, start(command)) for name, command in ways]  # together: each costs a start of Python
    found = {name: told_prefix(process) for name, process in started}
    wrong = {name: told for name, told in found.items() if os.path.realpath(told) != expected}
    if wrong:
        hint = "these ways in do not meet the environment: %s" % ", ".join(sorted(wrong))
        return failed(wrong, expected, hint)
    return passed(", ".join(name for name, _ in ways), "all meet " + expected)


def start(command):
    try:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True
        )
    except OSError as error:
        return error


def told_prefix(process):
    if isinstance(process, OSError):
        return "not found: %s" % process
    told, complaint = process.communicate()
    for line in told.splitlines():
        if line.startswith(MARK):
            return line[len(MARK) :]
    return "no answer: " + first_lines(complaint or told, 2)


@check("environment.pip", limit_s=60, is_quick=True)
def pip(context):
    """Whether the pip that one types installs into this environment."""
    expected = os.path.realpath(context.get("prefix") or sys.prefix)
    path = shutil.which("pip")
    if path is None:
        return skipped("there is no pip on PATH")
    if os.path.realpath(os.path.dirname(path)) != os.path.join(expected, "bin"):
        return failed(path, os.path.join(expected, "bin", "pip"), "this pip installs into another environment")
    process = start([path, "--version"])
    told, complaint = ("", str(process)) if isinstance(process, OSError) else process.communicate()
    words = told.split()
    if len(words) < 4 or words[0] != "pip":
        return failed(
            first_lines(complaint or told, 2), "a pip that answers", "the script names an interpreter that is not there"
        )
    home = os.path.realpath(told.split(" from ", 1)[1].split(" (python")[0])
    return verdict(
        home.startswith(expected + os.sep), " ".join(words[:2]), "a pip in " + expected, "pip itself lies in " + home
    )


@check("environment.locale", limit_s=20, is_quick=True)
def locale(context):
    """Whether text files are read and printed as UTF-8, as the people who wrote the project's code assume."""
    del context
    code = "import json, locale, sys; print(json.dumps([locale.getpreferredencoding(False), sys.stdout.encoding]))"
    told, complaint = start([sys.executable, "-c", code]).communicate()
    try:
        encodings = json.loads(told)
    except ValueError:
        return failed(first_lines(complaint, 2), "UTF-8")
    is_right = all(name.lower().replace("-", "") == "utf8" for name in encodings)
    return verdict(
        is_right, ", ".join(sorted({name.upper() for name in encodings})), "UTF-8", "set LANG=C.UTF-8 in the image (run.env)"
    )
