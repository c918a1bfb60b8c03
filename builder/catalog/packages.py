"""Queries over packages beside torch: what they need, what conda calls them, where mirrors lie."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from builder.catalog.imports import normal as normal  # other rooms take it from here
from builder.catalog.rows import Row, TorchRelease
from builder.catalog.tables import Tables
from builder.model.values import CPU, Variant


def wheel_page(row: Row, release: TorchRelease, variant: Variant) -> str | None:
    """The page with this package's wheels for one torch and one build; None when it has none for them."""
    if "find_links" not in row:
        return None
    wheels: Mapping[str, Any] = row.get("wheels", {})
    minor = release.minor
    known = str(variant) in wheels.get(minor, ())
    older = row.get("older_wheels")
    stored = older is not None and minor not in wheels and Version(older) <= Version(minor) < min(map(Version, wheels))
    if not known and not stored:
        return None
    pattern = row["find_links_cpu"] if variant == CPU and "find_links_cpu" in row else row["find_links"]
    return str(pattern.format(minor=minor, variant=variant))


def pinned_release(row: Row, release: TorchRelease) -> str | None:
    """The newest release of a package that was made for this torch; None when none is known."""
    for version, torch in sorted(row.get("pins", {}).items(), key=lambda pair: Version(pair[0]), reverse=True):
        if SpecifierSet(torch).contains(release.version):
            return str(version)
    return None


def has_own_wheel(row: Row, release: TorchRelease, variant: Variant, python: str, platform: str) -> bool:
    """Whether a package whose setup fetches a wheel finds one for this torch, CUDA and Python."""
    if row.get("linux_x86_64_only") and platform != "linux_x86_64":
        return False
    fits = "wheel_python" not in row or SpecifierSet(row["wheel_python"]).contains(python)
    return fits and str(variant) in row.get("wheels", {}).get(release.minor, ())


class PackageTable:
    """Ecosystem, conda names and mirrors. Part of the Catalog."""

    tables: Tables

    @cached_property
    def _ecosystem(self) -> dict[str, Row]:
        found: dict[str, Row] = {}
        for row in self.tables.rows("ecosystem"):
            for name in (row["package"], *row.get("aliases", ())):
                found[normal(name)] = row
        return found

    def package(self, name: str) -> Row | None:
        """What is known of a package that is tied to a torch, a CUDA or a compiler; None for an ordinary one."""
        return self._ecosystem.get(normal(name))

    def is_managed_by_torch(self, name: str) -> bool:
        """Whether torch itself pins this package (triton, nvidia-…-cu12), so that no one else may."""
        return any(fnmatch.fnmatchcase(normal(name), pattern) for pattern in self.tables["ecosystem"]["managed_by_torch"])

    @property
    def constraints(self) -> list[dict[str, Any]]:
        """What a torch needs of other packages without asking for it."""
        return list(self.tables["ecosystem"]["constraints"])

    def cuda_of_tensorflow(self, version: Version) -> str | None:
        """The CUDA that a release of tensorflow was built with, such as "10.0"."""
        for row in self.tables.rows("ecosystem", "tensorflow"):
            if SpecifierSet(row["tensorflow"]).contains(version):
                return str(row["cuda"])
        return None

    def apt_needs(self, name: str) -> Row | None:
        """The system packages a pip package needs in a slim image."""
        for row in self.tables.rows("ecosystem", "apt"):
            if row["package"] == normal(name):
                return row
        return None

    @cached_property
    def _conda_names(self) -> dict[str, Row]:
        return {row["conda"].lower(): row for row in self.tables.rows("conda", "names")}

    def conda_name(self, name: str) -> Row | None:
        """What a conda package is called elsewhere: pip, apt, drop or conda_only; None when the name is the same."""
        return self._conda_names.get(name.lower())

    def conda_brings_torch(self, name: str) -> bool:
        """Whether a conda package depends on conda's own torch."""
        return name.lower() in self.tables["conda"]["depends_on_torch"]

    def conda_is_compiler(self, name: str) -> bool:
        """Whether a conda package is there for nvcc, or for the headers that compiling needs."""
        return name.lower() in self.tables["conda"]["compilers"]

    def conda_is_cuda_library(self, name: str) -> bool:
        """Whether a conda package is a library of CUDA that torch's wheel carries itself."""
        return any(fnmatch.fnmatchcase(name.lower(), pattern) for pattern in self.tables["conda"]["wheel_brings"])

    def is_default_channel(self, channel: str) -> bool:
        """Whether a channel is one of Anaconda's own, whose terms must be accepted."""
        bare = channel.rstrip("/").removeprefix("https://").removeprefix("http://")
        if bare.startswith("repo.anaconda.com"):
            return True
        return bare in self.tables["conda"]["default_channels"]

    def is_torch_channel(self, channel: str) -> bool:
        """Whether a channel is there for torch and CUDA only, which come from wheels here."""
        return channel.rstrip("/").rsplit("/", 1)[-1] in self.tables["conda"]["torch_channels"]

    def preset(self, name: str) -> Row | None:
        """A mirror by name; None when there is none of that name."""
        return next((row for row in self.tables.rows("presets") if row["preset"] == name), None)

    @property
    def presets(self) -> tuple[str, ...]:
        return ("default", *(row["preset"] for row in self.tables.rows("presets")))
