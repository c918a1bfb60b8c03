"""Where things stand in the text of a YAML file, and the smallest changes to it: lines and spans, nothing of wsb.yaml.

The parser's own marks say where a scalar or a flow list begins and ends. A block's end mark lies after the comments that
follow it, so a block ends here where its last scalar does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from builder.config.suggest import as_yaml
from builder.model.frozen import frozen

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULLS = ("", "~", "null", "Null", "NULL")

Map = Any  # yaml.MappingNode; PyYAML's nodes have no useful types
Span = tuple[int, int]


class CannotEditError(Exception):
    """The file is written in a way these rules do not know."""


@frozen
class Place:
    """How far a path exists. depth: how many of its names do. inside: the mapping the last one was looked for in.

    key, value: of the whole path, or of the last name that has no value; None when the name itself is missing.
    """

    inside: Map
    depth: int
    key: Any = None
    value: Any = None


@dataclass(frozen=True, slots=True)
class Read:
    """A text and its nodes. Every changing method returns the new text."""

    text: str
    root: Any
    newline: str

    @classmethod
    def of(cls, text: str) -> Read:
        """Raises CannotEditError for anchors and aliases: a change in one place would be one in others."""
        if any(getattr(event, "anchor", None) for event in yaml.parse(text, Loader=_LOADER)):
            raise CannotEditError
        return cls(text, yaml.compose(text, Loader=_LOADER), "\r\n" if "\r\n" in text else "\n")

    # --- questions ---

    def find(self, path: Sequence[str]) -> Place:
        """Raises CannotEditError when something on the way is not a mapping."""
        inside = self.root
        for depth, name in enumerate(path):
            if not isinstance(inside, yaml.MappingNode):
                raise CannotEditError
            found = next(((key, value) for key, value in inside.value if key.value == name), None)
            if found is None:
                return Place(inside=inside, depth=depth)
            key, value = found
            if depth == len(path) - 1 or self.is_nothing(value):
                return Place(inside=inside, depth=depth + 1, key=key, value=value)
            inside = value
        raise CannotEditError

    def is_nothing(self, node: Any) -> bool:
        return self.is_scalar(node) and not node.style and node.value in _NULLS

    def is_scalar(self, node: Any) -> bool:
        return isinstance(node, yaml.ScalarNode)

    def is_flow(self, node: Any) -> bool:
        return not self.is_scalar(node) and bool(node.flow_style)

    def is_block(self, node: Any) -> bool:
        """Whether its end is found by lines: a block list, mapping or text."""
        return node.style in ("|", ">") if self.is_scalar(node) else not node.flow_style

    def start(self, node: Any) -> int:
        return int(node.start_mark.index)

    def end(self, node: Any) -> int:
        """Just after the last character of its content."""
        if self.is_scalar(node) or node.flow_style:
            start, end = self.start(node), int(node.end_mark.index)
            return start + len(self.text[start:end].rstrip())
        last = node.value[-1]
        return max(self.end(part) for part in (last if isinstance(last, tuple) else (last,)))

    def items(self, node: Any) -> list[Span]:
        """Spans of a list's items."""
        if not isinstance(node, yaml.SequenceNode):
            raise CannotEditError
        return [(self.start(item), self.end(item)) for item in node.value]

    def entries(self, node: Map) -> list[Span]:
        """Spans of a mapping's keys with their values."""
        return [(self.start(key), max(self.after_colon(key), self.end(value))) for key, value in node.value]

    def after_colon(self, key: Any) -> int:
        found = re.compile(r"[ \t]*:").match(self.text, self.end(key))
        if not found:
            raise CannotEditError
        return found.end()

    def column_of_keys(self, node: Map) -> int:
        """Of a block mapping."""
        return int(node.value[0][0].start_mark.column)

    def margin_of_item(self, node: Any, at: int = -1) -> str:
        """The blanks before the dash of an item that has its line to itself. Raises CannotEditError otherwise."""
        start = self.start(node.value[at])
        found = re.fullmatch(r"([ \t]*)-[ \t]+", self.text[self.line_start(start) : start])
        if not found:
            raise CannotEditError
        return found[1]

    def line_start(self, at: int) -> int:
        return self.text.rfind("\n", 0, at) + 1

    def line_end(self, at: int) -> int:
        """After the line break of the line that holds this place."""
        found = self.text.find("\n", at)
        return len(self.text) if found < 0 else found + 1

    def end_of_document(self) -> int:
        """The last place a line can follow: the end of the text, or the content's where a `...` ends the document."""
        is_ended = re.search(r"^\.\.\.", self.text, re.MULTILINE) is not None
        return self.end(self.root) if is_ended else len(self.text)

    # --- changes ---

    def replace(self, start: int, end: int, new: str) -> str:
        return self.text[:start] + new + self.text[end:]

    def insert(self, at: int, new: str) -> str:
        return self.replace(at, at, new)

    def insert_line(self, after: int, line: str, note: str = "") -> str:
        """With a new line after the one that holds this place."""
        at = self.line_end(after)
        line += f"  # {note}" if note else ""
        if at and self.text[at - 1] != "\n":
            return self.insert(at, self.newline + line)
        return self.insert(at, line + self.newline)

    def delete_lines(self, start: int, end: int) -> str:
        """Without the lines that hold this span. Raises CannotEditError when something else stands before it."""
        first = self.line_start(start)
        if not re.fullmatch(r"[ \t]*(-[ \t]+)?", self.text[first:start]):
            raise CannotEditError
        last = self.line_end(end)
        if last == len(self.text) and not self.text.endswith("\n"):  # the file goes on ending without a line break
            first = max(0, first - len(self.newline))
        return self.replace(first, last, "")

    def replace_below(self, place: Place, new: str) -> str:
        """With the block under a key replaced by something short beside the key; the key's own comment stays."""
        if place.key is None or place.value is None:
            raise CannotEditError
        colon = self.after_colon(place.key)
        if self.line_end(colon) > self.start(place.value):  # a block text begins beside its key
            return self.replace(colon, self.end(place.value), f" {new}")
        first = self.line_end(colon)
        rest = self.text[self.line_end(self.end(place.value)) :]
        return f"{self.text[:colon]} {new}{self.text[colon:first]}{rest}"

    def rewrite(self, node: Any, new: str) -> str:
        """With another text in a scalar's place, in the quotes it had. Raises CannotEditError for a block text."""
        if not self.is_scalar(node) or node.style in ("|", ">"):
            raise CannotEditError
        written = as_yaml(new)
        if node.style == "'":
            written = "'" + new.replace("'", "''") + "'"
        elif node.style == '"':
            written = json.dumps(new, ensure_ascii=False)
        return self.replace(self.start(node), self.end(node) + self._gap(node), self._aligned(node, written))

    def _gap(self, node: Any) -> int:
        """Blanks between a value and a comment that people lined up with others; 0 for one that just follows."""
        found = re.compile(r" {2,}(?=#)").match(self.text, self.end(node))
        return len(found[0]) if found else 0

    def _aligned(self, node: Any, written: str) -> str:
        """With as many blanks as keep a lined-up comment in its column."""
        gap = self._gap(node)
        return written + " " * max(2, gap + self.end(node) - self.start(node) - len(written)) if gap else written
