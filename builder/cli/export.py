"""`wsb export --to FORM PATH`: the image as files that a cluster can start."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from builder.engine.base import ImageInfo
    from builder.engine.docker_sdk import DockerEngine
    from builder.launch.container import Identity


@click.command("export")
@click.option(
    "--to", "form", type=click.Choice(["oci-bundle", "docker-archive", "sqsh", "sif"]), required=True, help="What to write."
)
@click.option("--for-user", "user", metavar="NAME|UID[:GID]", help="Who will start the bundle; default: you.")
@click.option("-v", "--mount", "mounts", multiple=True, metavar="/SOURCE:/TARGET[:ro]", help="Bundle: a folder of the node.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.argument("image", required=False)
@click.argument("path", type=click.Path(path_type=Path))
@click.pass_obj
def command(
    directory: str, form: str, user: str | None, mounts: tuple[str, ...], as_json: bool, image: str | None, path: Path
) -> int:
    """Write IMAGE (default: the project's own) to PATH; prints the path.

    oci-bundle: a folder that runc, crun and Slurm's --container start without root. sqsh: for Pyxis and Enroot. sif: for
    Apptainer. docker-archive: what `docker load` reads. Below an existing folder a file gets the image's name.
    """
    from builder.cli import common
    from builder.launch import oci
    from builder.launch.bundle import Exporter, Form
    from builder.launch.shell import LocalShell

    chosen = Form(form)
    if chosen is not Form.BUNDLE and (user or mounts):
        raise click.UsageError("--for-user and --mount are of an oci-bundle; one file serves everybody")
    console = common.console()
    engine = common.connect()
    try:
        info, document = _image(engine, image, directory)
        exporter = Exporter(engine=engine, shell=LocalShell(), image=info, document=document, say=console.line)
        target = path.absolute()
        if chosen is Form.BUNDLE:
            owner = _owner(user)
            config = oci.config(
                info,
                owner=owner,
                binds=[oci.parse_bind(text) for text in mounts],
                home=exporter.home,
                shm_size=document.get("run", {}).get("shm_size", "8g"),
                python=document.get("environment", {}).get("python", ""),
                has_gpu=str(document.get("torch", {}).get("variant", "")).startswith("cu"),
            )
            exporter.bundle(str(target), config, owner)
        else:
            target = _file(target, chosen, info)
            if chosen is Form.ARCHIVE:
                exporter.archive(str(target))
            else:
                exporter.packed(chosen, str(target))
    finally:
        engine.close()
    if as_json:
        console.document({"schema": "wsb.export/1", "form": chosen.value, "path": str(target), "image": info.id})
    else:
        console.product(str(target))
    return 0


def _image(engine: DockerEngine, name: str | None, directory: str) -> tuple[ImageInfo, dict[str, Any]]:
    """The image and the plan it carries, {} for an image that wsb did not make."""
    from builder.cli import common
    from builder.errors import WsbError

    if name is None:
        present = common.built_workspace(engine, directory)
        return present.image, present.document
    found = engine.image(name)
    if found is None:
        raise WsbError("image-missing", f"the engine holds no image {name}", hints=["`docker images` lists what it holds"])
    text = engine.files_from_image(found.id, [common.PLAN_IN_IMAGE]).get(common.PLAN_IN_IMAGE)
    return found, json.loads(text) if text else {}


_SUFFIXES = {"docker-archive": ".tar", "sqsh": ".sqsh", "sif": ".sif"}


def _file(path: Path, form: Any, image: ImageInfo) -> Path:
    if not path.is_dir():
        return path
    name = image.tags[0].partition(":")[0].replace("/", "-") if image.tags else image.id.rpartition(":")[2][:12]
    return path / (name + _SUFFIXES[form.value])


def _owner(user: str | None) -> Identity:
    """A name of this machine, or numbers for a user that only the cluster knows."""
    from builder.cli import common
    from builder.errors import WsbError
    from builder.launch.container import Identity

    if user is None:
        return common.identity()
    uid, _, gid = user.partition(":")
    if uid.isdigit() and (gid.isdigit() or not gid):
        return Identity(uid=int(uid), gid=int(gid or uid))
    if os.name == "posix":
        import pwd

        try:
            entry = pwd.getpwnam(user)
        except KeyError:
            pass
        else:
            return Identity(uid=entry.pw_uid, gid=entry.pw_gid)
    raise WsbError(
        "bad-value", f"there is no user {user} here", hints=["give numbers: `--for-user UID:GID`, as `id` says there"]
    )
