"""`wsb schema`: the JSON Schema of wsb.yaml, on standard output."""

from __future__ import annotations

import click


@click.command()
def schema() -> None:
    """Print the JSON Schema of wsb.yaml, for editors."""
    import json

    from builder.config import schema as schema_of_wsb_yaml

    click.echo(json.dumps(schema_of_wsb_yaml(), indent=2, ensure_ascii=False))
