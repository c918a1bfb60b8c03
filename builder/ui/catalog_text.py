"""Answers of the catalog for people. The documents themselves come from builder.catalog.ask."""

from __future__ import annotations

import textwrap
from typing import Any

_HIDDEN = ("schema", "kind", "sources", "source", "date")
_TITLES = {
    "torch": "torch",
    "compute_capability": "compute capability",
    "first_torch_with_python": "first torch with it",
    "newest_torch_with_python": "newest torch with it",
    "newest_torch": "newest torch",
    "nvidia_images": "nvidia/cuda starts",
    "import_name": "import",
    "find_links": "wheels at",
    "driver_linux": "driver on Linux",
    "driver_windows": "driver on Windows",
    "add_pin": "also pin",
}
_WIDTH = 23


def catalog_lines(document: dict[str, Any], width: int = 100) -> tuple[str, ...]:
    """Lines for a terminal: plain facts first, lists of rows as tables, the sources last."""
    lines: list[str] = []
    for key, value in document.items():
        if key in _HIDDEN:
            continue
        if isinstance(value, list) and value and isinstance(value[0], dict):
            lines += ["", *_table(value)]
        elif isinstance(value, dict):
            lines += [f"{_title(key):<{_WIDTH}}", *(f"  {name:<18}{_text(entry)}" for name, entry in value.items())]
        else:
            indent = " " * _WIDTH
            text = f"{_title(key):<{_WIDTH}}{_text(value)}"
            lines += textwrap.wrap(text, width, subsequent_indent=indent, break_long_words=False) or [text]
    sources = document.get("sources") or []
    return (*lines, *([""] if sources else []), *(f"source: {source}" for source in sources))


def _table(rows: list[dict[str, Any]]) -> list[str]:
    columns = [key for key in rows[0] if key not in _HIDDEN]
    columns += [key for row in rows[1:] for key in row if key not in columns and key not in _HIDDEN]
    columns = list(dict.fromkeys(columns))
    cells = [[_title(column) for column in columns], *([_text(row.get(column)) for column in columns] for row in rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(columns))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def _title(key: str) -> str:
    return _TITLES.get(key, key.replace("_", " "))


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case True:
            return "yes"
        case False:
            return "no"
        case list() | tuple():
            return " ".join(str(one) for one in value)
        case dict():
            return ", ".join(f"{name} {_text(one)}" for name, one in value.items())
        case _:
            return str(value)
