"""`wsb sbom`: what is in the workspace, as a CycloneDX document that scanners of vulnerabilities and licences read."""

from __future__ import annotations

import click


@click.command("sbom")
@click.option(
    "--from", "source", type=click.Choice(["image", "lock"]), help="Default: the image if it is built, else the lock."
)
@click.option("-o", "--output", metavar="FILE", help="Write it there instead of printing it.")
@click.option("--platform", default="linux/amd64", show_default=True, help="Of the lock.")
@click.pass_obj
def command(directory: str, source: str | None, output: str | None, platform: str) -> int:
    """Print the software bill of materials (CycloneDX 1.6, JSON): every package with its version, package URL and hash.

    From the image: what it has, asked from inside, the base's packages too. From the lock: what will be put on the base, with
    the hashes of single files.
    """
    from pathlib import Path

    from builder import inventory, pipeline
    from builder.cli import common
    from builder.errors import WsbError
    from builder.lock.agree import missing
    from builder.lock.text import digest
    from builder.store import write_file

    workspace = pipeline.read(pipeline.find_directory(Path(directory)))
    name = workspace.spec.name.value
    console = common.console()
    lock = pipeline.read_lock(workspace)
    locked = lock.of(platform) if lock else None
    if source != "lock":
        engine = common.connect()
        try:
            present = common.built_workspace(engine, directory)
            parts = inventory.of_image(engine, present.image, present.document["environment"]["python"])
            told = (present.image.id, _date(present.image.created))
        except WsbError as error:
            if source == "image" or error.code != "image-missing" or locked is None:
                raise
            source = "lock"
        finally:
            engine.close()
    if source == "lock":
        if locked is None:
            raise missing(platform, tuple(one.platform for one in lock.platforms) if lock else ())
        parts, told = inventory.of_lock(locked), (digest(locked), locked.date)
    text = inventory.cyclonedx(parts, name=name, version="latest", source=told[0], date=told[1])
    if output:
        write_file(Path(output), text.encode("utf-8"))
        console.line(f"{len(parts)} packages of the {source or 'image'}")
        console.product(output)
    else:
        console.product(text.rstrip())
    return 0


def _date(created: str) -> str:
    """An engine's time as a lock writes it."""
    return created[:19].replace("-", "").replace(":", "") + "Z"
