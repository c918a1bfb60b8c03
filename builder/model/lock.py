"""What a lock holds: for each platform the base, and every package that is put on it, by version, address and hash.

The packages stand in two parts, as the image does: the torch stage, which projects share, and the project's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from builder.model.frozen import frozen


@frozen
class LockedDeb:
    """One package of the distribution. url: where it lay when the lock was made; mirrors have the same path below their own."""

    name: str
    version: str
    arch: str
    sha256: str
    url: str

    @property
    def line(self) -> str:
        """As the lock and the installing step have it."""
        return f"{self.name} {self.version} {self.arch} {self.sha256} {self.url}"


@frozen
class LockedConda:
    """One conda package: its address, at conda.anaconda.org when the channel was given by name."""

    url: str
    sha256: str

    @property
    def line(self) -> str:
        """As conda and micromamba read it in an explicit list."""
        return f"{self.url}#sha256:{self.sha256}"

    @property
    def file(self) -> str:
        return self.url.rpartition("/")[2]


@frozen
class LockedPip:
    """One package of an index, with the hashes of every file this version has. version may carry a build: 2.6.0+cu126."""

    name: str
    version: str
    hashes: tuple[str, ...]

    @property
    def line(self) -> str:
        """As pip and uv read it with --require-hashes."""
        return " \\\n".join((f"{self.name}=={self.version}", *(f"    --hash=sha256:{one}" for one in sorted(self.hashes))))


@frozen
class LockedPart:
    """What one stage installs. conda: the whole environment as it stands after the stage.

    date: when its apt packages were solved, as 20261125T194400Z: snapshot.debian.org has the distribution of that moment.
    """

    apt: tuple[LockedDeb, ...] = ()
    conda: tuple[LockedConda, ...] = ()
    pip: tuple[LockedPip, ...] = ()
    date: str = ""


@frozen
class LockedBase:
    """digest: of the manifest in its registry, "" for a base that was made here. layers: diff ids, the same in every engine."""

    image: str
    layers: tuple[str, ...]
    digest: str = ""


@frozen
class LockedPlatform:
    """One platform's lock.

    asked: what the plan's digest covers, so that a disagreement can be told key by key. date: when it was last solved.
    """

    platform: str
    plan: str
    asked: Mapping[str, Any]
    date: str
    base: LockedBase
    torch: LockedPart = field(default_factory=LockedPart)
    workspace: LockedPart = field(default_factory=LockedPart)


@frozen
class Lock:
    """version: of the wsb that wrote it."""

    version: str
    platforms: tuple[LockedPlatform, ...] = ()

    def of(self, platform: str) -> LockedPlatform | None:
        return next((one for one in self.platforms if one.platform == platform), None)
