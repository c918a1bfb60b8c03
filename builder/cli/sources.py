"""`wsb sources`: the mirrors that are known, how they answer from here, and this machine's own choice."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from builder.host.speed import Measured
    from builder.ui.console import Console


@click.group("sources")
def command() -> None:
    """Where packages come from: registry, apt, conda, pip, torch, Miniconda.

    A project names its sources in wsb.yaml (`sources: tuna`). What only this machine needs stands in the user's own
    configuration file, under the same key; it goes into no project, image or lock.
    """


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_(as_json: bool) -> int:
    """Print the presets with what each carries, and this machine's own settings."""
    from builder import pipeline
    from builder.cli import common
    from builder.measuring import KINDS, presets

    console = common.console()
    found, date = presets()
    own = pipeline.machine_sources(os.environ)
    path = pipeline.machine_config(os.environ)
    if as_json:
        told = {"schema": "wsb.sources/1", "date": date, "presets": found, "machine": {"file": str(path), "sources": own}}
        console.document(told)
        return 0
    for name, addresses in found.items():
        carried = ", ".join(kind for kind in KINDS if kind in addresses)
        console.product(f"{name:8} {carried}")
    console.line(f"addresses as of {date}, from each mirror's own help pages; `wsb sources test` tries them from here")
    for kind, address in own.items():
        console.line(f"{path}: {kind}: {address}")
    return 0


@command.command("test")
@click.argument("names", nargs=-1, metavar="[PRESET]...")
@click.option("--save", is_flag=True, help="Write the proposal into this machine's own configuration file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def test(names: tuple[str, ...], save: bool, as_json: bool) -> int:
    """Measure the usual places and the presets from here, and propose the fastest of each kind."""
    from builder import measuring, pipeline
    from builder.cli import common
    from builder.host.local import ca_bundle
    from builder.store import write_file

    console = common.console()
    measured = measuring.measure_presets(names, ca_bundle(os.environ), pipeline.machine_sources(os.environ))
    best = measuring.best_of(measured)
    path = pipeline.machine_config(os.environ)
    text = measuring.config_text(best)
    if save:
        write_file(path, text.encode("utf-8"))
    if as_json:
        rows = [measuring.row(kind, name, one) for kind, name, one in measured]
        console.document({"schema": "wsb.sources/1", "measured": rows, "proposal": best, "file": str(path), "saved": save})
        return 0
    _tell(console, measured)
    if save:
        console.line(f"written to {path}: it holds for every project on this machine, and goes into none")
    elif best:
        console.line(f"proposal for {path} (`wsb sources test --save` writes it):")
    console.product(text.rstrip())
    return 0


def _tell(console: Console, measured: Sequence[tuple[str, str, Measured]]) -> None:
    from builder.ui.text import as_bytes

    for kind, name, one in measured:
        told = f"{one.first_s:5.2f} s, then {as_bytes(int(one.bytes_per_s))}/s" if one.answers else one.why_not
        console.line(f"{kind:9} {name:8} {told}")
