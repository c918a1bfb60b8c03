"""`wsb list`: the packages of the workspace, and who asked for each."""

from __future__ import annotations

import click


@click.command("list")
@click.argument("words", nargs=-1, metavar="[NAME]...")
@click.option("--all", "every", is_flag=True, help="Also every package of the base's distribution.")
@click.option("--asked", is_flag=True, help="Only what is asked for, not what that brings along.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(directory: str, words: tuple[str, ...], every: bool, asked: bool, as_json: bool) -> None:
    """List the packages in the built image: name, version, source, and who asked for it or brought it.

    Before the first build, what is asked for. NAME keeps those with that part in their name.
    """
    from builder.cli import common
    from builder.cli.packages import open_project
    from builder.packages.listing import matching, rows, rows_json
    from builder.ui.packages_text import package_lines

    console = common.console()
    project = open_project(directory, with_image=True, asks=True)
    project.close()
    document = project.present.document if project.present is not None else {}
    found = matching(rows(project.declared, project.installed, document, every=every), words)
    found = tuple(row for row in found if row.is_asked or not asked)
    for note in project.notes:
        console.line(f"note: {note}")
    if as_json:
        console.document(
            {
                "schema": "wsb.packages/1",
                "name": project.workspace.spec.name.value,
                "image": project.present.image.tags[0] if project.installed is not None and project.present else None,
                "packages": rows_json(found),
            }
        )
        return
    console.product("\n".join(package_lines(found)) + "\n")
