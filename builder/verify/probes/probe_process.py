"""Runs one check in a process of its own and always comes back with an answer.

Two ways to start one: a new Python, or a fork of one that is kept for it. The second kind is there because an import of
torch takes seconds and a full run has some twenty checks. Forking is sound because importing torch starts none of its
thread pools (they start with the first parallel kernel) and does not touch CUDA; a check that would (CUDA) or that forks
workers itself asks for a fresh start. Either way a check leads a session of its own, so a hang is ended with all its
children, and a crash takes nothing else along.
"""

import json
import os
import select
import signal
import subprocess
import time

from probe_kit import failed, to_line
from probe_memory import memory_limit, oom_kills

KEPT_OUTPUT = 16384  # bytes of a check's own prints that are kept for a failure's hint
OWN_FRAME = os.path.join("probes", "probe_")  # frames of this machinery, which no reader needs
GRACE_S = 3.0  # for an answered process to end, and for a hung one to print where it hangs


class Asked:
    """What came back: answer (or None), exit (a negative number for a signal, or None), output, is_late, is_oom."""

    def __init__(self):
        self.answer = None
        self.exit = None
        self.pid = None
        self.output = b""
        self.is_late = False
        self.is_oom = False


class Child:
    """A Python running run.py in one of its inner modes, with a pipe for what it prints and one for what it answers."""

    def __init__(self, command, stdin):
        reading, writing = os.pipe()
        self.process = subprocess.Popen(
            [*command, "--result-fd", str(writing)],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=[writing],
            start_new_session=True,
        )
        os.close(writing)
        self.results = reading
        self.prints = self.process.stdout.fileno()
        self.output = b""
        self._partial = b""
        self._waiting = []
        self._open = {self.results, self.prints}

    @property
    def is_alive(self):
        return self.process.poll() is None

    @property
    def runs_on(self):
        """Whether it runs on: a dying process closes its pipes first."""
        return bool(self._open) and self.is_alive

    def messages(self, limit_s):
        """Yields each message as it comes; ends when time is up, the pipes are closed, or the process has ended."""
        deadline = time.time() + limit_s
        while True:
            while self._waiting:  # the caller may stop after any of them; the rest is for its next question
                yield self._waiting.pop(0)
            if not self._open or time.time() >= deadline:
                return
            was_alive = self.is_alive  # asked before reading: what it wrote last is then still read
            ready, _, _ = select.select(sorted(self._open), [], [], max(0.0, min(0.05, deadline - time.time())))
            self._read(ready)
            if not ready and not was_alive:  # a grandchild may hold the pipes open for ever
                return

    def _read(self, ready):
        for fd in ready:
            data = os.read(fd, 65536)
            if not data:
                self._open.discard(fd)
            elif fd == self.prints:
                self.output = (self.output + data)[-KEPT_OUTPUT:]
            else:
                lines = (self._partial + data).split(b"\n")
                self._partial = lines.pop()
                for line in lines:
                    try:
                        message = json.loads(line.decode("ascii"))
                    except ValueError:  # the half line of a process that was killed while it wrote
                        continue
                    if isinstance(message, dict):
                        self._waiting.append(message)

    def first(self, limit_s):
        """The first message; None when none came."""
        for message in self.messages(limit_s):
            return message
        return None

    def end(self, asked):
        """Waits for the end of a process that has answered or ran out of time, and notes how it ended."""
        if asked.answer is None and self.runs_on:
            asked.is_late = True
            ask_where(self.process.pid)
        for _ in self.messages(GRACE_S):
            pass
        if self.runs_on:
            end_group(self.process.pid, signal.SIGKILL)
        try:
            code = self.process.wait(timeout=GRACE_S)  # its pipes close a moment before it can be waited for
        except subprocess.TimeoutExpired:
            code = None
        asked.exit = None if asked.is_late else code

    def close(self):
        """Ends the process and everything in its group."""
        end_group(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()
        os.close(self.results)


def ask_fresh(command, limit_s):
    """Runs one check in a new Python. command: run.py with --child ID."""
    asked, ooms = Asked(), oom_kills()
    child = Child(command, subprocess.DEVNULL)
    try:
        asked.answer = (child.first(limit_s) or {}).get("answer")
        child.end(asked)
        asked.output = child.output
    finally:
        child.close()
    asked.is_oom = oom_kills() > ooms
    return asked


class Forker:
    """A process that imports something once and then forks a child for each check. begin(), then ready(), then ask()."""

    def __init__(self, command):
        self.command = command
        self.child = None
        self.count = 0
        self.started = 0.0

    @property
    def is_alive(self):
        return self.child is not None and self.child.is_alive

    def begin(self):
        """Starts it; it imports while the caller does something else."""
        self.close()
        self.child = Child(self.command, subprocess.PIPE)
        self.started = time.time()

    def ready(self, limit_s):
        """Waits until it can be asked. The answer is {"ready": seconds} or {"broken": error}."""
        asked, ooms = Asked(), oom_kills()
        if self.child is None:
            self.begin()
        asked.answer = self.child.first(max(1.0, self.started + limit_s - time.time()))
        if not (asked.answer and "ready" in asked.answer):
            self.child.end(asked)
        asked.output = self.child.output
        asked.is_oom = oom_kills() > ooms
        if not (asked.answer and "ready" in asked.answer):
            self.close()
        return asked

    def ask(self, id, limit_s):
        """Runs one check in a fork."""
        asked, ooms = Asked(), oom_kills()
        self.count += 1
        self.child.output = b""
        try:
            self.child.process.stdin.write(to_line({"number": self.count, "id": id}))
            self.child.process.stdin.flush()
        except OSError:  # it is gone; said below
            pass
        self._listen(asked, limit_s)
        if asked.answer is None and asked.exit is None and self.child.runs_on:
            asked.is_late = True
            ask_where(asked.pid)
        if asked.exit is None:
            self._listen(asked, GRACE_S, until_exit=True)
        end_group(asked.pid, signal.SIGKILL)  # it, or whatever it left behind in its group
        if asked.exit is None:
            self._listen(asked, GRACE_S, until_exit=True)
        asked.output = self.child.output
        if asked.exit is None or not self.is_alive:  # not even SIGKILL ended it, or the forker itself is gone: start anew
            self.close()
        if asked.is_late:
            asked.answer = asked.exit = None
        asked.is_oom = oom_kills() > ooms
        return asked

    def _listen(self, asked, limit_s, until_exit=False):
        for message in self.child.messages(limit_s):
            if message.get("number") != self.count:  # a straggler of an earlier check
                continue
            asked.pid = message.get("pid", asked.pid)
            asked.answer = message.get("answer", asked.answer)
            asked.exit = message.get("exit", asked.exit)
            if asked.exit is not None or (asked.answer is not None and not until_exit):
                return

    def close(self):
        if self.child is not None:
            self.child.close()
            self.child = None


def ask_where(pid):
    """Lets faulthandler print where a hung check stands; only it, since its workers' stacks would drown that."""
    if pid:
        try:
            os.kill(pid, signal.SIGABRT)
        except ProcessLookupError:
            pass


def end_group(pid, number):
    """A signal to a process group, if it is still there."""
    if pid:
        try:
            os.killpg(pid, number)
        except (ProcessLookupError, PermissionError):
            pass


def settle(asked, limit_s):
    """The answer that goes into the report: the check's own, or a failure that says how the process ended."""
    tail = last_words(asked.output.decode("utf-8", "replace"))
    if asked.answer is not None:
        return asked.answer
    if asked.is_late:
        return failed("no answer within %g s" % limit_s, "an answer", join("it was stopped; it stood here:", tail))
    if asked.is_oom:
        return failed("killed for memory", "an answer", join("the kernel ended it: memory ran out (%s)" % memory_limit(), tail))
    if asked.exit is not None and asked.exit < 0:
        name = signal_name(-asked.exit)
        said = "it crashed; its last lines:" if tail else "it crashed without a word"
        if name == "SIGKILL":
            said = "something outside ended it; the usual cause is memory that ran out (%s)" % memory_limit()
        elif name == "SIGBUS":
            said = "a bus error: the usual cause is a /dev/shm that is full (set run.shm_size in wsb.yaml)"
        elif name == "SIGILL":
            said = "an instruction that this CPU does not have: this build of torch is for newer CPUs"
        return failed("ended by " + name, "an answer", join(said, tail))
    if asked.exit is None:
        return failed("no answer", "an answer", join("its process was lost", tail))
    return failed("ended with exit code %d and no answer" % asked.exit, "an answer", tail)


def last_words(output):
    """The last of what it printed, and the innermost frames of the Python stack that faulthandler printed after it."""
    lines = [line for line in output.strip().splitlines() if line.strip()]
    fatal = [number for number, line in enumerate(lines) if line.startswith("Fatal Python error")]
    if not fatal:
        return "\n".join(lines[-8:])
    prints, stack = lines[: fatal[-1]][-6:], lines[fatal[-1] :]
    current = [number for number, line in enumerate(stack) if line.startswith("Current thread")]
    frames = stack[current[0] + 1 :] if current else stack[1:]
    return "\n".join(prints + stack[:1] + [frame for frame in frames if OWN_FRAME not in frame][:6])


def join(said, tail):
    return said + "\n" + tail if tail else said


def signal_name(number):
    try:
        return signal.Signals(number).name
    except ValueError:
        return "signal %d" % number
