"""`wsb cancel ID`: end a submitted job."""

from __future__ import annotations

import os

import click


@click.command("cancel")
@click.argument("id", metavar="ID")
def command(id: str) -> int:
    """End a job; returns when the cluster has taken the request."""
    from builder.cli import common, following
    from builder.launch import records

    console = common.console()
    record = records.find(os.environ, id)
    status = following.answer(record)[0]
    if status.state.is_final:
        console.line(f"job {record.id} has ended already: {following.sentence(status)}")
        return 0
    following.cancel(record)
    console.line(f"job {record.id} is being cancelled")
    return 0
