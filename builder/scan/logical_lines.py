"""The text of a requirements file → its lines as pip counts them: continuations joined, comments gone, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator

from builder.model.values import Located, Location

_COMMENT = re.compile(r"(^|\s)#.*$")


def logical_lines(text: str, file: str) -> Iterator[Located[str]]:
    """Every line that holds something. Its place is where it begins."""
    parts: list[str] = []
    where = Location(file=file)
    for number, raw in enumerate(re.split(r"\r\n|\r|\n", text), 1):
        if not parts and not raw.strip():
            continue
        if not parts:
            where = Location(file=file, line=number, column=len(raw) - len(raw.lstrip()) + 1)
        is_comment = re.match(r"\s*#", raw) is not None
        if raw.endswith("\\") and not is_comment:
            parts.append(raw[:-1])
            continue
        parts.append(f" {raw}" if is_comment and parts else raw)  # a comment ends a continuation
        line = _COMMENT.sub("", "".join(parts)).strip()
        parts = []
        if line:
            yield Located(line, where)
    line = _COMMENT.sub("", "".join(parts)).strip()
    if line:
        yield Located(line, where)
