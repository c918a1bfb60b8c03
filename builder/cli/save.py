"""`wsb save`: the built image as one file, for a machine that no registry serves."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("save")
@click.option("-o", "--output", metavar="FILE", help="Where to; default: NAME.tar. A name that ends in .gz is compressed.")
@click.pass_obj
def command(directory: str, output: str | None) -> int:
    """Write this project's image into one file. Prints its path; `wsb load FILE` takes it on another machine."""
    from builder import moving
    from builder.cli import common
    from builder.ui.text import as_bytes

    console = common.console()
    engine = common.connect()
    try:
        present = common.built_workspace(engine, directory)
        name = present.document["image"]
        target = Path(output) if output else present.workspace.directory / f"{present.document['name']}.tar"
        moving.save(engine, name, target)
    finally:
        engine.close()
    console.line(f"{name}: {as_bytes(target.stat().st_size)}")
    console.product(str(target))
    return 0
