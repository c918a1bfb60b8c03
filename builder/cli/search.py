"""`wsb search`: what a name means, which releases there are, and whether one fits this workspace."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from builder.cli.packages import Project


@click.command("search")
@click.argument("name")
@click.option("--conda", "in_conda", is_flag=True, help="Also ask the conda channels, through the image's conda.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(directory: str, name: str, in_conda: bool, as_json: bool) -> int:
    """Say what NAME means, what the index has of it, and what would be installed here. Exit code 1 when nothing is found."""
    from builder.cli import common
    from builder.cli.packages import open_anywhere
    from builder.ui.packages_text import search_lines

    console = common.console()
    project = open_anywhere(directory)
    try:
        document = _document(project, name, in_conda=in_conda)
    finally:
        project.close()
    if as_json:
        console.document(document)
    else:
        console.product("\n".join(search_lines(document)) + "\n")
    return 0 if document["found"] else 1


def _document(project: Project, name: str, *, in_conda: bool) -> dict[str, Any]:
    """wsb.search/1."""
    from builder.catalog import load
    from builder.errors import WsbError
    from builder.packages.names import choose

    document: dict[str, Any] = {"schema": "wsb.search/1", "name": name, "found": False}
    try:
        chosen = choose(load(), project.manager, name)
    except WsbError as error:
        document |= {"means": None, "because": str(error), "hints": list(error.hints)}
        return document | _known(name)
    document |= {"means": chosen.item, "kind": chosen.kind}
    document |= {"because": chosen.because} if chosen.because else {}
    if chosen.kind == "pip" and "://" not in chosen.item:
        document |= _from_index(project, chosen.item, chosen.name)
    else:
        document["found"] = chosen.kind != "conda"
    if in_conda or chosen.kind == "conda":
        document |= _from_conda(project, chosen.item if chosen.kind == "conda" else chosen.name)
    return document | _known(chosen.name)


def _known(name: str) -> dict[str, Any]:
    """What the tables say of a package that is tied to torch, CUDA or a compiler."""
    from builder.catalog import load

    row = load().package(name)
    return {"known": row["because"]} if row is not None and "because" in row else {}


def _from_index(project: Project, item: str, name: str) -> dict[str, Any]:
    from builder.catalog import load
    from builder.errors import Problems, WsbError
    from builder.host.pip_config import read_pip_config
    from builder.packages.verify import indexes, look_up, target_of

    try:
        plan = project.plan()
    except (WsbError, Problems) as error:
        return {"why_not": f"there is no plan to look for: {error}"}
    usual = read_pip_config(os.environ, Path.home()).index_url
    found = look_up(item, indexes(plan, os.environ, Path.home(), usual), target_of(plan, load()))
    return {"python": plan.python, **found.document(name)}


def _from_conda(project: Project, item: str) -> dict[str, Any]:
    from builder.cli.verifying import verify_conda
    from builder.errors import WsbError

    try:
        verified = verify_conda(project, item)
    except WsbError as error:
        return {"conda": {"why_not": str(error), "hints": list(error.hints)}}
    if verified.warning:
        return {"conda": {"why_not": verified.warning}}
    return {"conda": {"version": verified.version}, "found": True}
