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

    from builder.cli import common
    from builder.cli.building import push

    console = common.console()
    engine = common.connect()
    try:
        present = common.built_workspace(engine, directory)
        done = push(console, engine, present.image, registry, present.document["name"])
    finally:
        engine.close()
    if as_json:
        console.document({"schema": "wsb.push/1", "pushed": [asdict(one) for one in done]})
        return 0
    for one in done:
        console.product(f"{one.reference}@{one.digest}")
    return 0
