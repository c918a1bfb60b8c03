"""`wsb bundle`: everything a build without network needs, in one folder or archive."""

from __future__ import annotations

import os
from pathlib import Path

import click

from builder.cli.host_options import Machine, host_options


@click.command("bundle")
@host_options
@click.option("-o", "--output", metavar="DIR|FILE.tar", help="Where to; default: NAME-bundle beside wsb.yaml.")
@click.option("--fallback", is_flag=True, help="Where a source cannot be reached, take the next best, and say so.")
@click.option("--network", type=click.Choice(["default", "host"]), default="default", help="Network of the fetching steps.")
@click.pass_obj
def command(
    directory: str,
    machine: Machine,
    output: str | None,
    fallback: bool,
    network: str,
) -> int:
    """Write the base and every package of wsb.lock into one folder, or into an archive when it ends in .tar. Prints its path.

    On a machine without network: `wsb build --bundle DIR`.
    """
    from builder import bundling, pipeline
    from builder.cli import common
    from builder.cli.building import making_of
    from builder.ui.text import as_bytes

    console = common.console()
    workspace = pipeline.read(pipeline.find_directory(Path(directory)))
    host = machine.host()
    engine = common.connect()
    try:
        reach = pipeline.look_around(workspace, os.environ, engine, probes=fallback)
        plan, locked = pipeline.decide_locked(workspace, host, pipeline.read_lock(workspace), reach=reach)
        plan = pipeline.with_local_sources(plan, os.environ)
        target = Path(output) if output else workspace.directory / f"{plan.name}-bundle"
        with making_of(console, engine, f"bundle-{plan.name}", network=network, use_cache=True) as maker:
            written = bundling.write(maker, plan, pipeline.renderer(workspace), locked, target)
    finally:
        engine.close()
    console.line(f"{as_bytes(written)} for {locked.platform}: `wsb build --bundle {target}` needs no network")
    console.product(str(target))
    return 0
