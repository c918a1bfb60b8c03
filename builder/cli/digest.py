"""`wsb digest`: one number for a built image's whole file tree, and the paths in which two images differ."""

from __future__ import annotations

import click


@click.command("digest")
@click.argument("image", required=False)
@click.option("--against", metavar="IMAGE", help="Compare with another image: paths that differ, and why image ids do.")
@click.option("--files", is_flag=True, help="Print a line for each path instead of the digest.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(directory: str, image: str | None, against: str | None, files: bool, as_json: bool) -> int:
    """Print the digest over path, kind, mode, owner and content of every file of an image: this project's, or IMAGE."""
    from pathlib import Path

    from builder import pipeline
    from builder.cli import common
    from builder.engine.tree import Tree, differences, image_differences
    from builder.errors import ExitCode, WsbError

    console = common.console()
    name = image or f"{pipeline.read(pipeline.find_directory(Path(directory))).spec.name.value}:latest"
    engine = common.connect()
    try:
        infos = []
        for one in (name, against) if against else (name,):
            found = engine.image(one)
            if found is None:
                raise WsbError("image-missing", f"the engine holds no image {one}", hints=["`wsb build` makes it"])
            infos.append(found)
        trees = [Tree.read(engine.archive_from_image(info.id, "/")) for info in infos]
    finally:
        engine.close()
    if against is None:
        if as_json:
            console.document(
                {
                    "schema": "wsb.digest/1",
                    "image": name,
                    "id": infos[0].id,
                    "tree": trees[0].digest,
                    "paths": len(trees[0].entries),
                }
            )
        elif files:
            for line in trees[0].lines():
                console.product(line)
        else:
            console.product(trees[0].digest)
        return ExitCode.DONE
    paths, reasons = differences(*trees), image_differences(*infos)
    if as_json:
        console.document({"schema": "wsb.digest/1", "images": [name, against], "paths": list(paths), "image": list(reasons)})
    else:
        for line in paths:
            console.product(line)
        console.line(f"{len(paths)} paths differ" if paths else "the file trees are the same")
        for line in reasons:
            console.line(f"image: {line}")
    return ExitCode.ANSWER_IS_NO if paths else ExitCode.DONE
