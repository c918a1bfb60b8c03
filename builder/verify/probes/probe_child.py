"""The inside of a check's process: runs the check, answers on its pipe, and makes a crash or a hang say where it was."""

import faulthandler
import json
import os
import resource
import sys
import time
import warnings

from probe_kit import answer_of, first_lines, to_line, write_all


def prepare():
    """Makes a crash talk (a Python stack on a fatal signal) and keeps it small and expendable."""
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:  # when memory runs out the kernel should take the check, not the runner that reports it
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("800")
    except OSError:
        pass


def be_child(check, context, fd):
    """Runs one check here, answers, and ends without the interpreter's own teardown."""
    os.set_inheritable(fd, False)
    prepare()
    leave(fd, {"answer": answer_of(check, context)})


def be_forker(module, checks, context, fd):
    """Imports a module ("" for none), says so, and then forks a child for each request on standard input."""
    os.set_inheritable(fd, False)
    prepare()
    started = time.time()
    try:
        if module:
            __import__(module)
    except BaseException as error:
        text = "%s: %s" % (type(error).__name__, first_lines(str(error), 6))
        write_all(fd, to_line({"broken": text}))
        raise
    warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns at fork; probe_process says why it is sound
    write_all(fd, to_line({"ready": time.time() - started}))
    while True:
        line = sys.stdin.buffer.readline()
        if not line:
            return
        request = json.loads(line.decode("ascii"))
        number = request["number"]
        pid = os.fork()
        if pid == 0:
            try:
                os.setsid()
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
                write_all(fd, to_line({"number": number, "pid": os.getpid()}))
                check = next(known for known in checks if known.id == request["id"])
                leave(fd, {"number": number, "answer": answer_of(check, context)})
            finally:
                os._exit(70)
        _, status = os.waitpid(pid, 0)
        code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        write_all(fd, b"\n" + to_line({"number": number, "exit": code}))  # \n: it may have died in mid-line


def leave(fd, message):
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            pass
    write_all(fd, to_line(message))
    os._exit(0)
