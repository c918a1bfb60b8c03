"""The one spelling of a table: what the refresh tool writes and what a test compares every table with.

A table is a JSON object of values and of lists of rows. A row stands on one line, so that a diff shows which fact changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def dump(table: Mapping[str, Any]) -> bytes:
    """The table's bytes: keys in their order, a row a line, UTF-8, a newline at the end."""
    parts = [f"{_one_line(key)}: {_value(value)}" for key, value in table.items()]
    return ("{\n" + ",\n".join(parts) + "\n}\n").encode()


def _value(value: Any) -> str:
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(f" {_one_line(row)}" for row in value) + "\n]"
    if isinstance(value, dict) and value:
        rows = [f" {_one_line(key)}: {_one_line(entry)}" for key, entry in value.items()]
        return "{\n" + ",\n".join(rows) + "\n}"
    return _one_line(value)


def _one_line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))
