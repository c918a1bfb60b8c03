"""The torch image that projects share: what its name says, whether an image is it, and its way through a registry.

Its name ends in a digest over all that makes it, and its label carries that digest whole. So an image that comes from
elsewhere, or that somebody tagged by hand, is never taken for what its name says alone.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from builder.engine.base import Engine, ImageInfo, Listener, Note, Pushed
from builder.errors import WsbError
from builder.model.files import FileSet
from builder.model.frozen import frozen
from builder.model.plan import Plan
from builder.render import names
from builder.render.dockerfile import shared_part

_LIST_BYTES: Final = 4 << 20  # torch's twelve thousand files take 1.2 MB
_KEPT: Final = (".wsb/uv/", ".wsb/locked/", ".wsb/lock/torch/")


@frozen
class TorchImage:
    """One torch image, there or not. digest: over all that makes it, "sha256:…". base: what it stands on."""

    name: str
    digest: str
    base: ImageInfo
    platform: str

    @property
    def labels(self) -> dict[str, str]:
        return {names.TORCH_IMAGE: self.digest}

    def differs(self, image: ImageInfo) -> str:
        """Why an image of this name is not it; "" where it is."""
        label = image.labels.get(names.TORCH_IMAGE, "missing")
        if label != self.digest:
            return f"its label {names.TORCH_IMAGE} is {label}, not {self.digest}"
        if image.layers[: len(self.base.layers)] != self.base.layers:
            return "it does not stand on the base that is here"
        if not f"{image.platform}/".startswith(f"{self.platform}/"):
            return f"it is made for {image.platform}"
        return ""


def torch_image_of(plan: Plan, files: FileSet, base: ImageInfo) -> TorchImage:
    """wsb/torch:<torch>-<variant>-py<python>-<manager>-<digest over all that makes it>."""
    assert plan.torch is not None
    total = hashlib.sha256()
    parts = [_base_content(base), plan.platform, shared_part(files["Dockerfile"].decode("utf-8")), *_wheel_content(plan)]
    kept = (file for file in files if file.path.startswith(_KEPT) and file.path != ".wsb/lock/torch/apt/date")
    parts += [file.path + file.content.decode("utf-8") for file in kept]
    for part in parts:
        total.update(f"{len(part)}\0{part}".encode())
    torch, digest = plan.torch, total.hexdigest()
    tag = f"{torch.version}-{torch.variant}-py{plan.python}-{plan.manager.value}-{digest[:12]}"
    return TorchImage(
        name=f"{names.torch_image_repository()}:{tag}", digest=f"sha256:{digest}", base=base, platform=plan.platform
    )


def _base_content(base: ImageInfo) -> str:
    """What a build sees of its base. Its id is none of it: a base made again, or elsewhere, differs in it by a date alone."""
    if not base.layers:
        return base.id
    config = [base.env, sorted(base.labels.items()), base.user, base.workdir, base.entrypoint, base.command]
    return json.dumps([base.layers, config])


def _wheel_content(plan: Plan) -> Iterator[str]:
    """A local wheel by name and by its end, which lists its files with their checksums: some GB are not read for this."""
    if plan.torch is None or plan.torch.wheel is None:
        return
    yield plan.torch.wheel
    try:
        with (Path(plan.sources.torch or "") / plan.torch.wheel).open("rb") as wheel:
            size = wheel.seek(0, os.SEEK_END)
            wheel.seek(max(0, size - _LIST_BYTES))
            yield f"{size} {hashlib.sha256(wheel.read()).hexdigest()}"
    except OSError:
        return  # the build says what is wrong with it


def remote_name(registry: str, name: str, tag: str) -> str:
    """Where an image lies in a registry, which may be given with a path: registry.example.org/lab."""
    return f"{registry.rstrip('/')}/{name}:{tag}"


def push_as(engine: Engine, image: ImageInfo, reference: str, listener: Listener) -> Pushed:
    """Push an image under a name that the engine holds no longer than that; the image keeps its own."""
    engine.tag(image.id, reference)
    try:
        return engine.push(reference, listener)
    finally:
        engine.remove_image(reference)


def elsewhere(registry: str, name: str) -> str:
    """Where a torch image of this name lies in a registry."""
    return remote_name(registry, *name.split(":"))


def pull_torch_image(engine: Engine, registry: str, wanted: TorchImage, listener: Listener) -> ImageInfo | None:
    """The torch image from a registry, under its own name; None, and a note, where it cannot be had there.

    Raises WsbError content-differs for an image that is not what its name says.
    """
    reference = elsewhere(registry, wanted.name)
    try:
        found = engine.pull(reference, wanted.platform, listener)
    except WsbError as error:
        listener(Note(text=f"not taken from a registry: {reference} ({error.details[0] if error.details else error.message})"))
        return None
    try:
        if why := wanted.differs(found):
            raise WsbError(
                "content-differs",
                f"{reference} is not what its name says",
                details=[why],
                hints=[f"`wsb torch-image --no-cache --push {registry}` puts the right one there"],
            )
        engine.tag(found.id, wanted.name)
    finally:
        engine.remove_image(reference)
    listener(Note(text=f"took {wanted.name} from {registry}"))
    return found
