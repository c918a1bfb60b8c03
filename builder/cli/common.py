"""What several verbs begin with: the project, the engine, the image that was built, who asks."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder import pipeline
from builder.errors import WsbError
from builder.model.frozen import frozen

if TYPE_CHECKING:
    from builder.engine.base import Engine, EngineInfo, ImageInfo
    from builder.engine.buildx import BuildxEngine, BuildxOptions
    from builder.engine.docker_sdk import DockerEngine
    from builder.launch.container import Identity
    from builder.model.diagnosis import KnownCause
    from builder.ui.console import Console

PLAN_IN_IMAGE = "/opt/wsb/plan.json"


@frozen
class Present:
    """A built workspace: its image, and the plan the image carries."""

    workspace: pipeline.Workspace
    image: ImageInfo
    document: dict[str, Any]


def console() -> Console:
    """The console of this process."""
    from builder.ui.console import Console

    return Console.standard(os.environ)


def connect() -> DockerEngine:
    """The engine this environment names."""
    from builder.engine.docker_sdk import DockerEngine

    return DockerEngine.connect(os.environ)


def engine_info(engine: Engine) -> EngineInfo:
    """What the engine is, with the CDI devices it can hand in."""
    from builder.host.engine import with_cdi_devices

    return with_cdi_devices(engine.info())


def connect_buildx(options: BuildxOptions) -> BuildxEngine:
    """The same engine with docker buildx for its builds."""
    from builder.engine.buildx import BuildxEngine

    return BuildxEngine.found(os.environ, options)


def identity() -> Identity:
    """Who runs wsb: files made in a container will be his."""
    from builder.launch.container import Identity

    if not hasattr(os, "getuid"):
        return Identity(uid=1000, gid=1000)
    return Identity(uid=os.getuid(), gid=os.getgid())


def built_workspace(engine: DockerEngine, directory: str) -> Present:
    """The image of the project at or above directory. Raises WsbError image-missing."""
    workspace = pipeline.read(pipeline.find_directory(Path(directory)))
    tag = f"{workspace.spec.name.value}:latest"
    image = engine.image(tag)
    if image is None or "dev.wsb.plan.digest" not in image.labels:
        what = "is not built yet" if image is None else "is an image that wsb did not make"
        raise WsbError("image-missing", f"{tag} {what}", hints=["build it: `wsb build`"])
    text = engine.files_from_image(image.id, [PLAN_IN_IMAGE]).get(PLAN_IN_IMAGE)
    if text is None:
        raise WsbError("image-missing", f"{tag} carries no {PLAN_IN_IMAGE}", hints=["build it again: `wsb build`"])
    return Present(workspace=workspace, image=image, document=json.loads(text))


def up_to_date_image(engine: Engine, workspace: pipeline.Workspace) -> ImageInfo | None:
    """The project's image, when it was built from just these files."""
    image = engine.image(f"{workspace.spec.name.value}:latest")
    return image if image is not None and image.labels.get("dev.wsb.inputs") == workspace.inputs_digest else None


def is_behind(present: Present) -> bool:
    """Whether wsb.yaml, or a file it leads to, changed after the image was built."""
    return present.image.labels.get("dev.wsb.inputs") != present.workspace.inputs_digest


def tell_cause(console: Console, cause: KnownCause | None) -> None:
    """A failure that the catalogue knows, explained on standard error behind what was printed already."""
    if cause is None:
        return
    from builder.ui.diagnosis import finding_lines

    console.line()
    console.line(f"wsb knows this failure: {cause.text}")
    for line in finding_lines(cause, console.width):
        console.line(line)
