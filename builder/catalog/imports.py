"""Queries over import names: which distributions bring a name, which have the name and are something else."""

from __future__ import annotations

import re
from functools import cached_property

from builder.catalog.rows import Row
from builder.catalog.tables import Tables


def normal(name: str) -> str:
    """A package's name as indexes compare it: lower case, runs of -, _ and . as one hyphen."""
    return re.sub(r"[-_.]+", "-", name).lower()


def distribution_name(written: str) -> str:
    """The normalised name of what a row calls a distribution: a name, or that of the repository in an address."""
    repository = re.search(r"/([A-Za-z0-9._-]+?)(\.git)?/?(#.*)?$", written)
    return normal(repository[1] if "://" in written and repository else written)


class ImportTable:
    """Import names, traps, shared libraries, and what is used without an import. Part of the Catalog."""

    tables: Tables

    @cached_property
    def _import_rows(self) -> dict[str, Row]:
        return {row["import"]: row for row in self.tables.rows("imports")}

    @cached_property
    def _brought(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for name, row in self._import_rows.items():
            for one in (row["distribution"], *row.get("also", ())):
                found.setdefault(distribution_name(one), []).append(name)
        return {name: tuple(imports) for name, imports in found.items()}

    def import_name(self, name: str) -> Row | None:
        """The row of an import name, or of the longest dotted part of it that is known."""
        parts = name.split(".")
        for length in range(len(parts), 0, -1):
            if (found := self._import_rows.get(".".join(parts[:length]))) is not None:
                return found
        return None

    def import_trap(self, name: str) -> Row | None:
        """A distribution that has this name and is something else, or only points to the right one."""
        wanted = normal(name)
        return next((row for row in self.tables.rows("imports", "traps") if normal(row["name"]) == wanted), None)

    def import_named_like(self, name: str) -> Row | None:
        """The row whose import name this is, whatever its case and dashes: Yaml, scikit_learn's sklearn."""
        wanted = normal(name)
        exact = self._import_rows.get(name)
        return exact or next((row for known, row in self._import_rows.items() if normal(known) == wanted), None)

    def providers(self, name: str) -> tuple[str, ...]:
        """Normalised names of the distributions known to bring an import; () when the tables know nothing of it."""
        row = self.import_name(name)
        if row is None:
            return ()
        return tuple(dict.fromkeys(distribution_name(one) for one in (row["distribution"], *row.get("also", ()))))

    def imports_of(self, distribution: str) -> tuple[str, ...]:
        """Import names that a distribution is known to bring, where they are not its own name."""
        return self._brought.get(normal(distribution), ())

    @cached_property
    def _without_import(self) -> frozenset[str]:
        return frozenset(normal(one) for row in self.tables.rows("imports", "without_import") for one in row["packages"])

    def is_used_without_import(self, distribution: str) -> bool:
        """Whether a distribution is of use without being imported: a tool, or an engine behind another's functions."""
        name = normal(distribution)
        return name in self._without_import or name.startswith(("pytest-", "types-", "sphinx", "jupyter", "flake8-"))

    def library_package(self, stem: str) -> str | None:
        """The Debian package of a shared library. stem: its name up to .so, such as libGL.so."""
        return next((row["apt"] for row in self.tables.rows("imports", "libraries") if row["library"] == stem), None)

    @property
    def known_names(self) -> tuple[str, ...]:
        """Every distribution's name in the table, for "did you mean"."""
        rows = self._import_rows.values()
        named = (one for row in rows for one in (row["distribution"], *row.get("also", ())))
        return tuple(dict.fromkeys(one for one in named if "/" not in one and "(" not in one))
