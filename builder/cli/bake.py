"""`wsb bake`: one bake file for many workspaces."""

from __future__ import annotations

import os
from pathlib import Path

import click

from builder.cli.host_options import Machine, host_options


@click.command("bake")
@host_options
@click.option("--push", metavar="REGISTRY", help="Tag for this registry.")
@click.option("--fallback", is_flag=True, help="Where a source cannot be reached, take the next best, and say so.")
@click.argument("directories", nargs=-1, metavar="[DIR]...")
@click.pass_obj
def command(
    directory: str,
    machine: Machine,
    push: str | None,
    fallback: bool,
    directories: tuple[str, ...],
) -> int:
    """Print a bake file for these projects, or for this one; projects with the same torch share its target.

    It builds what `wsb render` wrote into each: `wsb bake a b > bake.json && docker buildx bake --file bake.json`.
    """
    import json

    from builder import pipeline, store
    from builder.cli import common
    from builder.errors import WsbError
    from builder.render.bake import Baked, bake_document

    console = common.console()
    host = machine.host()
    found = []
    for one in directories or (directory,):
        workspace = pipeline.read(pipeline.find_directory(Path(one)))
        reach = pipeline.look_around(workspace, os.environ, None, probes=fallback)
        plan = pipeline.decide(workspace, host, reach=reach)
        files = pipeline.render(plan, inputs_digest=workspace.inputs_digest)
        place = os.path.relpath(workspace.directory)
        if any(one.change is not store.Change.SAME for one in store.compare(workspace.directory, files)):
            console.warn(f"{place} is not rendered as it would be now", [f"`wsb -C {place} render` first"])
        found.append(Baked(plan=plan, files=files, directory=place))
    names = [one.plan.name for one in found]
    for name in names:
        if names.count(name) > 1:
            raise WsbError("bad-value", f"two of these projects are called {name}; a bake file names each once")
    console.product(json.dumps(bake_document(found, registry=push or ""), indent=2, sort_keys=True))
    return 0
