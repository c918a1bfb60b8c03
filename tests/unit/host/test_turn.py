"""Builds that start together: what they share is made once."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from builder.host.turn import turn

HOLD = """
import sys
from pathlib import Path
from builder.host.turn import turn
with turn(sys.argv[1], lambda: None, Path(sys.argv[2])):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_a_second_builder_waits_and_says_so(tmp_path: Path) -> None:
    waited, order = threading.Event(), []

    def second() -> None:
        with turn("wsb/base:bookworm", waited.set, tmp_path):
            order.append("second")

    with turn("wsb/base:bookworm", lambda: order.append("nobody else was there"), tmp_path):
        other = threading.Thread(target=second)
        other.start()
        assert waited.wait(timeout=30)
        order.append("first")
    other.join(timeout=30)
    assert order == ["first", "second"]


def test_other_names_do_not_wait(tmp_path: Path) -> None:
    waits: list[str] = []
    with turn("one", lambda: waits.append("one"), tmp_path), turn("other", lambda: waits.append("other"), tmp_path):
        assert waits == []


def test_a_holder_that_is_killed_leaves_no_lock_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, "name", str(tmp_path)]
    waits: list[str] = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.kill()
        holder.wait()
        with turn("name", lambda: waits.append("waited"), tmp_path):
            assert waits == []


def test_every_user_of_the_machine_may_take_part(tmp_path: Path) -> None:
    old = os.umask(0o077)
    try:
        with turn("name", lambda: None, tmp_path):
            [lock] = tmp_path.iterdir()
            assert lock.stat().st_mode & 0o777 == 0o666
    finally:
        os.umask(old)


def test_without_a_place_for_the_lock_work_goes_on(tmp_path: Path) -> None:
    done = []
    with turn("name", lambda: None, tmp_path / "nowhere"):
        done.append(True)
    assert done == [True]
