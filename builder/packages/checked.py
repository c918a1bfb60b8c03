"""Everything a check looks at, and the few questions that all of its parts ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from builder.catalog.catalog import Catalog
from builder.catalog.imports import normal
from builder.model.values import Manager
from builder.packages.declared import Declared
from builder.packages.installed import Installed
from builder.scan.imports import Import, Imports

# Namespaces that several distributions share: there the dotted name tells them apart.
NAMESPACES = frozenset({"google", "azure", "nvidia", "ruamel", "sphinxcontrib", "zope", "backports", "opentelemetry"})


_TELLING = 4  # letters; shorter names are part of many others


@dataclass(frozen=True, kw_only=True)
class Checked:
    """Everything a check looks at. document: the plan's JSON. files: all of the project's.

    installed: None without an image. imported_standard: names of Python's own modules that a file of the project has too.
    """

    imports: Imports
    declared: tuple[Declared, ...]
    document: Mapping[str, Any]
    catalog: Catalog
    manager: Manager
    installed: Installed | None = None
    files: tuple[str, ...] = ()
    imported_standard: frozenset[str] = frozenset()

    @cached_property
    def declared_by_name(self) -> Mapping[str, Declared]:
        found: dict[str, Declared] = {}
        for one in self.declared:
            for name in one.names:
                found.setdefault(name, one)
        return found

    @cached_property
    def places(self) -> Mapping[str, tuple[Import, ...]]:
        """Import name → its places. In a shared namespace the name is dotted, elsewhere it is the top one."""
        found: dict[str, list[Import]] = {}
        for one in self.imports.needed:
            found.setdefault(self.key_of(one.name), []).append(one)
        return {name: tuple(several) for name, several in found.items()}

    def key_of(self, name: str) -> str:
        top = name.partition(".")[0]
        if top not in NAMESPACES:
            return top
        row = self.catalog.import_name(name)
        return str(row["import"]) if row is not None else ".".join(name.split(".")[:2])


def declared_for(given: Checked, name: str, *, is_strict: bool = False) -> Declared | None:
    """The declared package that should bring this import.

    is_strict: only by the tables or the very name; else also python-x, pyx and x-python, and without an image, which would
    know better, a declared package with the import in its name (praat-parselmouth for parselmouth).
    """
    top = normal(name)
    sure = (*given.catalog.providers(name), top)
    guesses = sure if is_strict else (*sure, f"python-{top}", f"{top}-python", f"py{top}", top.removeprefix("py"))
    for guess in guesses:
        found = given.declared_by_name.get(guess)
        if found is not None and not _is_trap(given, found):
            return found
    if is_strict or given.installed is not None or len(top) < _TELLING or given.catalog.import_name(name) is not None:
        return None
    return next((one for known, one in given.declared_by_name.items() if top in known.split("-")), None)


def _is_trap(given: Checked, declared: Declared) -> bool:
    """Whether a declared name is that of another package than the one meant."""
    if declared.kind != "pip" or declared.url is not None:
        return False
    trap = given.catalog.import_trap(declared.name)
    return trap is not None and not trap.get("dummy")


def listed(names: tuple[str, ...]) -> str:
    """At most three of several names, and how many more there are."""
    shown = [*names[:3], f"{len(names) - 3} more"] if len(names) > 3 else list(names)
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
