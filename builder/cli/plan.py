"""`wsb plan`: what would be built, and why. Needs no engine."""

from __future__ import annotations

from pathlib import Path

import click

from builder.cli.host_options import Machine, host_options


@click.command("plan")
@host_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--fallback", is_flag=True, help="Look which sources can be reached, and plan around those that cannot.")
@click.option("--accept-anaconda-terms", is_flag=True, help="You accept the terms of Anaconda's own channels.")
@click.pass_obj
def command(
    directory: str,
    machine: Machine,
    as_json: bool,
    fallback: bool,
    accept_anaconda_terms: bool,
) -> None:
    """Show what would be built, and why; needs no engine."""
    import os

    from builder import pipeline

    workspace = pipeline.read(pipeline.find_directory(Path(directory)))
    host = machine.host()
    reach = pipeline.look_around(workspace, os.environ, None, probes=fallback)
    plan = pipeline.decide(workspace, host, reach=reach, accept_anaconda_terms=accept_anaconda_terms)
    if as_json:
        import json

        click.echo(json.dumps(pipeline.document(plan), indent=2, ensure_ascii=False))
        return
    from builder.ui.plan_text import plan_lines

    click.echo("\n".join(plan_lines(plan)))
