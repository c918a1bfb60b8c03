"""How a workspace is started on this engine: the project at its place, its user, shared memory, ports, GPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from builder.engine.base import ContainerRequest, EngineInfo
from builder.launch import ide_container
from builder.launch.arrival import watched
from builder.launch.devices import NOTHING, HandedIn, accelerator_of, handed_in
from builder.launch.gpus import ChosenGpus
from builder.model.frozen import frozen
from builder.model.host import Host
from builder.model.values import Unknown
from builder.resolve.passthrough import choose_passthrough

WORKSPACE = "/workspace"
GROUP_GID = 900


NOT_ASKED = Host(os="linux", arch="x86_64", driver=Unknown("nobody asked"), gpus=Unknown("nobody asked"))


@frozen
class Gpus:
    """The GPUs of one container: which, and how the engine is asked for them."""

    handed: HandedIn
    chosen: ChosenGpus

    @property
    def is_any(self) -> bool:
        """Whether the engine is asked for anything at all."""
        return self.handed != NOTHING


NO_GPUS = Gpus(handed=NOTHING, chosen=ChosenGpus())


@frozen
class Identity:
    """Whose uid and gid the container's files get."""

    uid: int
    gid: int


@frozen
class RunOptions:
    """What a user may say at the command line. env: NAME=VALUE pairs already split. workdir: below the project, or ""."""

    env: Mapping[str, str]
    mounts: Sequence[str] = ()
    ports: Sequence[int] = ()
    shm_size: str = ""
    network: str = ""
    workdir: str = ""
    has_tty: bool = False
    keeps_stdin: bool = False
    publishes_ports: bool = True


def container_request(
    *,
    image: str,
    document: Mapping[str, Any],
    project: Path,
    command: Sequence[str],
    identity: Identity,
    info: EngineInfo,
    options: RunOptions,
    with_gpu: bool = True,
    gpus: Gpus | None = None,
    watches: bool = False,
    image_labels: Mapping[str, str] | None = None,
) -> ContainerRequest:
    """The request for one command in the workspace.

    document: the plan as the image carries it (/opt/wsb/plan.json). project: the folder on the engine's machine.
    gpus: what was chosen; None: every GPU that the plan's torch can use. watches: the command starts only where it arrived.
    image_labels: of the image, so that an IDE which attaches to the container finds what it needs to know.
    """
    chosen = (gpus or every_gpu(document, info)) if with_gpu else NO_GPUS
    handed = chosen.handed
    run = document.get("run", {})
    user = document.get("user", {"name": "dev", "uid": 1000})
    as_user = _user(identity, user, info)
    ports = tuple(options.ports) or tuple(run.get("ports", ())) if options.publishes_ports else ()
    return ContainerRequest(
        image=image,
        command=watched(command, handed.mode, chosen.chosen) if watches else tuple(command),
        user=as_user,
        groups=(str(GROUP_GID), *handed.groups),
        workdir=f"{WORKSPACE}/{options.workdir}".rstrip("/"),
        env={**_home(identity, user, info), **run.get("env", {}), **dict(handed.env), **options.env},
        mounts=(
            (str(project), WORKSPACE, False),
            *(_mount(text, project) for text in (*run.get("mounts", ()), *options.mounts)),
        ),
        ports=tuple((port, port) for port in ports),
        shm_size=options.shm_size or run.get("shm_size", "8g"),
        labels={
            "dev.wsb.project": str(project),
            "dev.wsb.name": str(document.get("name", "")),
            **ide_container.labels(project, image_labels or {}, as_user),
        },
        network=options.network,
        has_tty=options.has_tty,
        keeps_stdin=options.keeps_stdin,
        device_requests=handed.requests,
        devices=handed.devices,
        runtime=handed.runtime,
    )


def every_gpu(document: Mapping[str, Any], info: EngineInfo, host: Host = NOT_ASKED) -> Gpus:
    """All GPUs of the engine's host, in the way that fits the plan's torch and this engine."""
    handing = choose_passthrough(accelerator_of(document), replace(host, engine=info))
    return Gpus(handed=handed_in(handing.mode, ChosenGpus(), info, host), chosen=ChosenGpus())


def _user(identity: Identity, user: Mapping[str, Any], info: EngineInfo) -> str:
    """The image's own user where the ids agree; else the ids as they are, so that files belong to whoever ran wsb."""
    if info.is_rootless:
        return "0:0"  # root inside is the host's own user
    if identity.uid == user["uid"] and identity.gid == user["uid"]:
        return str(user["name"])
    return f"{identity.uid}:{identity.gid}"


def _home(identity: Identity, user: Mapping[str, Any], info: EngineInfo) -> dict[str, str]:
    """A uid that the image does not know has no home and no name; both come from the environment then."""
    if info.is_rootless or identity.uid in (0, user["uid"]):
        return {}
    name = str(user["name"])
    return {"HOME": f"/home/{name}", "USER": name, "LOGNAME": name}


def _mount(text: str, project: Path) -> tuple[str, str, bool]:
    """source:target[:ro]; a relative source is below the project, ~ is the home of whoever runs wsb."""
    source, target, *rest = text.split(":")
    path = Path(source).expanduser()
    return (str(path if path.is_absolute() else project / path), target, "ro" in rest)
