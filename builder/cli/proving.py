"""`wsb test --on`: a job that is nothing but its proof, and the report of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.cli import following, submitting
from builder.cli.cluster_options import KubernetesOptions, SlurmOptions
from builder.launch.proof import report
from builder.model.report import Report

if TYPE_CHECKING:
    from builder.cli.common import Present
    from builder.engine.base import Engine
    from builder.ui.console import Console


def prove(
    on: str,
    present: Present,
    engine: Engine,
    console: Console,
    slurm: SlurmOptions,
    kubernetes: KubernetesOptions,
    *,
    nodes: int,
    gpus: int,
) -> Report:
    """Submit the proof, follow it to its end; its checks are shown."""
    from builder.ui.report_text import check_lines, summary_line

    submitting.check(present, engine, console, gpus)
    wanted = submitting.Wanted(nodes=nodes, gpus=gpus, uses_torchrun="torch" in present.document)
    if on == "slurm":
        prepared = submitting.on_slurm(present, engine, wanted, slurm, console.line, with_project=False)
    else:
        prepared = submitting.on_kubernetes(present, wanted, kubernetes, console.line, with_project=False)
    record = submitting.send(prepared)
    pieces: list[bytes] = []
    try:
        status = following.follow(record, pieces.append, console.line)
    except BaseException:
        following.cancel(record)
        raise
    output = b"".join(pieces).decode("utf-8", "replace")
    made = report(present.image.id, prepared.job, status, output)
    for check in made.checks:
        for line in check_lines(check, has_colour=console.has_colour, width=console.width):
            console.line(line)
    console.line(summary_line(made))
    if not made.has_passed:
        for line in output.splitlines()[-20:]:
            console.line(f"  | {line}")
    return made
