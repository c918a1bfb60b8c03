"""The files of a package on an index → which release would be installed here, or why none can be.

Pure: the files come in as an index lists them, with the Python, the architecture and the C library of the image.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from builder.model.frozen import frozen
from builder.packages.index import IndexFile

_LEGACY = {"manylinux2014": 17, "manylinux2010": 12, "manylinux1": 5}


@dataclass(frozen=True, kw_only=True)
class Target:
    """python: "3.11". arch: x86_64 or aarch64. glibc: such as (2, 36)."""

    python: str
    arch: str
    glibc: tuple[int, int]

    @cached_property
    def tags(self) -> frozenset[Tag]:
        """Of every wheel that can be installed."""
        numbers = [int(part) for part in self.python.split(".")[:2]]
        platforms = [f"manylinux_2_{minor}_{self.arch}" for minor in range(self.glibc[1], 4, -1)]
        platforms += [f"{name}_{self.arch}" for name, minor in _LEGACY.items() if minor <= self.glibc[1]]
        platforms.append(f"linux_{self.arch}")
        interpreter = f"cp{numbers[0]}{numbers[1]}"
        return frozenset(
            [
                *cpython_tags(numbers, platforms=platforms),
                *compatible_tags(numbers, interpreter=interpreter, platforms=platforms),
            ]
        )


@frozen
class Release:
    """One file, understood. tags: () for a source."""

    version: Version
    tags: frozenset[Tag]
    requires_python: str

    @property
    def is_source(self) -> bool:
        return not self.tags

    def admits(self, python: str) -> bool:
        """Whether some patch release of this Python may install it."""
        try:
            asked = SpecifierSet(self.requires_python)
        except InvalidSpecifier:
            return True
        return any(asked.contains(f"{python}.{patch}") for patch in (*range(21), 99))


@frozen
class Answer:
    """kind: wheel and source can be installed, in this version; the others say why nothing can.

    pythons, platforms, versions: what there is instead, "" and () where that is not the reason.
    """

    kind: Literal["wheel", "source", "no-files", "no-version", "no-python", "no-platform"]
    version: str = ""
    versions: tuple[str, ...] = ()
    pythons: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()


def answer(files: Iterable[IndexFile], asks: str, target: Target) -> Answer:
    """What an installer would find. asks: a version part such as ">=1.2", "" for any."""
    releases = [release for file in files if not file.is_yanked and (release := _release(file)) is not None]
    if not releases:
        return Answer(kind="no-files")
    wanted = _wanted(releases, asks)
    if not wanted:
        return Answer(kind="no-version", versions=_nearest_versions(releases, asks))
    best: dict[Version, str] = {}
    for one in wanted:
        if one.admits(target.python) and (one.is_source or one.tags & target.tags):
            best[one.version] = "wheel" if not one.is_source or best.get(one.version) == "wheel" else "source"
    if best:
        newest = max(best)
        return Answer(kind="wheel" if best[newest] == "wheel" else "source", version=str(newest))
    return _why_none(wanted, target)


def _release(file: IndexFile) -> Release | None:
    try:
        if file.name.endswith(".whl"):
            _, version, _, tags = parse_wheel_filename(file.name)
            return Release(version=version, tags=tags, requires_python=file.requires_python)
        _, version = parse_sdist_filename(file.name)
    except (InvalidWheelFilename, InvalidSdistFilename):  # eggs and installers of other times
        return None
    return Release(version=version, tags=frozenset(), requires_python=file.requires_python)


def _wanted(releases: Sequence[Release], asks: str) -> list[Release]:
    """Those that a version part admits; pre-releases only when it names one, or when there is nothing else."""
    try:
        specifiers = SpecifierSet(asks)
    except InvalidSpecifier:
        specifiers = SpecifierSet()
    kept = set(specifiers.filter({one.version for one in releases}))
    return [one for one in releases if one.version in kept]


def _nearest_versions(releases: Iterable[Release], asks: str) -> tuple[str, ...]:
    """A few that exist: those around the one asked for, else the newest."""
    versions = sorted({one.version for one in releases if not one.version.is_prerelease} or {one.version for one in releases})
    digits = asks.lstrip("=<>!~ ").split(",")[0].removesuffix(".*")
    try:
        wanted = Version(digits)
    except ValueError:
        return tuple(map(str, versions[-5:]))
    below, above = [one for one in versions if one < wanted], [one for one in versions if one > wanted]
    return tuple(map(str, [*below[-3:], *above[:2]]))


def _why_none(wanted: Sequence[Release], target: Target) -> Answer:
    newest = str(max(one.version for one in wanted))
    elsewhere = [one for one in wanted if one.is_source or any(_is_platform(tag, target) for tag in one.tags)]
    if elsewhere:
        pythons = {python for one in elsewhere for python in _pythons(one)}
        return Answer(kind="no-python", version=newest, pythons=tuple(sorted(pythons, key=_numbers)))
    platforms = {_shown_platform(tag.platform) for one in wanted for tag in one.tags}
    return Answer(kind="no-platform", version=newest, platforms=tuple(sorted(platforms)))


def _is_platform(tag: Tag, target: Target) -> bool:
    return tag.platform == "any" or any(tag.platform == one.platform for one in target.tags)


def _pythons(release: Release) -> set[str]:
    """Pythons 3 a release is made for: by its wheel's tags where they name one, else by what it requires."""
    admitted = {f"3.{minor}" for minor in range(4, 16) if release.admits(f"3.{minor}")}
    if not release.tags or any(tag.interpreter in ("py3", "py2.py3") for tag in release.tags):
        return admitted
    return {
        f"3.{found[1]}" for tag in release.tags if (found := re.fullmatch(r"cp3(\d+)", tag.interpreter)) is not None
    } & admitted


def _numbers(python: str) -> tuple[int, ...]:
    return tuple(int(part) for part in python.split(".")) if python.replace(".", "").isdigit() else (0,)


def _shown_platform(platform: str) -> str:
    if platform.startswith("win"):
        return "Windows"
    if platform.startswith("macosx"):
        return "macOS"
    return platform


def newest_versions(files: Iterable[IndexFile], count: int = 10) -> tuple[str, ...]:
    """The newest releases of an index, newest first; pre-releases only when there is nothing else."""
    releases = [release for file in files if not file.is_yanked and (release := _release(file)) is not None]
    versions = {one.version for one in releases if not one.version.is_prerelease} or {one.version for one in releases}
    return tuple(map(str, sorted(versions, reverse=True)[:count]))
