"""Puts an image, and a project that is not there, where the nodes of a Slurm see them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from builder.errors import WsbError
from builder.launch import oci, project
from builder.launch.bundle import Exporter, Form, exists
from builder.launch.container import Identity
from builder.launch.job import Job
from builder.launch.shell import Shell
from builder.launch.slurm.script import Flavour
from builder.model.frozen import frozen

_FORMS = {Flavour.PYXIS: Form.SQUASHFS, Flavour.APPTAINER: Form.SIF}


@frozen
class Site:
    """Who the user is there. shared: the folder that every node sees."""

    owner: Identity
    shared: str


def look(shell: Shell, shared: str) -> Site:
    """shared: as the user named it, "" for a folder below his home, which clusters share."""
    done = shell.run('id -u; id -g; printf "%s\\n" "${WSB_SHARED:-$HOME/.local/share/wsb}"')
    uid, gid, usual = done.text.splitlines()
    return Site(owner=Identity(uid=int(uid), gid=int(gid)), shared=(shared or usual).rstrip("/"))


def image_path(exporter: Exporter, site: Site, flavour: Flavour, job: Job) -> tuple[str, dict[str, Any]]:
    """(where the image will lie, its bundle's configuration); the second is empty for a single file."""
    name = f"{job.name}-{exporter.image.id.rpartition(':')[2][:12]}"
    if flavour is not Flavour.OCI:
        return f"{site.shared}/images/{name}.{_FORMS[flavour].value}", {}
    config = bundle_config(exporter, site.owner, job)
    return f"{site.shared}/images/{name}-{oci.key(config)}", config


def bundle_config(exporter: Exporter, owner: Identity, job: Job) -> dict[str, Any]:
    return oci.config(
        exporter.image,
        owner=owner,
        binds=job.binds,
        home=exporter.home,
        workdir=job.workdir,
        shm_size=job.shm_size,
        python=exporter.document.get("environment", {}).get("python", ""),
        has_gpu=is_for_gpu(exporter.document),
    )


def is_for_gpu(document: Mapping[str, Any]) -> bool:
    """Whether the image's torch can use an NVIDIA GPU at all."""
    return str(document.get("torch", {}).get("variant", "")).startswith("cu")


def put_image(exporter: Exporter, site: Site, flavour: Flavour, path: str, config: Mapping[str, Any]) -> bool:
    """Whether it had to be made: a node may be reading one that is there, and one of the same name is the same."""
    if exists(exporter.shell, f"{path}/config.json" if config else path):
        return False
    made = exporter.shell.run('mkdir -p "${1%/*}"', path)
    if made.code:
        raise WsbError(
            "cannot-write",
            f"cannot make a folder for images below {site.shared} on {exporter.shell.where}",
            details=made.trouble.splitlines()[-1:],
            hints=["name a folder that you may write and every node sees: `--shared DIR`, or WSB_SHARED"],
        )
    if flavour is not Flavour.OCI:
        exporter.packed(_FORMS[flavour], path)
        return True
    # the same image with other mounts: its files are shared, only the configuration is new
    others = exporter.shell.run(
        'for one in "$1"-????????; do if [ -f "$one/config.json" ]; then echo "$one"; fi; done', path[:-9]
    )
    twins = [line for line in others.text.splitlines() if line != path]
    exporter.bundle(path, config, site.owner, twin=twins[0] if twins else "")
    return True


def put_project(shell: Shell, site: Site, name: str, directory: Path, say: Callable[[str], None]) -> str:
    """The project's folder there, after its files were sent; what it held besides them stays."""
    target = f"{site.shared}/projects/{name}"
    say(f"sending {directory} to {shell.where}:{target}")
    done = shell.run('mkdir -p "$1" && tar -x -f - --no-same-owner -C "$1"', target, stdin=project.stream(directory))
    if done.code:
        raise WsbError("cannot-write", f"cannot send the project to {shell.where}", details=done.trouble.splitlines()[-3:])
    return target
