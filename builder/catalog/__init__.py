"""Tables and pure queries over them: which torch, which CUDA, which driver, which GPU, which image.

`load()` gives the tables that travel with the package; a test makes a Catalog of its own from other bytes.
"""

from __future__ import annotations

from functools import cache

from builder import assets
from builder.catalog.catalog import Catalog

__all__ = ["Catalog", "load"]


@cache
def load() -> Catalog:
    """The catalog that travels with wsb; the same object each time."""
    return Catalog(assets.table)
