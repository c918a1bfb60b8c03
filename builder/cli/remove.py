"""`wsb remove`: packages out of wsb.yaml, then an incremental build."""

from __future__ import annotations

import click


@click.command("remove")
@click.argument("words", nargs=-1, required=True, metavar="NAME...")
@click.option("--no-build", is_flag=True, help="Change wsb.yaml only.")
@click.option("--fallback", is_flag=True, help="As of `wsb build`; taken by itself where the image was built with it.")
@click.option("--network", type=click.Choice(["default", "host"]), default="default", help="Network of the build's steps.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(directory: str, words: tuple[str, ...], no_build: bool, fallback: bool, network: str, as_json: bool) -> int:
    """Take packages out of wsb.yaml, by name or import name, and build the image without them.

    What a requirements file asks for is named with its line, and not changed.
    """
    from builder.catalog import load
    from builder.cli import common
    from builder.cli.changing import changed
    from builder.cli.packages import open_project
    from builder.packages.adding import plan_removal
    from builder.packages.config_file import with_edits

    console = common.console()
    project = open_project(directory, with_image=True, asks=True)
    try:
        edits = [edit for word in words for edit in plan_removal(load(), project.declared, project.installed, word)]
        for edit in edits:
            console.line(f"{edit.item} taken out of packages.{edit.list}")
        code, document = changed(
            console, project, lambda text: with_edits(text, edits), with_build=not no_build, fallback=fallback, network=network
        )
    finally:
        project.close()
    if as_json:
        rows = [{"item": edit.item, "where": f"packages.{edit.list}"} for edit in edits]
        console.document({"schema": "wsb.remove/1", "removed": rows, **document})
    return code
