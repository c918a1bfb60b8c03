"""The options of the verbs that build: what may be used on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from builder.cli.option_groups import handed_as
from builder.model.frozen import frozen

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--json", "as_json", is_flag=True, help="Print one JSON document."),
    click.option("--fallback", is_flag=True, help="Where a source cannot be reached, take the next best, and say so."),
    click.option("--locked", is_flag=True, help="Install exactly what wsb.lock names, and refuse anything else."),
    click.option(
        "--pull-first",
        metavar="REGISTRY",
        help="Take from there what was made from the same: the image, else the torch image below it.",
    ),
    click.option("--no-cache", is_flag=True, help="Build every step anew."),
    click.option("--network", type=click.Choice(["default", "host"]), default="default", help="Network of the build's steps."),
    click.option("--accept-anaconda-terms", is_flag=True, help="You accept the terms of Anaconda's own channels."),
)


@frozen
class Wanted:
    """As they were given."""

    as_json: bool
    fallback: bool
    locked: bool
    pull_first: str | None
    no_cache: bool
    network: str
    accept_anaconda_terms: bool


def build_options(command: F) -> F:
    """Hands the command one argument, wanted: a Wanted."""
    return handed_as("wanted", Wanted, _OPTIONS)(command)
