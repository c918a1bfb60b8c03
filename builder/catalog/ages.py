"""Queries over the ages of releases: when a version came out, and which Pythons its Linux wheels serve."""

from __future__ import annotations

from functools import cached_property

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from builder.catalog.rows import Row
from builder.catalog.tables import Tables
from builder.model.frozen import frozen


@frozen
class Age:
    """One release of a package. released: its day, such as 2021-06-22. oldest, newest: Pythons, None for an open end."""

    package: str
    version: Version
    released: str
    oldest: Version | None = None
    newest: Version | None = None

    def serves(self, python: str) -> bool:
        """Whether there is a wheel for this Python, or one for all."""
        return (self.oldest is None or self.oldest <= Version(python)) and (
            self.newest is None or Version(python) <= self.newest
        )


class AgeTable:
    """Part of the Catalog."""

    tables: Tables

    @cached_property
    def _ages(self) -> dict[str, Row]:
        return {row["package"]: row["releases"] for row in self.tables.rows("ages")}

    def ages(self, package: str, request: SpecifierSet) -> tuple[Age, ...]:
        """The known releases of a package that a request admits, oldest first; () for a package that is not in the table."""
        found = []
        for text, told in self._ages.get(package, {}).items():
            if request.contains(text):
                released, _, span = told.partition(" ")
                oldest, _, newest = span.partition("-")
                found.append(
                    Age(
                        package=package,
                        version=Version(text),
                        released=released,
                        oldest=Version(oldest) if oldest else None,
                        newest=Version(newest) if newest else None,
                    )
                )
        return tuple(found)

    def age(self, package: str, version: str) -> Age | None:
        """One release; None when the table does not have it."""
        found = self.ages(package, SpecifierSet(f"=={version}")) if version in self._ages.get(package, {}) else ()
        return found[0] if found else None

    @cached_property
    def python_days(self) -> dict[str, str]:
        """Python → the day it came out, oldest first."""
        return {row["python"]: row["released"] for row in self.tables.rows("ages", "pythons")}
