"""The catalogue of known errors: what a log says, what causes it, what helps. Matching is the doctor's work."""

from __future__ import annotations

from functools import cached_property

from builder.catalog.rows import Row
from builder.catalog.tables import Tables
from builder.model.diagnosis import Role
from builder.model.frozen import frozen


@frozen
class KnownError:
    """One row of errors.json.

    patterns: regular expressions, one of which is found in a line. is_general: another row that matches the same line is
    the better answer. is_of_build: only while a package is built. cause, remedy: {name} stands for a named group of the
    pattern. explains: ids of errors that follow from this one, wherever they stand in the log. example: as it is seen.
    """

    id: str
    role: Role
    is_general: bool
    is_of_build: bool
    patterns: tuple[str, ...]
    cause: str
    remedy: str
    explains: tuple[str, ...]
    source: str
    example: str


@frozen
class LogWords:
    """Lines that look like errors and are none, and lines that only repeat that something failed before."""

    harmless: tuple[str, ...]
    echoes: tuple[str, ...]


class ErrorTable:
    """Known errors. Part of the Catalog."""

    tables: Tables

    @cached_property
    def known_errors(self) -> tuple[KnownError, ...]:
        """Every row, in the table's order: of two that match one line the upper one is taken."""
        return tuple(self._known_error(row) for row in self.tables.rows("errors"))

    @cached_property
    def log_words(self) -> LogWords:
        return LogWords(
            harmless=tuple(row["pattern"] for row in self.tables.rows("errors", "harmless")),
            echoes=tuple(row["pattern"] for row in self.tables.rows("errors", "echoes")),
        )

    def _known_error(self, row: Row) -> KnownError:
        known = self.tables["errors"]["sources"]
        return KnownError(
            id=row["id"],
            role=Role(row.get("role", "cause")),
            is_general=row.get("general", False),
            is_of_build=row.get("of_build", False),
            patterns=tuple(row["patterns"]),
            cause=row["cause"],
            remedy=row["remedy"],
            explains=tuple(row.get("explains", ())),
            source="; ".join(known[one] for one in row["source"]),
            example=row["example"],
        )
