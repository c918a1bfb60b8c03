"""Items of a flow list or mapping, [a, b] or {a: 1}, put in and taken out: on one line, or each on a line of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from builder.config.edit_places import Read, Span

_COMMA = re.compile(r"[ \t]*,")
_REST = re.compile(r"[ \t]*,?[ \t]*(#[^\n]*)?\r?(\n|$)")


def insert(read: Read, node: Any, spans: Sequence[Span], new: str) -> str:
    """With one more at the end, in the way the others are laid out."""
    text = read.text
    opening = read.start(node)
    if not spans:
        inner = text[opening + 1 : read.end(node) - 1]
        return read.replace(opening + 1, opening + 1 + (0 if inner.strip() else len(inner)), new)
    start, end = spans[-1]
    if not _has_own_line(read, start, end):
        return read.insert(end, f", {new}")
    margin = text[read.line_start(start) : start]
    line_end = read.line_end(end)
    comma = _COMMA.match(text, end)
    line = f"{margin}{new}{',' if comma else ''}{read.newline}"
    return f"{text[:end]}{'' if comma else ','}{text[end:line_end]}{line}{text[line_end:]}"


def delete(read: Read, node: Any, spans: Sequence[Span], at: int) -> str:
    """Without one of them, its comma, and its comment where it had a line to itself."""
    start, end = spans[at]
    comma = _COMMA.match(read.text, end)
    if _has_own_line(read, start, end):
        return read.replace(read.line_start(start), read.line_end(end), "")
    if at + 1 < len(spans):
        return read.replace(start, spans[at + 1][0], "")
    if at:
        return read.replace(spans[at - 1][1], end, "")
    after = comma.end() if comma else end
    is_alone = not read.text[read.start(node) + 1 : start].strip() and not read.text[after : read.end(node) - 1].strip()
    if is_alone:  # [ a ] becomes []
        return read.replace(read.start(node) + 1, read.end(node) - 1, "")
    return read.replace(start, after, "")


def _has_own_line(read: Read, start: int, end: int) -> bool:
    before = read.text[read.line_start(start) : start]
    return not before.strip() and _REST.match(read.text, end) is not None
