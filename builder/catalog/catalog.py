"""The Catalog: tables and pure queries over them. In: bytes of the tables. Out: rows, each with its source."""

from __future__ import annotations

from collections.abc import Callable

from packaging.version import Version

from builder.catalog.ages import AgeTable
from builder.catalog.hardware import HardwareTable
from builder.catalog.images import ImageTable
from builder.catalog.imports import ImportTable
from builder.catalog.known_errors import ErrorTable
from builder.catalog.packages import PackageTable
from builder.catalog.rows import TorchBuild
from builder.catalog.tables import Tables
from builder.catalog.torch import TorchTable


class Catalog(TorchTable, HardwareTable, ImageTable, PackageTable, ImportTable, AgeTable, ErrorTable):
    """All that is known, asked in the words of the resolver. A table is parsed when a query first needs it."""

    def __init__(self, read: Callable[[str], bytes]) -> None:
        """read: file name of a table → its bytes."""
        self.tables = Tables(read)
        self._built: dict[tuple[Version, str], tuple[TorchBuild, ...]] = {}

    def date(self, table: str) -> str:
        """The day a table was collected, as 2026-11-23."""
        return str(self.tables[table]["date"])
