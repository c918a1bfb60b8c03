"""`wsb init`: reads the project and proposes a wsb.yaml, with a reason beside each choice."""

from __future__ import annotations

from pathlib import Path

import click

from builder.cli.host_options import Machine, host_options

_LEVELS = ("none", "build", "patch", "minor", "all")


@click.command("init")
@click.argument("folder", metavar="[DIR]", required=False)
@host_options
@click.option("--yes", "-y", is_flag=True, help="Ask nothing: where files differ, the rule decides.")
@click.option("--stdout", "to_stdout", is_flag=True, help="Print the file and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document of what was chosen and why.")
@click.option("--relax", type=click.Choice(_LEVELS), default="none", help="How far the project's pins may move.")
@click.option("--accelerator", metavar="WHAT", help="Write this accelerator: cuda, cpu, 12.6 …")
@click.option("--force", is_flag=True, help="Replace a wsb.yaml that is there, comments and all.")
@click.pass_obj
def command(
    directory: str,
    folder: str | None,
    machine: Machine,
    yes: bool,
    to_stdout: bool,
    as_json: bool,
    relax: str,
    accelerator: str | None,
    force: bool,
) -> None:
    """Read the project in DIR (the current folder) and write its wsb.yaml."""
    import sys

    from builder import initial, pipeline
    from builder.cli.common import console

    place = Path(directory) / (folder or ".")
    out = console()
    asks = not (yes or to_stdout or as_json) and sys.stdin.isatty() and sys.stderr.isatty()
    host = machine.host()
    draft = initial.draft(place, relax=relax, accelerator=accelerator, ask=_ask if asks else None, host=host)
    if not to_stdout:
        initial.write(draft, replace=force)
    if as_json:
        out.document(initial.document(draft))
    elif to_stdout:
        out.product(draft.text)
    elif not as_json:
        out.product(str(place / pipeline.CONFIG))
    if not as_json:
        for line in initial.summary(draft, is_written=not to_stdout):
            out.line(line)
        refused = None if to_stdout else initial.objection(draft, host)
        if refused is not None:
            out.warn(f"as it stands this machine does not run it: {refused.message}", list(refused.hints))


def _ask(text: str, options: tuple[tuple[str, str], ...]) -> str:
    """Which of several answers counts; the first is what the rule would take."""
    click.echo(f"{text}:", err=True)
    for number, (value, why) in enumerate(options, 1):
        click.echo(f"  {number}  {value:<16} {why}", err=True)
    choice: int = click.prompt("which one counts", type=click.IntRange(1, len(options)), default=1, err=True)
    return options[choice - 1][0]
