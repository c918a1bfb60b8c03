"""The text of wsb.yaml, and one change to it → the new text, with everything else as it was.

Comments, order, quotes, block and flow lists, line ends and alignment stay: only the characters of the change move. What
comes out is read again and held against what was meant, so a way of writing that these rules do not know is refused with
what to write by hand, never damaged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from builder.config import edit_flow as flow
from builder.config import edit_places as places
from builder.config.edit_places import CannotEditError, Map, Place
from builder.config.nodes import ListNode, MapNode, Node, read_nodes
from builder.config.suggest import as_yaml, as_yaml_list
from builder.config.text import decode, mark_of
from builder.errors import WsbError
from builder.model.values import Location

Value = str | int | bool | Sequence[str]
Path = Sequence[str]


def edit_bytes(content: bytes, file: str, change: Callable[[str], str]) -> bytes:
    """The file's bytes after a change to its text, in the encoding and with the mark it had.

    Raises WsbError (bad-value) for bytes that are no text.
    """
    text = decode(content, file)
    mark, encoding = mark_of(content)
    return mark + change(text).encode(encoding)


def add_item(text: str, path: Path, item: str, *, note: str = "", file: str = "wsb.yaml") -> str:
    """With one more item at the end of a list. path: such as ("packages", "pip"); the list is made where there is none.

    note: a comment for a line that is new. The same text is returned when the item is there already.
    Raises WsbError (bad-value) when the file is written in a way that cannot be edited safely.
    """

    def expect(tree: Any) -> None:
        section = _section(tree, path[:-1])
        section[path[-1]] = [*(section.get(path[-1]) or ()), item]

    if item in _items(_tree(text, file), path):
        return text
    line = f"{'.'.join(path)}: [{as_yaml(item)}]"
    return _edited(text, file, lambda read: _with_item(read, path, item, note), expect, f"add `{line}`")


def remove_item(text: str, path: Path, item: str, *, file: str = "wsb.yaml") -> str:
    """Without an item of a list; the same text when it is not there. The comment on its own line goes with it."""

    def expect(tree: Any) -> None:
        _section(tree, path[:-1])[path[-1]].remove(item)

    found = _items(_tree(text, file), path)
    while item in found:
        place = found.index(item)
        text = _edited(text, file, lambda read, at=place: _without_item(read, path, at), expect, f"remove `{item}`")  # type: ignore[misc]
        found = _items(_tree(text, file), path)
    return text


def replace_item(text: str, path: Path, item: str, new: str, *, file: str = "wsb.yaml") -> str:
    """With an item written otherwise, in its place and in its quotes; the same text when it is not there."""

    def expect(tree: Any) -> None:
        items = _section(tree, path[:-1])[path[-1]]
        items[items.index(item)] = new

    found = _items(_tree(text, file), path)
    if item not in found or item == new:
        return text
    place = found.index(item)
    change = f"write `{new}` instead of `{item}`"
    return _edited(text, file, lambda read: _with_other_item(read, path, place, new), expect, change)


def set_value(text: str, path: Path, value: Value, *, note: str = "", file: str = "wsb.yaml") -> str:
    """With a key's value replaced, in the quotes it had, or with the key added after the others of its section.

    note: a comment for a line that is new.
    """

    def expect(tree: Any) -> None:
        _section(tree, path[:-1])[path[-1]] = _plain_value(value)

    change = f"write `{'.'.join(path)}: {_written(value)}`"
    return _edited(text, file, lambda read: _with_value(read, path, value, note), expect, change)


def remove_key(text: str, path: Path, *, file: str = "wsb.yaml") -> str:
    """Without a key and its value; the same text when it is not there. Comments above it stay."""

    def expect(tree: Any) -> None:
        del _section(tree, path[:-1])[path[-1]]

    if not _has(_tree(text, file), path):
        return text
    return _edited(text, file, lambda read: _without_key(read, path), expect, f"delete `{'.'.join(path)}`")


# --- the change and its proof ---


def _edited(text: str, file: str, change: Callable[[places.Read], str], expect: Callable[[Any], None], by_hand: str) -> str:
    """The changed text, when it reads as what was expected."""
    bare = text.removeprefix("\ufeff")
    wanted = _tree(bare, file)
    try:
        expect(wanted)
        done = change(places.Read.of(bare))
        is_right = _tree(done, file) == wanted
    except (CannotEditError, WsbError):
        is_right = False
    if not is_right:
        raise WsbError(
            "bad-value",
            f"{file} is written in a way that wsb cannot change without disturbing it",
            Location(file=file),
            hints=(f"{by_hand} by hand",),
        )
    return text[: len(text) - len(bare)] + done


def _tree(text: str, file: str) -> Any:
    """The file as nested dicts, lists and texts. Raises WsbError (bad-yaml, duplicate-key)."""
    problems: list[WsbError] = []
    node = read_nodes(text, file, problems)
    if problems:
        raise problems[0]
    return {} if node is None else _plain(node)


def _plain(node: Node) -> Any:
    match node:
        case MapNode():
            return {key.text: _plain(value) for key, value in node.entries}
        case ListNode():
            return [_plain(item) for item in node.items]
        case _:
            return None if node.is_empty else node.text


def _plain_value(value: Value) -> Any:
    match value:
        case bool() | int() | str():
            return as_yaml(value) if isinstance(value, int) else value
        case _:
            return list(value)


def _section(tree: Any, path: Path) -> Any:
    """The mapping at a path, made where there is none or nothing. Raises CannotEditError for another kind of value."""
    for name in path:
        if tree.get(name) is None:
            tree[name] = {}
        tree = tree[name]
        if not isinstance(tree, dict):
            raise CannotEditError
    return tree


def _has(tree: Any, path: Path) -> bool:
    for name in path:
        if not isinstance(tree, dict) or name not in tree:
            return False
        tree = tree[name]
    return True


def _items(tree: Any, path: Path) -> list[Any]:
    for name in path:
        tree = tree.get(name) if isinstance(tree, dict) else None
    return tree if isinstance(tree, list) else []


def _written(value: Value) -> str:
    return as_yaml(value) if isinstance(value, str | int) else as_yaml_list(value)


# --- what is done to the text ---


def _with_item(read: places.Read, path: Path, item: str, note: str) -> str:
    place = read.find(path)
    if place.value is None or read.is_nothing(place.value):
        return _with_entry(read, place, path, f"[{as_yaml(item)}]", note)
    spans = read.items(place.value)
    if read.is_flow(place.value):
        return flow.insert(read, place.value, spans, as_yaml(item))
    margin = read.margin_of_item(place.value)
    return read.insert_line(read.end(place.value), f"{margin}- {as_yaml(item)}", note)


def _without_item(read: places.Read, path: Path, at: int) -> str:
    place = read.find(path)
    if place.value is None or place.key is None:
        raise CannotEditError
    spans = read.items(place.value)
    if read.is_flow(place.value):
        return flow.delete(read, place.value, spans, at)
    read.margin_of_item(place.value, at)
    if len(spans) == 1:
        return read.replace_below(place, "[]")
    return read.delete_lines(*spans[at])


def _with_other_item(read: places.Read, path: Path, at: int, new: str) -> str:
    place = read.find(path)
    if place.value is None:
        raise CannotEditError
    return read.rewrite(place.value.value[at], new)


def _with_value(read: places.Read, path: Path, value: Value, note: str) -> str:
    place = read.find(path)
    if place.value is None or read.is_nothing(place.value):
        return _with_entry(read, place, path, _written(value), note)
    if read.is_block(place.value):
        return read.replace_below(place, _written(value))
    if read.is_scalar(place.value) and isinstance(value, str):
        return read.rewrite(place.value, value)
    return read.replace(read.start(place.value), read.end(place.value), _written(value))


def _with_entry(read: places.Read, place: Place, path: Path, written: str, note: str) -> str:
    """A key that is not there, or holds nothing, gets its value; missing sections are made around it."""
    missing = list(path[place.depth :])
    if place.key is not None:
        nested = _nested_flow(missing, written)
        nothing = max(read.after_colon(place.key), read.end(place.value))  # an end of its own where it is a ~
        return read.replace(read.after_colon(place.key), nothing, f" {{{nested}}}" if missing else f" {written}")
    if read.is_flow(place.inside):
        return flow.insert(read, place.inside, read.entries(place.inside), _nested_flow(missing, written))
    margin = " " * read.column_of_keys(place.inside)
    lines = [f"{margin}{'  ' * depth}{as_yaml(name)}:" for depth, name in enumerate(missing)]
    lines[-1] += f" {written}"
    end = read.end_of_document() if place.depth == 0 else read.end(place.inside)
    return read.insert_line(end, read.newline.join(lines), note)


def _nested_flow(missing: Sequence[str], written: str) -> str:
    """a: {b: written} for the keys that are missing; only the value when none is."""
    for depth, name in enumerate(reversed(missing)):
        written = f"{as_yaml(name)}: {written if depth == 0 else '{' + written + '}'}"
    return written


def _without_key(read: places.Read, path: Path) -> str:
    place = read.find(path)
    if place.key is None or place.value is None:
        raise CannotEditError
    inside: Map = place.inside
    spans = read.entries(inside)
    at = next(index for index, (key, _) in enumerate(inside.value) if key is place.key)
    if read.is_flow(inside):
        return flow.delete(read, inside, spans, at)
    if len(spans) == 1:
        return read.replace_below(read.find(path[:-1]), "{}")
    return read.delete_lines(*spans[at])
