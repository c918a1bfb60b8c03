"""`wsb prune`: old builds, and torch images and bases that no workspace stands on any more."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from builder.engine.base import Engine
    from builder.launch.workspaces import Unused
    from builder.ui.console import Console


@click.command("prune")
@click.option("--yes", is_flag=True, help="Remove without asking.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(yes: bool, as_json: bool) -> int:
    """Free what no workspace uses: builds that a later one replaced, torch images and bases without a workspace.

    Says first what it would free. Off a terminal nothing is removed without --yes. Workspaces are never removed here.
    """
    from builder.cli import common
    from builder.launch.workspaces import Inventory, total
    from builder.ui.text import as_bytes
    from builder.ui.workspaces_text import unused_lines

    console = common.console()
    engine = common.connect()
    kept: list[str] = []
    removed: list[Unused] = []
    try:
        unused = Inventory(images=engine.images("")).unused
        for line in unused_lines(unused):
            console.line(line)
        if unused and (yes or _agrees(as_json)):
            removed, kept = _remove(console, engine, unused)
            console.line(f"freed about {as_bytes(total(removed))}")
        elif unused:
            console.line("nothing was removed; `wsb prune --yes` removes it")
    finally:
        engine.close()
    if as_json:
        gone = {one.image.id for one in removed}
        console.document(
            {
                "schema": "wsb.prune/1",
                "unused": [
                    {
                        "image": one.reference,
                        "id": one.image.id,
                        "kind": one.kind,
                        "frees_bytes": one.frees_bytes,
                        "removed": one.image.id in gone,
                    }
                    for one in unused
                ],
                "frees_bytes": total(unused),
                "freed_bytes": total(removed),
            }
        )
    return 1 if kept else 0


def _agrees(as_json: bool) -> bool:
    if as_json or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    return click.confirm("remove it?", default=False, err=True)


def _remove(console: Console, engine: Engine, unused: tuple[Unused, ...]) -> tuple[list[Unused], list[str]]:
    """(what is gone, why something is not). Upper images come first, so that a base is free when its turn comes."""
    from builder.errors import WsbError

    removed, kept = [], []
    for one in unused:
        try:
            engine.remove_image(one.reference)
            removed.append(one)
        except WsbError as error:
            if error.code != "engine-refused":
                raise
            kept.append(f"{one.reference[:40]} stays: {error}")
            console.warn(kept[-1], error.hints)
    return removed, kept
