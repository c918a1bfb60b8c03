"""The text of wsb.yaml → a Spec, or every problem in it at once.

Walks the table of keys beside the nodes: nothing here knows a key by its name, but `name`'s absence from an empty file.
"""

from __future__ import annotations

from typing import Any, cast

from builder.config.hints import MAX_TEXT, example_of, flattened, items_of, meant, unknown, what
from builder.config.keys import KEYS
from builder.config.kinds import Key, Many, Pairs, RefusedError, Section, Text, TextOrSection
from builder.config.nodes import ListNode, MapNode, Node, TextNode, read_nodes
from builder.config.suggest import as_yaml, as_yaml_list, shown
from builder.config.text import decode
from builder.errors import Problems, WsbError
from builder.model.spec import Spec
from builder.model.values import Located, Location

MAX_PROBLEMS = 100
MAX_HINT = 400  # a longer one would only repeat a value that is wrong anyway

_SMALLEST = "the smallest file that works is one line: `name: mnist`"


def read_spec(text: str | bytes, file: str) -> Spec:
    """What the user wrote. text: of wsb.yaml; bytes may be UTF-8 or UTF-16 with a mark. file: its name, for messages.

    Raises Problems, with every problem in the order of their places.
    """
    problems: list[WsbError] = []
    try:
        node = read_nodes(decode(text, file) if isinstance(text, bytes) else text, file, problems)
        spec = _Reading(problems).root(node, Location(file=file))
    except _TooManyError:
        problems.append(WsbError("bad-value", f"{file} has more than {MAX_PROBLEMS} problems; the rest is not shown"))
    except WsbError as error:
        problems.append(error)
    if problems:
        raise Problems(sorted(problems, key=_place))
    return spec


def _place(error: WsbError) -> tuple[int, int]:
    if error.where is None:
        return (1 << 30, 0)
    return (error.where.line, error.where.column)


class _TooManyError(Exception):
    """Enough problems were found to stop."""


class _Missing:
    """What a key holds whose value could not be read."""


_MISSING = _Missing()


class _Reading:
    """One walk. Every problem goes into problems; what could not be read is _MISSING."""

    def __init__(self, problems: list[WsbError]) -> None:
        self.problems = problems

    def root(self, node: Node | None, where: Location) -> Spec:
        """The Spec; meaningless when there are problems."""
        if node is None:
            self._add("missing-key", f"{where.file} is empty", where, _SMALLEST)
            return cast(Spec, None)
        if not isinstance(node, MapNode):
            self._add("bad-value", f"{where.file} holds {what(node)}, not keys with values", node.where, _SMALLEST)
            return cast(Spec, None)
        values = self._section(KEYS, node, "")
        if "name" not in values:
            if (
                not any("did you mean `name" in hint for problem in self.problems for hint in problem.hints)
                and node.get("name") is None
            ):
                self._add("missing-key", "name is missing", where, "write `name:` and the project's name in the first line")
            return cast(Spec, None)
        return cast(Spec, KEYS.make(where=where, **values))

    def _add(self, code: str, message: str, where: Location, *hints: str) -> None:
        if len(self.problems) >= MAX_PROBLEMS:
            raise _TooManyError
        self.problems.append(WsbError(code, message, where, hints=tuple(hint for hint in hints if 0 < len(hint) <= MAX_HINT)))

    def _section(self, section: Section, node: MapNode, path: str) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, value in node.entries:
            key = section.find(name.text)
            if key is None:
                self._add("unknown-key", unknown(name.text, section, path), name.where, meant(name.text, value, section, path))
                continue
            read = self._value(key, value, f"{path}{key.name}")
            if read is not _MISSING:
                values[key.name] = read
        return values

    def _value(self, key: Key, node: Node, path: str) -> Any:
        kind = key.kind
        if isinstance(node, TextNode) and node.is_empty:
            if isinstance(kind, Text | TextOrSection):
                example = kind.examples[0] if isinstance(kind, Text) else kind.text.examples[0]
                self._add(
                    "bad-value",
                    f"{path} has no value",
                    node.where,
                    f"write `{key.name}: {as_yaml(example)}`, or delete the line",
                )
            return _MISSING
        match kind:
            case Text():
                return self._text(kind, node, path, key.name)
            case Many():
                return self._many(kind, node, path, key.name)
            case Pairs():
                return self._pairs(kind, node, path)
            case Section():
                if isinstance(node, MapNode):
                    return kind.make(**self._section(kind, node, f"{path}."))
                self._add("bad-value", f"{path}: {what(node)} stands where a mapping is expected", node.where, example_of(key))
                return _MISSING
            case TextOrSection():
                return self._text_or_section(kind, node, path, key)

    def _text(self, kind: Text, node: Node, path: str, name: str) -> Located[Any] | _Missing:
        if not isinstance(node, TextNode):
            hint = f"write `{name}: {as_yaml(kind.examples[0])}`" if name else flattened(node, kind)
            self._add("bad-value", f"{path}: {what(node)} stands where {kind.expected} is expected", node.where, hint)
            return _MISSING
        try:
            return Located(self._parsed(kind, node), node.where)
        except RefusedError as error:
            self._add("bad-value", f"{path}: {error.message}", node.where, error.hint)
            return _MISSING

    def _parsed(self, kind: Text, node: TextNode) -> Any:
        if len(node.text) > MAX_TEXT:
            raise RefusedError(f"this value has {len(node.text):,} characters; at most {MAX_TEXT:,} are read")
        if "\0" in node.text:
            raise RefusedError(f"{shown(node.text)} holds a zero character")
        return kind.parse(node.text)

    def _many(self, kind: Many, node: Node, path: str, name: str) -> tuple[Located[Any], ...] | _Missing:
        if not isinstance(node, ListNode):
            hint = f"write `{name}: {as_yaml_list(kind.item.examples)}`"
            if isinstance(node, TextNode):
                hint = f"write `{name}: [{items_of(kind.item, node.text)}]`"
            self._add("bad-value", f"{path}: {what(node)} stands where a list is expected", node.where, hint)
            return _MISSING
        read = [self._text(kind.item, item, f"{path}[{place}]", "") for place, item in enumerate(node.items)]
        return tuple(item for item in read if isinstance(item, Located))

    def _pairs(self, kind: Pairs, node: Node, path: str) -> tuple[tuple[str, Located[Any]], ...] | _Missing:
        if not isinstance(node, MapNode):
            example = f"{{{kind.key.examples[0]}: {kind.value.examples[0]}}}"
            self._add(
                "bad-value",
                f"{path}: {what(node)} stands where a mapping is expected",
                node.where,
                f"write it like `{example}`",
            )
            return _MISSING
        pairs = []
        for name, value in node.entries:
            key = self._text(kind.key, name, path, "")
            if isinstance(value, TextNode) and value.is_empty:
                hint = f'write `{name.text[:60]}: ""` for an empty one'
                self._add("bad-value", f"{path}.{name.text[:60]} has no value", value.where, hint)
                continue
            read = self._text(kind.value, value, f"{path}.{name.text[:60]}", name.text[:60])
            if isinstance(key, Located) and isinstance(read, Located):
                pairs.append((key.value, read))
        return tuple(pairs)

    def _text_or_section(self, kind: TextOrSection, node: Node, path: str, key: Key) -> Any:
        match node:
            case TextNode():
                read = self._text(kind.text, node, path, key.name)
                return kind.from_text(read) if isinstance(read, Located) else _MISSING
            case MapNode():
                before = len(self.problems)
                values = self._section(kind.section, node, f"{path}.")
                for below in kind.section.keys:
                    if below.is_required and node.get(below.name) is None:
                        self._add("missing-key", f"{path}.{below.name} is missing", node.where, example_of(key))
                return kind.from_section(Located(values, node.where)) if len(self.problems) == before else _MISSING
            case ListNode():
                hint = f"write {kind.expected}"
                self._add("bad-value", f"{path}: a list stands where one value is expected", node.where, hint)
                return _MISSING
