"""The display on a real pseudo-terminal, interrupted as a person does it."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import termios
from pathlib import Path

from tests.support.polling import eventually

SCRIPT = """
import os, signal, sys
from builder.engine.base import StepStarted
from builder.ui.console import Console
from builder.ui.progress import Progress
with Progress(Console(sys.stdout, sys.stderr, os.environ, sys.stderr.isatty())) as progress:
    progress(StepStarted(id="a", name="[1/1] RUN waiting"))
    signal.pause()
"""


def test_ctrl_c_gives_the_cursor_back_and_clears_the_display() -> None:
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "TERM": "xterm"},
        start_new_session=True,
        preexec_fn=_take_terminal,
    )
    os.close(slave)
    os.set_blocking(master, False)
    seen = b""

    def shows(text: bytes) -> bool:
        nonlocal seen
        try:
            seen += os.read(master, 65536)
        except BlockingIOError:
            pass
        except OSError:  # the other side is closed
            return True
        return text in seen

    eventually(lambda: shows(b"waiting"), "the display to appear")
    assert b"\x1b[?25l" in seen
    os.write(master, b"\x03")
    eventually(lambda: shows(b"KeyboardInterrupt"), "the interrupt to be told")
    assert process.wait(60) != 0
    os.close(master)
    before_traceback, _, _ = seen.partition(b"Traceback")
    assert before_traceback.endswith(b"\x1b[?25h")
    assert seen.rindex(b"\x1b[J") > seen.rindex(b"waiting", 0, len(before_traceback))


def _take_terminal() -> None:
    """Make standard input the controlling terminal, so that Ctrl-C typed there is a signal here."""
    import fcntl

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
