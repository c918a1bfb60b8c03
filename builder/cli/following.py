"""Submitted jobs afterwards: where they stand, what they print, their end. Slurm and Kubernetes look the same from here."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from builder.errors import WsbError
from builder.launch.job import Record, State, Status

if TYPE_CHECKING:
    from builder.ui.console import Console

POLL_S = (0.3, 0.3, 0.5, 1.0, 2.0, 3.0)  # between two questions to the cluster, the last one for ever


def follow(record: Record, write: Callable[[bytes], None], say: Callable[[str], None]) -> Status:
    """The job's end, after its output was written as it came; changes of state are said."""
    last = ""
    known = ""
    for pause_s in _pauses():
        status, output, known = answer(record, known)
        if output:
            write(output)
        if sentence(status) != last:
            last = sentence(status)
            say(f"job {record.id}: {last}")
        if status.state is State.UNKNOWN or (status.state.is_final and not output):
            return status
        time.sleep(POLL_S[0] if status.state.is_final else pause_s)
    raise AssertionError("the pauses have no end")


def see_through(record: Record, console: Console, *, as_json: bool) -> int:
    """Follow a job to its end; its output is the product, unless a document is. Returns the command's exit code."""
    import sys

    stream = (sys.stderr if as_json else sys.stdout).buffer

    def write(data: bytes) -> None:
        stream.write(data)
        stream.flush()

    try:
        status = follow(record, write, console.line)
    except KeyboardInterrupt:
        console.line(
            f"job {record.id} goes on: `wsb logs --follow {record.id}` comes back to it, `wsb cancel {record.id}` ends it"
        )
        raise
    if as_json:
        console.document({**record.document(), "status": status.document()})
    return exit_code(status)


def _pauses() -> Iterator[float]:
    yield from POLL_S[:-1]
    while True:
        yield POLL_S[-1]


def answer(record: Record, known: str = "") -> tuple[Status, bytes, str]:
    """(where a job stands, what it printed beyond what was known, what is known now)."""
    if record.on == "slurm":
        from builder.launch.shell import shell_of
        from builder.launch.slurm.client import Slurm

        found = Slurm(shell_of(record.place)).ask(record.id, record.files["directory"], int(known or "0"))
        return found.status, found.output, str(int(known or "0") + len(found.output))
    from builder.launch.kubernetes.client import cluster_of

    return cluster_of(record.place, os.environ).ask(record.id, known)


def cancel(record: Record) -> None:
    """Ask for the job's end."""
    if record.on == "slurm":
        from builder.launch.shell import shell_of
        from builder.launch.slurm.client import Slurm

        Slurm(shell_of(record.place)).cancel(record.id)
        return
    from builder.launch.kubernetes.client import cluster_of

    cluster_of(record.place, os.environ).cancel(record.id)


def sentence(status: Status) -> str:
    """`running on n[1-2]`, `failed: a node died: n2`."""
    where = f" on {status.nodes}" if status.nodes and status.state is State.RUNNING else ""
    return status.state.value + where + (f": {status.reason}" if status.reason else "")


def unanswered(error: WsbError) -> Status:
    """In a list of jobs, one cluster that does not answer must not hide the others."""
    return Status(state=State.UNKNOWN, reason=str(error))


def exit_code(status: Status) -> int:
    """What wsb returns for a job that ended: the command's own code, 1 where there is none."""
    if status.state is State.DONE:
        return 0
    return status.exit_code or 1
