"""YAML text → nodes that know where they stand and keep every scalar as it was written.

The parser's events are read, not its objects: `torch: 2.10` stays "2.10", nothing is ever constructed, and depth is
bounded while reading (a flow sequence a hundred thousand deep takes libyaml half a minute otherwise). An alias is the
node it names, shared and not copied, so that a bomb of aliases stays as small as its text. The same nodes serve wsb.yaml
and environment.yml.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.reader import Reader

from builder.config.text import check_size
from builder.config.yaml_errors import MAX_DEPTH, TOO_DEEP, explain
from builder.errors import WsbError
from builder.model.frozen import frozen
from builder.model.values import Location

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where PyYAML was built with it: ten times faster
_UNPRINTABLE = Reader.NON_PRINTABLE  # of YAML itself; compiling it again costs 5 ms


@frozen(kw_only=False)
class TextNode:
    """A scalar. is_plain: written without quotes, and not as a block."""

    text: str
    where: Location
    is_plain: bool

    @property
    def is_empty(self) -> bool:
        """Whether nothing was written, or YAML's word for nothing."""
        return self.is_plain and self.text in _NULLS


@frozen(kw_only=False)
class ListNode:
    items: tuple[Node, ...]
    where: Location


@frozen(kw_only=False)
class MapNode:
    """Keys in their order, each once."""

    entries: tuple[tuple[TextNode, Node], ...]
    where: Location

    def get(self, key: str) -> Node | None:
        return next((value for name, value in self.entries if name.text == key), None)


Node = TextNode | ListNode | MapNode


def read_nodes(text: str, file: str, problems: list[WsbError]) -> Node | None:
    """The one document in text; None when there is nothing in it.

    Repeated keys are added to problems, and the first of them counts.
    Raises WsbError (bad-yaml) for text that is not one YAML document, since nothing after that place can be trusted.
    """
    check_size(len(text), file)
    text = text.removeprefix("\ufeff")
    _check_characters(text, file)
    building = _Building(file, problems)
    try:
        for event in _events(text):
            building.take(event)
    except yaml.MarkedYAMLError as error:
        raise explain(error, text, file) from None
    except yaml.YAMLError:  # a reader's error; the characters were looked at above, so this is not expected
        raise WsbError("bad-yaml", f"{file} cannot be read as YAML", Location(file=file)) from None
    return building.root


def _events(text: str) -> Iterator[Any]:
    yield from yaml.parse(text, Loader=_LOADER)


def _check_characters(text: str, file: str) -> None:
    found = _UNPRINTABLE.search(text)
    if found:
        before = text[: found.start()]
        where = Location(file=file, line=before.count("\n") + 1, column=found.start() - (before.rfind("\n") + 1) + 1)
        raise WsbError(
            "bad-yaml",
            f"the character U+{ord(found[0]):04X} cannot stand in a YAML file",
            where,
            hints=("delete it; it is invisible in most editors",),
        )


@dataclass(slots=True, eq=False, repr=False)
class _Open:
    """A list or mapping whose end has not come yet."""

    where: Location
    is_map: bool
    anchor: str | None
    items: list[Node] = field(default_factory=list)
    entries: list[tuple[TextNode, Node]] = field(default_factory=list)
    lines: dict[str, Location] = field(default_factory=dict)
    key: TextNode | None = None


class _Building:
    """The tree so far. take() is handed the events in their order."""

    def __init__(self, file: str, problems: list[WsbError]) -> None:
        self.file = file
        self.problems = problems
        self.root: Node | None = None
        self._open: list[_Open] = []
        self._anchored: dict[str, Node] = {}
        self._documents = 0

    def take(self, event: Any) -> None:
        where = Location(file=self.file, line=event.start_mark.line + 1, column=event.start_mark.column + 1)
        match event:
            case yaml.ScalarEvent():
                self._check_tag(event, where)
                self._place(TextNode(event.value, where, not event.style), event.anchor)
            case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                self._check_tag(event, where)
                if len(self._open) >= MAX_DEPTH:
                    raise self._refuse(TOO_DEEP, where)
                self._open.append(_Open(where, isinstance(event, yaml.MappingStartEvent), event.anchor))
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                done = self._open.pop()
                node = MapNode(tuple(done.entries), done.where) if done.is_map else ListNode(tuple(done.items), done.where)
                self._place(node, done.anchor)
            case yaml.AliasEvent():
                self._place(self._named(str(event.anchor), where), None)
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise self._refuse("a second document begins here", where, "keep one document; delete the `---`")

    def _place(self, node: Node, anchor: str | None) -> None:
        if anchor is not None:
            self._anchored[anchor] = node
        if not self._open:
            self.root = None if isinstance(node, TextNode) and node.is_empty else node
        elif not self._open[-1].is_map:
            self._open[-1].items.append(node)
        else:
            self._place_in_map(self._open[-1], node)

    def _place_in_map(self, inside: _Open, node: Node) -> None:
        if inside.key is not None:
            key, inside.key = inside.key, None
            first = inside.lines.setdefault(key.text, key.where)
            if first is key.where:
                inside.entries.append((key, node))
            else:
                self.problems.append(_repeated(key, first))
        elif not isinstance(node, TextNode):
            raise self._refuse("a key is a word, not a list or a mapping", node.where)
        elif node.text == "<<" and node.is_plain:
            raise self._refuse("merge keys (`<<`) are not read here", node.where, "write the keys out")
        else:
            inside.key = node

    def _named(self, anchor: str, where: Location) -> Node:
        if anchor not in self._anchored:
            raise self._refuse(
                f"`*{anchor}` names something that was not written before it",
                where,
                f"a text that begins with * needs quotes: '*{anchor}'",
            )
        return self._anchored[anchor]

    def _check_tag(self, event: Any, where: Location) -> None:
        if event.tag is not None:
            raise self._refuse(
                f"tags such as `{_short_tag(event.tag)[:60]}` are not read here",
                where,
                "delete it; a text that begins with ! needs quotes",
            )

    def _refuse(self, message: str, where: Location, hint: str = "") -> WsbError:
        return WsbError("bad-yaml", message, where, hints=(hint,) if hint else ())


def _short_tag(tag: str) -> str:
    return "!!" + tag.removeprefix("tag:yaml.org,2002:") if tag.startswith("tag:yaml.org,2002:") else tag[:40]


def _repeated(key: TextNode, first: Location) -> WsbError:
    return WsbError(
        "duplicate-key",
        f"`{key.text[:60]}` is written twice; the first is in line {first.line}",
        key.where,
        hints=("keep one of them",),
    )
