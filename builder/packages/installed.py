"""What an image has installed: asked of its own Python, by the engine, and kept as frozen types."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from packaging.markers import default_environment
from packaging.requirements import InvalidRequirement, Requirement

from builder.catalog.imports import normal
from builder.engine.base import ContainerRequest, Engine, Output
from builder.errors import WsbError
from builder.model.frozen import frozen

TIME_LIMIT_S = 120.0


@frozen
class Distribution:
    """One Python package. name: normalised. shown: as it spells itself. provides: dotted names that can be imported.

    source: conda or pip. origin: the address it came from, "" for an index.
    """

    name: str
    shown: str
    version: str
    source: str
    provides: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    has_commands: bool = False
    origin: str = ""


@frozen
class SystemPackage:
    """One package of conda or apt. depends: names only."""

    name: str
    version: str
    depends: tuple[str, ...] = ()
    is_automatic: bool = False


@dataclass(frozen=True, kw_only=True)
class Installed:
    """All of an image. markers: what requirement markers are held against there."""

    distributions: tuple[Distribution, ...]
    conda: tuple[SystemPackage, ...] = ()
    apt: tuple[SystemPackage, ...] = ()
    markers: Mapping[str, str]

    @cached_property
    def by_name(self) -> Mapping[str, Distribution]:
        return {one.name: one for one in self.distributions}

    @cached_property
    def _by_import(self) -> Mapping[str, tuple[Distribution, ...]]:
        found: dict[str, list[Distribution]] = {}
        for one in self.distributions:
            for name in one.provides:
                found.setdefault(name, []).append(one)
        return {name: tuple(several) for name, several in found.items()}

    @cached_property
    def _below(self) -> Mapping[str, tuple[Distribution, ...]]:
        """A namespace → those that stand below it: google → protobuf, google-cloud-storage."""
        found: dict[str, list[Distribution]] = {}
        for one in self.distributions:
            for name in one.provides:
                parts = name.split(".")
                for length in range(1, len(parts)):
                    found.setdefault(".".join(parts[:length]), []).append(one)
        return {name: tuple(dict.fromkeys(several)) for name, several in found.items()}

    def providers(self, name: str) -> tuple[Distribution, ...]:
        """Those that answer an import of this dotted name; several only when each of them brings the same module."""
        parts = name.split(".")
        for length in range(len(parts), 0, -1):
            if found := self._by_import.get(".".join(parts[:length])):
                return found
        return self._below.get(name, ())

    @cached_property
    def brought_by(self) -> Mapping[str, tuple[str, ...]]:
        """Normalised name → names, as they spell themselves, of those that require it here."""
        found: dict[str, list[str]] = {}
        for one in self.distributions:
            for requirement in self.requirements(one):
                found.setdefault(normal(requirement.name), []).append(one.shown)
        return {name: tuple(dict.fromkeys(several)) for name, several in found.items()}

    def requirements(self, one: Distribution) -> tuple[Requirement, ...]:
        """What a distribution requires in this environment, without its extras."""
        return tuple(requirement for text in one.requires if (requirement := self._holding(text)) is not None)

    def _holding(self, text: str) -> Requirement | None:
        try:
            requirement = Requirement(text)
            holds = requirement.marker is None or requirement.marker.evaluate({**self.markers, "extra": ""})
        except (InvalidRequirement, ValueError):  # old metadata that packaging does not read
            return None
        return requirement if holds else None


def parse_installed(text: str) -> Installed:
    """From what inside.py prints; the last line counts. Raises ValueError for anything else."""
    document = json.loads(text.strip().rpartition("\n")[2])
    if not isinstance(document, dict) or document.get("schema") != "wsb.installed/1":
        raise ValueError("not the answer of inside.py")
    conda_names = {normal(row["name"]) for row in document["conda"]}
    return Installed(
        distributions=tuple(_distribution(row, conda_names) for row in document["distributions"]),
        conda=_system(document["conda"]),
        apt=_system(document["apt"]),
        markers={**{key: str(value) for key, value in default_environment().items()}, **document["markers"]},
    )


def _distribution(row: Mapping[str, Any], conda_names: Iterable[str]) -> Distribution:
    name = normal(row["name"])
    is_conda = row["installer"] == "conda" or (not row["installer"] and name in conda_names)
    return Distribution(
        name=name,
        shown=row["name"],
        version=row["version"],
        source="conda" if is_conda else "pip",
        provides=tuple(row["provides"]),
        requires=tuple(row["requires"]),
        has_commands=row["has_commands"],
        origin=row["origin"],
    )


def _system(rows: Iterable[Mapping[str, Any]]) -> tuple[SystemPackage, ...]:
    return tuple(
        SystemPackage(
            name=row["name"],
            version=row["version"],
            depends=tuple(str(one).split()[0] for one in row.get("depends", ()) if str(one).strip()),
            is_automatic=bool(row.get("is_automatic")),
        )
        for row in rows
    )


def ask_installed(engine: Engine, image: str, probe: str) -> Installed:
    """What this image has. probe: the text of inside.py. Raises WsbError image-missing when it cannot answer."""
    out, err = bytearray(), bytearray()

    def take(output: Output) -> None:
        (err if output.is_stderr else out).extend(output.data)

    request = ContainerRequest(image=image, command=("python", "-c", probe), network="none")
    code = engine.run(request, take, TIME_LIMIT_S)
    try:
        return parse_installed(out.decode("utf-8", "replace"))
    except (ValueError, KeyError, TypeError, IndexError):
        last = err.decode("utf-8", "replace").strip().splitlines()[-5:]
        raise WsbError(
            "image-missing",
            f"{image} does not say what is installed in it (exit code {code})",
            details=last,
            hints=("build it again: `wsb build`",),
        ) from None
