"""The smoke test as people and IDEs start it inside the container: asks the probes and prints their answers as sentences.

    python /opt/wsb/probes/smoke.py [--quick]

Further words go to run.py as they are. Exit code 0 when nothing failed, 1 when something did, 2 when it could not ask.
"""

import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PLAN = os.path.join(os.path.dirname(HERE), "plan.json")
EXPECT = os.path.join(os.path.dirname(HERE), "expect.json")


def command(words):
    """The probes with what this image is expected to be when an IDE or a person has started it."""
    found = [sys.executable, os.path.join(HERE, "run.py"), "--plan", PLAN]
    if os.path.isfile(EXPECT):
        with open(EXPECT, encoding="utf-8") as file:
            found += ["--expect", json.dumps(json.load(file))]
    return found + list(words)


def shown(value):
    """A JSON value in a line."""
    if isinstance(value, dict):
        return ", ".join("%s=%s" % (key, shown(item)) for key, item in sorted(value.items()))
    if isinstance(value, list):
        return "+".join(shown(item) for item in value) or "nothing"
    return value if isinstance(value, str) else json.dumps(value)


def lines(check, is_quick):
    """What is printed of one answer; of a quick run only what failed."""
    if check["status"] == "fail":
        yield "  FAIL  %s: %s" % (check["id"], shown(check.get("measured")))
        yield "        expected: %s" % shown(check.get("expected"))
        if check.get("hint"):
            yield "        hint: %s" % check["hint"]
    elif not is_quick:
        said = check.get("hint") if check["status"] == "skip" else shown(check.get("measured"))
        yield "  %s  %s: %s" % (check["status"], check["id"], said)


def gpu_line(checks):
    """What these answers say of the GPU, and no more."""
    checks = [check for check in checks if check["group"] == "gpu"]
    told = [check["measured"] for check in checks if isinstance(check.get("measured"), dict)]
    ran = [check for check in checks if check["status"] != "skip"]
    failed = [check["id"] for check in ran if check["status"] == "fail"]
    names = []
    for measured in told:
        found = measured.get("devices")
        names += [str(name) for name in found] if isinstance(found, list) else []
    if names:
        where = ", ".join(sorted(set(names)))
        if failed:
            return "GPU: on %s, %d of %d checks failed: do not rely on it" % (where, len(failed), len(ran))
        return "GPU: %d checks ran on %s and passed" % (len(ran), where)
    if any(measured.get("is_mock") for measured in told):
        return "GPU: wiring %s, compute not run (mock device)" % ("fail" if failed else "pass")
    if failed:
        return "GPU: asked for, and not reached (%s)" % ", ".join(failed)
    return "GPU: none is visible in this container" if told else "GPU: none was asked for"


def ask(words):
    """(answers, the prober's exit code); answers are printed as they come."""
    is_quick = "--quick" in words
    checks = []
    process = subprocess.Popen(command(words), stdout=subprocess.PIPE)
    for line in process.stdout:
        document = json.loads(line.decode("ascii"))
        if document["event"] == "finished":
            checks.append(document["check"])
            for text in lines(document["check"], is_quick):
                print(text)
                sys.stdout.flush()
    return checks, process.wait()


def main(words):
    with open(PLAN, encoding="utf-8") as file:
        plan = json.load(file)
    checks, code = ask(words)
    if code:
        return 2
    count = {status: len([one for one in checks if one["status"] == status]) for status in ("pass", "fail", "skip")}
    torch = ", torch %s" % plan["torch"]["local"] if "torch" in plan else ""
    print("wsb: %s: Python %s%s; %s" % (plan["name"], plan["python"], torch, sys.prefix))
    print("wsb: %(pass)d checks passed, %(fail)d failed, %(skip)d skipped" % count)
    print("wsb: " + gpu_line(checks))
    return 1 if count["fail"] else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
    except (OSError, ValueError) as error:
        sys.stderr.write("error: %s\n" % error)
        sys.exit(2)
