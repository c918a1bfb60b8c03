"""`wsb render`: write the Dockerfile and all that belongs to it into the project."""

from __future__ import annotations

import os
from pathlib import Path

import click

from builder.cli.host_options import host_of, host_options


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
    host_file: str | None,
    driver: str | None,
    gpus: tuple[str, ...],
    to_stdout: bool,
    check: bool,
    force: bool,
    as_json: bool,
    fallback: bool,
    accept_anaconda_terms: bool,
) -> int:
    """Write the Dockerfile and all that belongs to it into the project."""
    from builder import pipeline, store
    from builder.cli import common

    console = common.console()
    workspace = pipeline.read(pipeline.find_directory(Path(directory)))
    reach = pipeline.look_around(workspace, os.environ, None, probes=fallback)
    host = host_of(host_file, driver, gpus)
    plan = pipeline.decide(workspace, host, reach=reach, accept_anaconda_terms=accept_anaconda_terms)
    files = pipeline.render(plan, inputs_digest=workspace.inputs_digest)
    if to_stdout:
        console.product(files["Dockerfile"].decode("utf-8"))
        return 0
    if check:
        done = store.compare(workspace.directory, files)
    else:
        done = store.write(workspace.directory, files, overwrite_edited=force)
    changed = [one for one in done if one.change is not store.Change.SAME]
    kept = [one.path for one in done if one.change is store.Change.EDITED]
    if as_json:
        console.document({"schema": "wsb.render/1", "files": [{"path": one.path, "change": one.change.value} for one in done]})
    else:
        for one in changed:
            console.product(f"{one.change.value:8} {one.path}")
    if kept and not check:
        console.warn(f"kept as edited: {', '.join(kept)}", ["`wsb render --force` overwrites them"])
    return 1 if (changed if check else kept) else 0
