"""`wsb status [ID]`: where submitted jobs stand."""

from __future__ import annotations

import os

import click

SHOWN = 10


@click.command("status")
@click.argument("id", required=False, default="", metavar="[ID]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(id: str, as_json: bool) -> int:
    """Say where a job stands; without ID, the last ten that were submitted from this machine."""
    from builder.cli import common, following
    from builder.errors import WsbError
    from builder.launch import records

    console = common.console()
    chosen = (records.find(os.environ, id),) if id else records.all_records(os.environ)[:SHOWN]
    found = []
    for record in chosen:
        try:
            status = following.answer(record)[0]
        except WsbError as error:
            if id:
                raise
            status = following.unanswered(error)
        found.append((record, status))
    if as_json:
        documents = [{**record.document(), "status": status.document()} for record, status in found]
        console.document(documents[0] if id else {"schema": "wsb.jobs/1", "jobs": documents})
        return 0
    for record, status in found:
        console.product(f"{record.id}  {record.name} on {record.place or record.on}: {following.sentence(status)}")
    if not found:
        console.line("no job was submitted from this machine")
    return 0
