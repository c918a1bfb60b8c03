"""`wsb load`: the image of such a file, into this machine's engine."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("load")
@click.argument("file", metavar="FILE")
@click.pass_obj
def command(directory: str, file: str) -> int:  # noqa: ARG001  # every verb is handed the folder
    """Take the image that `wsb save` wrote. Prints its name."""
    from builder import moving
    from builder.cli import common

    console = common.console()
    engine = common.connect()
    try:
        for name in moving.load(engine, Path(file), lambda _: None):
            console.product(name)
    finally:
        engine.close()
    return 0
