"""Queries over base images, distributions and installers."""

from __future__ import annotations

import re
from functools import cached_property

from packaging.version import Version

from builder.catalog.rows import Distribution, Installer, NvidiaImage, PytorchImage
from builder.catalog.tables import Tables
from builder.model.values import CudaVersion

_MACHINES = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}


class ImageTable:
    """Images, distributions and installers. Part of the Catalog."""

    tables: Tables

    @cached_property
    def nvidia_images(self) -> tuple[NvidiaImage, ...]:
        """CUDA releases of nvidia/cuda that are there, newest first."""
        return tuple(
            NvidiaImage(cuda=row["cuda"], cudnn=row["cudnn"], ubuntu=tuple(row["ubuntu"]))
            for row in self.tables.rows("nvidia_images")
        )

    def nvidia_image(self, cuda: CudaVersion, ubuntu: str | None = None) -> NvidiaImage | None:
        """The last point release of one CUDA, None when NVIDIA has none (any more)."""
        for image in self.nvidia_images:
            if CudaVersion.parse(image.cuda) == cuda and (ubuntu is None or ubuntu in image.ubuntu):
                return image
        return None

    @cached_property
    def pytorch_images(self) -> tuple[PytorchImage, ...]:
        """Releases of pytorch/pytorch, oldest first."""
        return tuple(
            PytorchImage(torch=row["torch"], cuda=row["cuda"], cudnn=row["cudnn"], unverified=row.get("unverified"))
            for row in self.tables.rows("pytorch_images")
        )

    @cached_property
    def distributions(self) -> tuple[Distribution, ...]:
        return tuple(
            Distribution(
                names=tuple(row["names"]),
                version=row["version"],
                codename=row.get("codename"),
                glibc=row["glibc"],
                python=row.get("python"),
                unverified=row.get("unverified"),
            )
            for row in self.tables.rows("distributions")
        )

    def suite(self, codename: str) -> Distribution | None:
        """The distribution release of a code name such as bookworm."""
        return next((row for row in self.distributions if row.codename == codename), None)

    def distribution_of(self, image: str) -> Distribution | None:
        """The distribution an image reference says it stands on; None when the reference does not tell."""
        name, tag = _name_and_tag(image)
        short = name.rsplit("/", 1)[-1]
        for row in self.distributions:
            if short in row.names or name in row.names:
                if _is_tag_of(row, tag):
                    return row
            elif any(re.search(rf"(^|[-_]){one}[-_]?{re.escape(row.version)}($|[-_])", tag) for one in row.names):
                return row
            if row.codename and re.search(rf"(^|[-_]){row.codename}($|[-_])", tag):
                return row
        if short == "python" and ("slim" in tag or re.fullmatch(r"\d+(\.\d+)*", tag)) and "alpine" not in tag:
            return self.suite("trixie")
        return None

    def is_without_glibc(self, image: str) -> bool:
        """Whether an image is known to hold another C library than glibc (Alpine's musl)."""
        name, tag = _name_and_tag(image)
        short = name.rsplit("/", 1)[-1]
        return any(word == short or word in tag for word in self.tables["distributions"]["not_glibc"])

    @property
    def default_base(self) -> str:
        return str(self.tables["distributions"]["defaults"]["plain"])

    def python_image(self, python: str) -> str:
        """The image of this Python on a small Debian, such as python:3.11-slim-bookworm."""
        table = self.tables["distributions"]
        suite = table["python_suites"].get(python, table["defaults"]["bootstrap"])
        return str(table["defaults"]["python_image"].format(python=python, suite=suite))

    def installer(self, kind: str, platform: str) -> Installer | None:
        """The pinned installer for a platform such as linux/amd64; None when there is none with a sha256."""
        if kind == "micromamba":
            return self._micromamba(platform)
        table = self.tables["installers"]
        stem = f"{kind}-{table['defaults'][kind]}-Linux-{_MACHINES.get(platform)}.sh"
        for row in table["rows"]:
            if row["file"] == stem and "sha256" in row:
                url = table["urls"][kind].format(file=row["file"], version=row["version"])
                version = row["file"].removeprefix(f"{kind}-").split("-Linux")[0]
                return Installer(kind=kind, version=version, url=url, sha256=row["sha256"])
        return None

    def _micromamba(self, platform: str) -> Installer | None:
        table = self.tables["micromamba"]
        row = table.get("files", {}).get(platform)
        if not row:
            return None
        return Installer(kind="micromamba", version=table["version"], url=row["url"], sha256=row["sha256"])

    def is_gone(self, cuda: str) -> bool:
        """Whether NVIDIA is known to have deleted the images of this CUDA release, such as 11.7.0 or 10.2."""
        gone = {row["cuda"] for row in self.tables.rows("nvidia_images", "gone")}
        series = ".".join(cuda.split(".")[:2])
        if cuda in gone or series in gone:
            return True
        kept = [image.cuda for image in self.nvidia_images if image.cuda.startswith(series + ".")]
        return bool(kept) and cuda not in kept and Version(cuda) < max(Version(one) for one in kept)


def _is_tag_of(row: Distribution, tag: str) -> bool:
    """Whether a tag of a distribution's own image is of this release: 12, 12.5-slim, bookworm; 22.04 only in full."""
    if row.names[0] == "ubuntu":
        return tag.startswith((row.version, row.codename or "-"))
    return tag.split("-")[0].split(".")[0] == row.version or tag.startswith(row.codename or "-")


def _name_and_tag(image: str) -> tuple[str, str]:
    """Repository and tag of a reference, a digest left out, docker.io and library/ too."""
    bare = image.split("@")[0]
    name, colon, tag = bare.rpartition(":")
    if not colon or "/" in tag:
        name, tag = bare, "latest"
    return re.sub(r"^(docker\.io/|registry-1\.docker\.io/)?(library/)?", "", name), tag
