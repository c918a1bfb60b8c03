"""Tables as they lie on disk, parsed when first asked for.

`wsb plan` answers in a blink because it parses only the tables its question touches.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from builder.catalog.rows import Row

NAMES = (
    "ages",
    "companions",
    "conda",
    "cuda",
    "cudnn",
    "distributions",
    "ecosystem",
    "errors",
    "gpus",
    "imports",
    "installers",
    "machine_code",
    "micromamba",
    "nvidia_images",
    "presets",
    "pytorch_images",
    "torch",
)


class Tables:
    """Parsed tables by name. read: file name → bytes."""

    def __init__(self, read: Callable[[str], bytes]) -> None:
        self._read = read
        self._parsed: dict[str, dict[str, Any]] = {}

    def __getitem__(self, name: str) -> dict[str, Any]:
        """Raises FileNotFoundError or json.JSONDecodeError when the package itself is broken."""
        if name not in self._parsed:
            self._parsed[name] = json.loads(self._read(f"{name}.json"))
        return self._parsed[name]

    def rows(self, name: str, group: str = "rows") -> Iterator[Row]:
        yield from self[name][group]

    def sources(self, name: str, ids: Iterator[str] | tuple[str, ...] | list[str]) -> list[str]:
        """Ids of sources as readable lines, with the date of the table."""
        known = self[name].get("sources", {})
        return [f"{known.get(one, one)} ({self[name]['date']})" for one in ids]
