"""`wsb push`: the built image into a registry, under what it was made from and under its name."""

from __future__ import annotations

import click


@click.command("push")
@click.argument("registry", metavar="REGISTRY[/PATH]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(directory: str, registry: str, as_json: bool) -> int:
    """Push this project's image. Credentials are those of `docker login`. Prints the reference with its digest.

    Another machine with the same wsb.lock takes it with `wsb build --locked --pull-first REGISTRY`.
    """
    from dataclasses import asdict

    from builder import moving
    from builder.cli import common
    from builder.ui.progress import Progress
    from builder.ui.text import as_bytes

    console = common.console()
    engine = common.connect()
    try:
        present = common.built_workspace(engine, directory)
        with Progress(console) as progress:
            done = moving.push(engine, present.image, registry, present.document["name"], progress)
    finally:
        engine.close()
    first = done[0]
    if as_json:
        console.document({"schema": "wsb.push/1", "pushed": [asdict(one) for one in done]})
        return 0
    console.line(f"{first.layers_sent} layers sent ({as_bytes(first.sent_bytes)} unpacked), {first.layers_there} there already")
    for one in done:
        console.product(f"{one.reference}@{one.digest}")
    return 0
