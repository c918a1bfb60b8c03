"""What a workspace has, a package a row: where it came from, and who asked for it or brought it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from builder.catalog.imports import normal
from builder.model.frozen import frozen
from builder.model.values import Location
from builder.packages.declared import Declared
from builder.packages.findings import place_json
from builder.packages.installed import Installed, SystemPackage
from builder.resolve.lines import pip_line


@frozen
class Row:
    """version: "" when it is only asked for, not built. where: the line that asks, None when none does.

    is_asked: by wsb.yaml, a file of the project, or the plan itself. brought_by: those that need it.
    """

    name: str
    version: str
    source: Literal["pip", "conda", "apt"]
    is_asked: bool
    where: Location | None = None
    brought_by: tuple[str, ...] = ()


def rows(
    declared: Sequence[Declared], installed: Installed | None, document: Mapping[str, Any], *, every: bool = False
) -> tuple[Row, ...]:
    """All packages by name, pip and conda before apt. every: also what the base and the environment came with."""
    if installed is None:
        return tuple(sorted(_only_asked(declared), key=_order))
    asked = {name: one for one in reversed(declared) for name in one.names if one.kind != "apt"}
    found = [*_python(installed, asked, document), *_conda(installed, asked), *_apt(installed, declared, document, every)]
    return tuple(sorted(found, key=_order))


def _order(row: Row) -> tuple[bool, str]:
    return row.source == "apt", row.name.lower()


def _only_asked(declared: Iterable[Declared]) -> Iterator[Row]:
    for one in declared:
        if one.name and one.name != "python":
            source: Literal["pip", "conda", "apt"] = "pip" if one.kind == "torch" else one.kind
            yield Row(name=one.name, version="", source=source, is_asked=True, where=_place(one))


def _python(installed: Installed, asked: Mapping[str, Declared], document: Mapping[str, Any]) -> Iterator[Row]:
    packages = document.get("packages", {})
    planned = {pip_line(text).name for text in packages.get("pip", ())}
    planned |= {"torch", *(document.get("torch") or {}).get("install_companions", ())} if document.get("torch") else set()
    for one in installed.distributions:
        where = _place(asked[one.name]) if one.name in asked else None
        yield Row(
            name=one.shown,
            version=one.version,
            source="conda" if one.source == "conda" else "pip",
            is_asked=one.name in asked or one.name in planned,
            where=where,
            brought_by=installed.brought_by.get(one.name, ()),
        )


def _conda(installed: Installed, asked: Mapping[str, Declared]) -> Iterator[Row]:
    """Those that are no Python package; the others were told already."""
    brought = _brought(installed.conda)
    for one in installed.conda:
        name = normal(one.name)
        if name in installed.by_name:
            continue
        where = _place(asked[name]) if name in asked else None
        yield Row(
            name=one.name,
            version=one.version,
            source="conda",
            is_asked=name in asked,
            where=where,
            brought_by=brought.get(one.name, ()),
        )


def _apt(installed: Installed, declared: Sequence[Declared], document: Mapping[str, Any], every: bool) -> Iterator[Row]:
    asked = {one.name: _place(one) for one in declared if one.kind == "apt"}
    planned = {text.partition("=")[0] for text in document.get("packages", {}).get("apt", ())}
    brought = _brought(installed.apt) if every else {}
    for one in installed.apt:
        if every or one.name in asked or one.name in planned:
            yield Row(
                name=one.name,
                version=one.version,
                source="apt",
                is_asked=one.name in asked or one.name in planned,
                where=asked.get(one.name),
                brought_by=brought.get(one.name, ())[:8],
            )


def _brought(packages: Iterable[SystemPackage]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for one in packages:
        for name in one.depends:
            found.setdefault(name, []).append(one.name)
    return {name: tuple(dict.fromkeys(several)) for name, several in found.items()}


def _place(one: Declared) -> Location | None:
    return one.where if one.where.line else None


def matching(found: Iterable[Row], words: Sequence[str]) -> tuple[Row, ...]:
    """Those that a person names, by a part of the name."""
    wanted = [normal(word) for word in words]
    return tuple(row for row in found if not wanted or any(word in normal(row.name) for word in wanted))


def rows_json(found: Iterable[Row]) -> list[dict[str, Any]]:
    """As `wsb list --json` has them; a key without meaning is left out."""
    return [
        {
            "name": row.name,
            **({"version": row.version} if row.version else {}),
            "source": row.source,
            "asked": row.is_asked,
            **({"where": place_json(row.where)} if row.where else {}),
            **({"brought_by": list(row.brought_by)} if row.brought_by else {}),
        }
        for row in found
    ]
