"""What the first process of a container owes the others: signals passed on, orphans reaped, nobody left behind.

The kernel gives process 1 no default signal handling, and `scancel` knows no other process: without this a cancelled job
stays in its last state and blocks the nodes until somebody kills it by hand.
"""

import ctypes
import os
import signal
import sys
import time

GRACE_S = 8.0  # from the request to end until everything is killed; a scheduler's own patience is 30 s
PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCONT)
ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
PR_SET_CHILD_SUBREAPER = 36


class Init:
    """Starts one command and lives a moment longer than it. ended_by: the signal that asked for the end, None."""

    def __init__(self, grace_s):
        self.grace_s = grace_s
        self.child = 0
        self.ended_by = None

    def pass_on(self, number, _frame):
        if number in ENDING and self.ended_by is None:
            self.ended_by = number
            signal.setitimer(signal.ITIMER_REAL, self.grace_s)
        if self.child:
            kill(self.child, number)

    def end(self, _number, _frame):
        """The grace is over."""
        kill_all()

    def run(self, words, variables):
        for number in PASSED_ON:
            signal.signal(number, self.pass_on)
        signal.signal(signal.SIGALRM, self.end)
        self.child = os.fork()
        if self.child == 0:
            become(words, variables)
        code = self.wait()
        signal.setitimer(signal.ITIMER_REAL, 0)
        leave_nobody()
        return code

    def wait(self):
        """The exit code of the child; other processes that end in the meantime are reaped."""
        while True:
            pid, status = os.wait()
            if pid == self.child:
                self.child = 0
                return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def run(words, variables, grace_s=GRACE_S):
    """(the command's exit code, whether it was asked to end)."""
    if os.getpid() != 1:
        adopt_orphans()
    init = Init(grace_s)
    return init.run(words, variables), init.ended_by is not None


def adopt_orphans():
    """Where this is not process 1, children of children still come to us when their parent is gone."""
    try:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    except (OSError, AttributeError):
        return


def become(words, variables):
    for number in (*PASSED_ON, signal.SIGALRM, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    os.setsid()  # its own session: the command's job control and ours do not meet
    try:
        os.execvpe(words[0], words, variables)
    except OSError as error:
        sys.stderr.write("wsb: cannot start %s: %s\n" % (words[0], error.strerror))
        sys.stderr.flush()
        os._exit(127 if isinstance(error, FileNotFoundError) else 126)


def kill_all():
    """Everything below this process, by force; whether there was anything."""
    if os.getpid() == 1:
        kill(-1, signal.SIGKILL)
        return True
    found = descendants(os.getpid())
    for pid in found:
        kill(pid, signal.SIGKILL)
    return bool(found)


def leave_nobody():
    """Return when nothing below this process lives any more, or after five seconds."""
    deadline = time.time() + 5
    while time.time() < deadline:
        had_some = kill_all()
        if reap() and (os.getpid() == 1 or not had_some):
            return
        time.sleep(0.01)


def reap():
    """Whether no child is left, after those that have ended were taken leave of."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return True
    return False


def descendants(ancestor):
    children = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open("/proc/%s/stat" % name, encoding="ascii", errors="replace") as file:
                state, parent = file.read().rpartition(")")[2].split()[:2]
        except (OSError, ValueError):
            continue
        if state != "Z":
            children.setdefault(int(parent), []).append(int(name))
    found = []
    waiting = [ancestor]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def kill(pid, number):
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return
