"""Signals on their way to a container."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from builder.engine.attach import signals
from tests.support.polling import eventually


class Target:
    def __init__(self) -> None:
        self.killed: list[str] = []

    def kill(self, name: str) -> None:
        self.killed.append(name)

    def resize(self, size: os.terminal_size) -> None:
        raise AssertionError(size)


@pytest.mark.parametrize("name", ["SIGHUP", "SIGTERM", "SIGQUIT"])
def test_a_signal_reaches_the_target_once_it_has_started(name: str) -> None:
    target = Target()
    with signals(target, False) as has_started:
        has_started()
        signal.raise_signal(signal.Signals[name])
        eventually(lambda: target.killed == [name], "the signal's arrival", 30)


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs Linux's /proc")
def test_the_thread_that_carries_signals_is_never_given_one() -> None:
    with signals(Target(), False):
        [carrier] = [thread for thread in threading.enumerate() if thread.name == "wsb-signals"]
        status = Path(f"/proc/self/task/{carrier.native_id}/status").read_text()
        blocked = int(status.split("SigBlk:")[1].split()[0], 16)
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
            assert blocked >> (number - 1) & 1
        assert signal.SIGHUP not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
