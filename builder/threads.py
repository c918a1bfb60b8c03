"""Threads beside the main one, which alone takes signals.

The kernel may give a signal that is meant for the process to any of its threads. Given to one that waits, it does not end
the main thread's own wait, and a Ctrl-C would be heard when the next byte arrives, which may be never.
"""

from __future__ import annotations

import signal
import threading


def start_deaf(thread: threading.Thread) -> None:
    """Start a thread that is given no signals."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        thread.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
