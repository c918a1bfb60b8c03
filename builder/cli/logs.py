"""`wsb logs [ID]`: what a submitted job prints."""

from __future__ import annotations

import os
import sys

import click


@click.command("logs")
@click.argument("id", required=False, default="", metavar="[ID]")
@click.option("--follow", "-f", is_flag=True, help="Go on until the job ends; return its exit code.")
def command(id: str, follow: bool) -> int:
    """Show what a job has printed; without ID, the newest one's."""
    from builder.cli import common, following
    from builder.launch import records

    console = common.console()
    record = records.find(os.environ, id)
    if follow:
        return following.see_through(record, console, as_json=False)
    status, output, _ = following.answer(record)
    sys.stdout.buffer.write(output)
    sys.stdout.buffer.flush()
    if not output:
        console.line(f"job {record.id} has printed nothing yet: {following.sentence(status)}")
    return 0
