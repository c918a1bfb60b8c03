"""`wsb render`: write the Dockerfile, the dev container and all that belongs to them into the project."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from builder.cli.host_options import Machine, host_options

if TYPE_CHECKING:
    from builder.store import Change, Written
    from builder.ui.console import Console


@click.command("render")
@host_options
@click.option("--stdout", "to_stdout", is_flag=True, help="Print the Dockerfile; write nothing.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if a file differs from what would be written.")
@click.option("--force", is_flag=True, help="Overwrite files that somebody edited.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--fallback", is_flag=True, help="Where a source cannot be reached, take the next best, and say so.")
@click.option("--accept-anaconda-terms", is_flag=True, help="You accept the terms of Anaconda's own channels.")
@click.pass_obj
def command(
    directory: str,
    machine: Machine,
    to_stdout: bool,
    check: bool,
    force: bool,
    as_json: bool,
    fallback: bool,
    accept_anaconda_terms: bool,
) -> int:
    """Write the Dockerfile, the dev container and the IDEs' files into the project.

    Files that you edited are kept.
    """
    from builder import pipeline, store
    from builder.cli import common
    from builder.model.files import FileSet

    console = common.console()
    workspace = pipeline.read(pipeline.find_directory(Path(directory)))
    reach = pipeline.look_around(workspace, os.environ, None, probes=fallback)
    host = machine.host()
    plan = pipeline.decide(workspace, host, reach=reach, accept_anaconda_terms=accept_anaconda_terms)
    files = pipeline.render(plan, inputs_digest=workspace.inputs_digest)
    if to_stdout:
        console.product(files["Dockerfile"].decode("utf-8"))
        return 0
    files = FileSet((*files, *pipeline.render_for_ides(plan, workspace.directory)))
    if check:
        done = store.compare(workspace.directory, files, is_whole=True)
    else:
        done = store.write(workspace.directory, files, overwrite_edited=force, is_whole=True)
    _tell(console, done, as_json, has_written=not check)
    if check:
        return 1 if any(one.change not in (store.Change.SAME, store.Change.OWN) for one in done) else 0
    return 1 if any(one.change is store.Change.CONFLICT for one in done) else 0


def _tell(console: Console, done: Sequence[Written], as_json: bool, *, has_written: bool) -> None:
    from builder.store import NEW_TEXTS, Change

    if as_json:
        console.document({"schema": "wsb.render/1", "files": [{"path": one.path, "change": one.change.value} for one in done]})
    else:
        for one in done:
            if one.change is not Change.SAME:
                console.product(f"{one.change.value:8} {one.path}")
    if not has_written:
        return
    if edited := _paths(done, Change.EDITED):
        console.line(f"kept as you edited them: {edited}")
    if conflicts := _paths(done, Change.CONFLICT):
        hints = [
            f"what wsb would write lies in {NEW_TEXTS}/; take from it what you want",
            "`wsb render --force` overwrites yours",
        ]
        console.warn(f"kept as you edited them, though there is something new: {conflicts}", hints)


def _paths(done: Sequence[Written], change: Change) -> str:
    return ", ".join(one.path for one in done if one.change is change)
