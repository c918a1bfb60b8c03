"""`wsb explain [WHAT]`: why it was decided so, and the chain from the IDE to the GPU with the link that breaks."""

from __future__ import annotations

from pathlib import Path

import click

from builder.cli.host_options import Machine, host_options


@click.command("explain")
@click.argument("what", required=False)
@host_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--accept-anaconda-terms", is_flag=True, help="You accept the terms of Anaconda's own channels.")
@click.pass_obj
def command(
    directory: str,
    what: str | None,
    machine: Machine,
    as_json: bool,
    accept_anaconda_terms: bool,
) -> None:
    """Say why: the decisions (on WHAT: torch, python, cuda, base, …), and the chain from IDE to GPU."""
    import os

    from builder import pipeline
    from builder.catalog import load
    from builder.errors import ExitCode, WsbError
    from builder.ui.chain import chain_of, chain_of_error
    from builder.ui.explain_text import chain_lines, explain_json, explain_lines

    workspace = pipeline.read(pipeline.find_directory(Path(directory)))
    host = machine.host()
    reach = pipeline.look_around(workspace, os.environ, None, probes=False)
    try:
        plan = pipeline.decide(workspace, host, reach=reach, accept_anaconda_terms=accept_anaconda_terms)
    except WsbError as error:
        if error.exit_code is ExitCode.NOTHING_COMPATIBLE and not as_json:
            click.echo("\n".join(chain_lines(chain_of_error(error, host))))
        raise
    chain = chain_of(plan, host, load())
    if as_json:
        import json

        click.echo(json.dumps(explain_json(plan, chain, what), indent=2, ensure_ascii=False))
        return
    click.echo("\n".join(explain_lines(plan, chain, what)))
