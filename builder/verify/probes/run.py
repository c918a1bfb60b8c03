"""Asks this image whether it is what its plan says.

    python /opt/wsb/probes/run.py --plan /opt/wsb/plan.json [--quick] [--group G,…] [--check ID] [--expect JSON]

Standard output carries one JSON object a line and nothing else: {"event": "begin", "checks": […]}, then {"event":
"started", "id": …} and {"event": "finished", "check": {…}} for each, then {"event": "end"}. Each check runs in its own
process with a time limit; a hang or a crash is a result. Exit code 0 means that all questions were asked, not that the
answers are good.
"""

import sys

sys.dont_write_bytecode = True  # the probes' folder stays as it was put into the image

import argparse  # noqa: E402
import importlib  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import time  # noqa: E402

import probe_child  # noqa: E402
import probe_kit  # noqa: E402
import probe_process  # noqa: E402

BUILT_IN = (
    "check_environment",
    "check_place",
    "check_torch",
    "check_compute",
    "check_learning",
    "check_data",
    "check_gpu_driver",
    "check_gpu",
    "check_gpu_compute",
    "check_gpu_build",
    "check_gpu_speed",
    "check_gpu_many",
)
IMPORT_ID = "torch.import"
VISIBLE_ID = "gpu.visible"


class Runner:
    """Runs checks in order and tells of each. tell: takes one document; again: this program's command line, for children."""

    def __init__(self, context, tell, again, scale):
        self.context = context
        self.tell = tell
        self.again = again
        self.scale = scale
        self.plain = probe_process.Forker([*again, "--forker="])
        self.warm = probe_process.Forker([*again, "--forker=torch"])
        self.is_torch_ready = False
        self.import_failure = None  # why torch cannot be imported, once that is known
        self.without_gpu = None  # why nothing can be computed on a GPU, once that is known

    def run(self, checks):
        self.tell({"event": "begin", "checks": [check.id for check in checks]})
        try:
            if not self.context.has_no_torch and any(self.is_warm(check) for check in checks):
                self.warm.begin()  # imports torch while the first checks run
            for check in checks:
                self.tell({"event": "started", "id": check.id})
                started = time.time()
                answer = self.answer(check)
                if check.id == VISIBLE_ID:
                    self.without_gpu = why_without_gpu(answer)
                answer.update({"id": check.id, "group": check.group})
                answer.setdefault("seconds", round(time.time() - started, 3))
                self.tell({"event": "finished", "check": answer})
        finally:
            self.plain.close()
            self.warm.close()
        self.tell({"event": "end"})

    def answer(self, check):
        if check.needs_torch and self.context.has_no_torch:
            return probe_kit.skipped("this plan has no torch")
        if check.id == IMPORT_ID:
            return self.import_torch(check)
        if check.needs_torch and self.import_failure:
            return probe_kit.skipped("torch cannot be imported here: see " + IMPORT_ID)
        if check.group == "gpu" and check.start == probe_kit.FRESH and self.without_gpu:
            return probe_kit.skipped(self.without_gpu)  # each would import torch only to say the same
        limit_s = check.limit_s * self.scale
        if check.start == probe_kit.FRESH:
            return probe_process.settle(probe_process.ask_fresh([*self.again, "--child", check.id], limit_s), limit_s)
        if check.start == probe_kit.WARM:
            answer = self.import_torch(import_check())
            if answer["status"] != "pass":
                return answer
            return probe_process.settle(self.warm.ask(check.id, limit_s), limit_s)
        if not self.plain.is_alive:
            asked = self.plain.ready(limit_s)
            if not (asked.answer and "ready" in asked.answer):
                return probe_process.settle(asked, limit_s)
        return probe_process.settle(self.plain.ask(check.id, limit_s), limit_s)

    @staticmethod
    def is_warm(check):
        return check.start == probe_kit.WARM or check.id == IMPORT_ID

    def import_torch(self, check):
        """Waits for the process that the warm checks are forked from; that it starts is a check of its own."""
        if self.is_torch_ready and self.warm.is_alive:
            return probe_kit.passed()
        limit_s = check.limit_s * self.scale
        asked = self.warm.ready(limit_s)
        self.is_torch_ready = bool(asked.answer and "ready" in asked.answer)
        if self.is_torch_ready:
            seconds = round(asked.answer["ready"], 3)  # it began while other checks ran
            return dict(probe_kit.passed("imported in %.1f s" % seconds, "torch can be imported"), seconds=seconds)
        if asked.answer and "broken" in asked.answer:
            answer = probe_kit.failed(asked.answer["broken"], "torch can be imported", import_hint(asked.answer["broken"]))
        else:
            asked.answer = None
            answer = probe_process.settle(asked, limit_s)
        self.import_failure = answer["measured"]
        return answer


def why_without_gpu(answer):
    """From the answer on which devices torch sees; None when it sees one, even one that does not work well."""
    measured = answer["measured"] if isinstance(answer["measured"], dict) else {}
    if answer["status"] == "pass" or measured.get("devices"):
        return None
    return answer["hint"] if answer["status"] == "skip" else "torch sees no GPU: see " + VISIBLE_ID


def import_check():
    return next(check for check in probe_kit.CHECKS if check.id == IMPORT_ID)


def import_hint(error):
    """What an error of `import torch` usually means."""
    if "No module named 'torch'" in error:
        return "torch is not installed in the environment of this Python: %s" % sys.executable
    if "cannot open shared object file" in error:
        return "a library that torch was linked with is missing from the image; add the package that holds it (packages.apt)"
    if "GLIBC" in error:
        return "the base image's C library is older than this torch build needs; take a newer base"
    return "try it by hand: python -c 'import torch'"


def select(checks, options, context):
    """The checks that the command line asks for, in their order. Raises ValueError for a name that does not exist."""
    groups = [name for text in options.group for name in text.split(",") if name]
    for kind, asked, known in (
        ("check", options.check, [check.id for check in checks]),
        ("group", groups, [check.group for check in checks]),
    ):
        strange = [name for name in asked if name not in known]
        if strange:
            raise ValueError("no %s is called %s; there are: %s" % (kind, ", ".join(strange), ", ".join(sorted(set(known)))))
    if options.check:
        return [check for check in checks if check.id in options.check]
    if groups:
        checks = [check for check in checks if check.group in groups]
    if options.quick:
        wants_gpu = context.gpu_mode != "none"
        checks = [check for check in checks if check.is_quick and (wants_gpu or check.group != "gpu")]
    return checks


def parse(arguments):
    parser = argparse.ArgumentParser(description="Asks this image whether it is what its plan says.")
    parser.add_argument("--plan", metavar="FILE", help="the plan this image was built from (default: none)")
    parser.add_argument("--expect", metavar="JSON", type=json.loads, default={}, help="what is to be found, over the plan")
    parser.add_argument("--quick", action="store_true", help="only the checks that cost little")
    parser.add_argument("--group", metavar="G,…", action="append", default=[], help="only these groups")
    parser.add_argument("--check", metavar="ID", action="append", default=[], help="only this check; may be repeated")
    parser.add_argument("--time-limit-scale", metavar="X", type=float, default=1.0, help="multiplies every time limit")
    parser.add_argument(
        "--checks-file", metavar="FILE", action="append", default=[], help="checks from FILE, not the built-in ones"
    )
    for inner in ("--child", "--forker", "--result-fd"):
        parser.add_argument(inner, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def load(options):
    for path in options.checks_file:
        probe_kit.load_checks(path)
    for name in () if options.checks_file else BUILT_IN:
        importlib.import_module(name)
    probe_kit.out_of_the_way()
    plan = {}
    if options.plan:
        with open(options.plan, encoding="utf-8") as file:
            plan = json.load(file)
    return probe_kit.Context(plan, options.expect)


def command_line(options):
    """How a child of this run is started: the same Python and the same knowledge."""
    command = [sys.executable, os.path.abspath(__file__), "--expect", json.dumps(options.expect)]
    for flag, values in (("--plan", [options.plan] if options.plan else []), ("--checks-file", options.checks_file)):
        for value in values:
            command += [flag, os.path.abspath(value)]
    return command


def main(arguments):
    options = parse(arguments)
    if options.result_fd:
        fd = int(options.result_fd)
        context = load(options)
        if options.forker is not None:
            return probe_child.be_forker(options.forker, probe_kit.CHECKS, context, fd)
        return probe_child.be_child(next(check for check in probe_kit.CHECKS if check.id == options.child), context, fd)
    try:
        context = load(options)
        checks = select(probe_kit.CHECKS, options, context)
    except (OSError, ValueError) as error:
        sys.stderr.write("error: %s\n" % error)
        return 2
    answers = os.dup(1)
    os.dup2(2, 1)  # whatever else is printed here must not get between the answers

    def tell(document):
        probe_kit.write_all(answers, probe_kit.to_line(document))

    Runner(context, tell, command_line(options), options.time_limit_scale).run(checks)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # nobody listens any more
        sys.exit(141)
