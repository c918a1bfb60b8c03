"""The workspaces an engine holds: what each is, which gigabytes they share, and what nobody uses any more.

Two images share what their layers have in common from the bottom up. Everything here is worked out from one listing of the
engine's images, in time that grows with their number and not with its square.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from builder.engine.base import ImageInfo
from builder.model.frozen import frozen
from builder.render.names import TORCH_IMAGE

DIGEST = "dev.wsb.plan.digest"
_TORCH = "wsb/torch:"
_BASE = "wsb/base:"

Layers = tuple[str, ...]


@frozen
class Workspace:
    """One built workspace. below: the shared image it stands on, None for none that is known. sharers: how many stand on it.

    size_bytes: as the engine counts it, shared layers too. own_bytes: what it adds to the image below it.
    """

    name: str
    tag: str
    image: ImageInfo
    below: ImageInfo | None
    sharers: int

    @property
    def size_bytes(self) -> int:
        return self.image.size_bytes

    @property
    def own_bytes(self) -> int:
        return self.image.size_bytes - (self.below.size_bytes if self.below else 0)

    def label(self, name: str) -> str:
        return self.image.labels.get(f"dev.wsb.{name}", "")


@frozen
class Unused:
    """One image that nothing needs. frees_bytes: what goes with it, when the others of this list go too."""

    image: ImageInfo
    reference: str
    kind: Literal["old build", "torch", "base"]
    frees_bytes: int


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """All images of an engine that wsb made, seen together."""

    images: tuple[ImageInfo, ...]

    @cached_property
    def _workspaces(self) -> tuple[tuple[ImageInfo, str], ...]:
        """Tagged workspaces: (image, tag), a tag each. What was built on one, such as an IDE's own image, is none."""
        made = (one for one in self.images if DIGEST in one.labels)
        return tuple((one, tag) for one in made for tag in one.tags if _repository(tag) == one.labels.get("dev.wsb.env"))

    @cached_property
    def torch_images(self) -> tuple[ImageInfo, ...]:
        """Used or not: one may be there for workspaces to come. One that lost its name is known by its label."""
        return tuple(one for one in self.images if any(tag.startswith(_TORCH) for tag in one.tags) or _is_old_torch(one))

    @cached_property
    def base_images(self) -> tuple[ImageInfo, ...]:
        return tuple(one for one in self.images if any(tag.startswith(_BASE) for tag in one.tags) or _is_old_base(one))

    @cached_property
    def _shared_by_layers(self) -> Mapping[Layers, ImageInfo]:
        """What others can stand on, by all of its layers; a torch image before a base of the same layers."""
        return {one.layers: one for one in (*self.base_images, *self.torch_images) if one.layers}

    def below(self, image: ImageInfo) -> ImageInfo | None:
        """The shared image with the most layers that this one begins with."""
        for length in range(len(image.layers), 0, -1):
            if (found := self._shared_by_layers.get(image.layers[:length])) is not None and found.id != image.id:
                return found
        return None

    @cached_property
    def workspaces(self) -> tuple[Workspace, ...]:
        """By name."""
        below = {one.id: self.below(one) for one, _ in self._workspaces}
        sharers = Counter(shared.id for one, _ in self._workspaces if (shared := below[one.id]) is not None)
        rows = sorted(self._workspaces, key=lambda row: (workspace_name(row[1]), row[1]))
        return tuple(
            Workspace(
                name=workspace_name(tag),
                tag=tag,
                image=one,
                below=shared,
                sharers=sharers[shared.id] if shared else 0,
            )
            for one, tag in rows
            for shared in (below[one.id],)
        )

    @cached_property
    def standing(self) -> Mapping[str, tuple[str, ...]]:
        """Id of a shared image → names of the workspaces that stand on it at once."""
        found: dict[str, list[str]] = {}
        for one in self.workspaces:
            if one.below is not None:
                found.setdefault(one.below.id, []).append(one.name)
        return {image: tuple(names) for image, names in found.items()}

    @cached_property
    def disk_bytes(self) -> int:
        """What all of it takes, everything shared counted once."""
        return sum(self._added(one) for one in {one.id: one for one in self._made}.values())

    @cached_property
    def _made(self) -> tuple[ImageInfo, ...]:
        workspaces = (one for one in self.images if DIGEST in one.labels)
        return (*workspaces, *self.torch_images, *self.base_images)

    def _added(self, image: ImageInfo) -> int:
        below = self.below(image)
        return image.size_bytes - (below.size_bytes if below else 0)

    @cached_property
    def unused(self) -> tuple[Unused, ...]:
        """Builds that a later one replaced, then torch images and bases on which no workspace stands."""
        old = [one for one in self.images if DIGEST in one.labels and not one.tags]
        shared = {one.id for one in (*self.torch_images, *self.base_images)}
        # any image with a name counts, whoever made it: layers that it stands on would not be freed
        upper = [one for one in self.images if one.tags and one.id not in shared]
        used = {below.layers for one in upper if (below := self.below(one)) is not None}
        torch = [one for one in self.torch_images if one.layers not in used]
        for one in self.torch_images:
            if one.layers in used and (below := self.below(one)) is not None:
                used.add(below.layers)
        bases = [one for one in self.base_images if one.layers not in used]
        found = [Unused(image=one, reference=one.id, kind="old build", frees_bytes=self._added(one)) for one in old]
        found += [Unused(image=one, reference=_tag(one, _TORCH), kind="torch", frees_bytes=self._added(one)) for one in torch]
        found += [
            Unused(
                image=one,
                reference=_tag(one, _BASE),
                kind="torch" if _is_unlabelled_torch(one) else "base",
                frees_bytes=self._added(one),
            )
            for one in sorted(bases, key=lambda one: -len(one.layers))
        ]
        return tuple(found)


def _is_old_base(image: ImageInfo) -> bool:
    return not image.tags and "dev.wsb.suite" in image.labels and DIGEST not in image.labels and not _is_old_torch(image)


def _is_old_torch(image: ImageInfo) -> bool:
    """What a torch image becomes when it is made anew: a workspace has its label too, and one of its own."""
    return not image.tags and TORCH_IMAGE in image.labels and DIGEST not in image.labels


def _is_unlabelled_torch(image: ImageInfo) -> bool:
    """One from before torch images had a label: it carries its base's label, and more layers than a base made of packages."""
    return not image.tags and len(image.layers) > 1


def _tag(image: ImageInfo, prefix: str) -> str:
    return next((tag for tag in image.tags if tag.startswith(prefix)), image.id)


def _repository(tag: str) -> str:
    """mnist of registry.lab:5000/team/mnist:latest."""
    return tag.rpartition("/")[2].partition(":")[0]


def workspace_name(tag: str) -> str:
    """mnist of mnist:latest; another tag stays: mnist:old."""
    return tag.removesuffix(":latest")


def matching(inventory: Inventory, word: str) -> tuple[Workspace, ...]:
    """The workspaces that a person may mean: by name, by tag, or by the beginning of the image's id."""
    found = tuple(one for one in inventory.workspaces if word in (one.name, one.tag))
    if found or not re.fullmatch(r"(sha256:)?[0-9a-f]{6,64}", word):
        return found
    digest = word.removeprefix("sha256:")
    return tuple(one for one in inventory.workspaces if one.image.id.removeprefix("sha256:").startswith(digest))


def total(unused: Iterable[Unused]) -> int:
    return sum(one.frees_bytes for one in unused)
