"""`wsb add`: packages by the names people use, into wsb.yaml, then an incremental build."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from builder.cli.packages import Project
    from builder.packages.adding import Addition
    from builder.packages.names import Kind
    from builder.ui.console import Console


@click.command("add")
@click.argument("words", nargs=-1, required=True, metavar="NAME...")
@click.option("--pip", "kind", flag_value="pip", help="From the package index.")
@click.option("--conda", "kind", flag_value="conda", help="From the conda channels.")
@click.option("--apt", "kind", flag_value="apt", help="From the distribution's packages.")
@click.option("--no-build", is_flag=True, help="Change wsb.yaml only.")
@click.option("--no-check", is_flag=True, help="Do not ask the index whether it exists.")
@click.option("--fallback", is_flag=True, help="As of `wsb build`; taken by itself where the image was built with it.")
@click.option("--network", type=click.Choice(["default", "host"]), default="default", help="Network of the build's steps.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(
    directory: str,
    words: tuple[str, ...],
    kind: Kind | None,
    no_build: bool,
    no_check: bool,
    fallback: bool,
    network: str,
    as_json: bool,
) -> int:
    """Add packages to wsb.yaml and build them into the image.

    NAME is what people call it: an import name (cv2), a package with or without a version (einops, "numpy<2"), a library file
    (libGL.so.1), an address. wsb.yaml is as it was before when a name is not found or the build fails.
    """
    from builder.catalog import load
    from builder.cli import common
    from builder.cli.changing import changed
    from builder.cli.packages import open_project
    from builder.packages.adding import plan_addition
    from builder.packages.config_file import with_chosen

    console = common.console()
    project = open_project(directory, with_image=True)
    try:
        additions = []
        for word in words:
            one = plan_addition(load(), project.manager, project.declared, word, kind)
            if not one.is_there and not no_check:
                _check(console, project, one, network)
            additions.append(one)

        def change(text: str) -> str:
            for one in additions:
                text = text if one.is_there else with_chosen(text, one.chosen, one.replaced)
            return text

        for one in additions:
            console.line(one.said)
        code, document = changed(console, project, change, with_build=not no_build, fallback=fallback, network=network)
    finally:
        project.close()
    if as_json:
        console.document({"schema": "wsb.add/1", "added": [_row(one) for one in additions], **document})
    return code


def _check(console: Console, project: Project, one: Addition, network: str) -> None:
    """Ask where it would come from. Raises WsbError no-such-package or no-such-build."""
    from builder.cli.verifying import verify, verify_conda

    if one.chosen.kind == "pip":
        verified = verify(project, one.chosen.item)
    elif one.chosen.kind == "conda":
        verified = verify_conda(project, one.chosen.item, network)
    else:
        return
    if verified.warning:
        console.warn(verified.warning)


def _row(one: Addition) -> dict[str, Any]:
    kind = {"where": f"packages.{one.chosen.kind}"} if one.chosen.kind != "key" else {"where": one.chosen.name}
    row: dict[str, Any] = {"asked": one.word, "name": one.chosen.name, "item": one.chosen.item, **kind}
    row["was_there"] = one.is_there
    return row | ({"because": one.chosen.because} if one.chosen.because else {})
