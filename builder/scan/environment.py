"""environment.yml → items: channels, conda packages, and the lines of its pip section.

Exports of other systems are common (`prefix: C:\\Users…`, vs2015_runtime): what only exists there is left out with a note,
and the build strings with it, since none of them exists for Linux.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from builder.config.nodes import ListNode, MapNode, Node, TextNode, read_nodes
from builder.config.suggest import nearest, shown
from builder.errors import WsbError
from builder.model.values import Located, Location
from builder.scan.conda_list import without_build
from builder.scan.elsewhere import other_system_of
from builder.scan.items import ChannelItem, CondaItem, Item, NoteItem
from builder.scan.match_spec import read_match_spec
from builder.scan.requirements import read_requirement_line

_KEYS = ("name", "channels", "dependencies", "prefix", "variables", "platforms", "channel-priority", "category")
_PREFIX = re.compile(r"^prefix:.*$", re.MULTILINE)  # often edited by hand into what is no YAML; it is not needed
_HINT = "a conda environment file begins with `name:`, `channels:` and `dependencies:`"


def read_environment(text: str, file: str) -> tuple[Item, ...]:
    """The items of a conda environment file, in its order."""
    problems: list[WsbError] = []
    prefix = _PREFIX.search(text)
    try:
        node = read_nodes(_PREFIX.sub("prefix:", text), file, problems)
    except WsbError as error:
        return (error,)
    if not isinstance(node, MapNode) or not ({"dependencies", "channels", "name"} & {key.text for key, _ in node.entries}):
        where = node.where if node is not None else Location(file=file)
        return (WsbError("bad-value", f"{file} is not a conda environment file", where, hints=(_HINT,)),)
    lines = re.split(r"\r\n|\r|\n", text)
    items = [item for key, value in node.entries for item in _of_key(key, value, lines)]
    is_foreign = prefix is not None and re.search(r"[A-Za-z]:\\|/Users/", prefix[0]) is not None
    return (*problems, *_for_linux(items, file, is_foreign))


def _of_key(key: TextNode, value: Node, lines: list[str]) -> Iterator[Item]:
    match key.text:
        case "channels":
            yield from _channels(value)
        case "dependencies":
            yield from _dependencies(value, lines)
        case "variables":
            note = "variables are not taken over; write them under `run: {env: {}}` of wsb.yaml"
            yield NoteItem(text=note, where=key.where)
        case "prefix":
            yield NoteItem(text="prefix names a folder of another machine; it is left out", where=key.where)
        case text if text not in _KEYS:
            meant = nearest(text, _KEYS)
            if meant:
                message = f"{shown(text)} is not a key of an environment file"
                yield WsbError("unknown-key", message, key.where, hints=(f"did you mean `{meant}`?",))


def _channels(node: Node) -> Iterator[Item]:
    for item in _items(node):
        if not isinstance(item, TextNode):
            yield _bad("a channel is one word or URL", item.where)
        elif not item.is_empty:
            yield ChannelItem(channel=item.text.strip(), where=item.where)


def _items(node: Node) -> tuple[Node, ...]:
    """The items of a list; a single text counts as a list of one."""
    match node:
        case ListNode():
            return node.items
        case TextNode() if node.is_empty:
            return ()
        case _:
            return (node,)


def _bad(message: str, where: Location, hint: str = "") -> WsbError:
    return WsbError("bad-value", message, where, hints=(hint,) if hint else ())


def _dependencies(node: Node, lines: list[str]) -> Iterator[Item]:
    for item in _items(node):
        match item:
            case TextNode() if item.is_empty:
                continue
            case TextNode():
                yield from _conda(item, lines)
            case MapNode():
                yield from _below(item, lines)
            case ListNode():
                yield _bad("a list stands where a package is expected", item.where, "write one package an item")


def _conda(item: TextNode, lines: list[str]) -> Iterator[Item]:
    selector = _selector(item, lines)
    if selector is not None and not _holds_on_linux(selector):
        yield NoteItem(text=f"{shown(item.text)} is left out: it is marked # [{selector}]", where=item.where)
        return
    yield read_match_spec(item.text, item.where)


def _below(item: MapNode, lines: list[str]) -> Iterator[Item]:
    """`pip:` with its list, or a package that YAML took for a mapping (`numpy: 1.24`)."""
    for key, value in item.entries:
        if key.text == "pip":
            for line in _items(value):
                if isinstance(line, TextNode):
                    yield from _pip(line, lines)
                else:
                    yield _bad("a mapping or list stands where a requirement is expected", line.where, "write it in quotes")
        elif isinstance(value, TextNode) and re.fullmatch(r"[0-9][\w.*]*", value.text):
            spec = f"{key.text}={value.text}"
            yield _bad(f"{key.text}: a package and its version are one text here", key.where, f"write `{spec}`")
        else:
            yield _bad(f"{shown(key.text)} is not a section of dependencies; there is only pip", key.where)


def _pip(item: TextNode, lines: list[str]) -> Iterator[Item]:
    selector = _selector(item, lines)
    if selector is not None and not _holds_on_linux(selector):
        yield NoteItem(text=f"{shown(item.text)} is left out: it is marked # [{selector}]", where=item.where)
        return
    for part in item.text.splitlines():
        line = re.sub(r"(^|\s+)#.*$", "", part).strip()
        if line:
            yield from read_requirement_line(Located(line, item.where))


# --- selectors and other systems -----------------------------------------------------------------------------------

_ON_LINUX = {
    "linux": True,
    "linux64": True,
    "linux-64": True,
    "unix": True,
    "x86_64": True,
    "x86": True,
    "win": False,
    "win32": False,
    "win64": False,
    "windows": False,
    "osx": False,
    "macos": False,
    "darwin": False,
    "arm64": False,
}


def _selector(item: TextNode, lines: list[str]) -> str | None:
    """What stands in `# [linux]` behind the item; None without one."""
    line = lines[item.where.line - 1] if item.where.line <= len(lines) else ""
    found = re.search(r"\s#\s*\[([^\]]*)\]\s*$", line)
    return found[1].strip() if found else None


def _holds_on_linux(selector: str) -> bool:
    """Whether a selector holds; one that cannot be told (py>38) counts as holding."""
    return any(all(_word_holds(word) for word in part.split(" and ")) for part in selector.split(" or "))


def _word_holds(word: str) -> bool:
    word = word.strip()
    if word.startswith("not "):
        known = _ON_LINUX.get(word[4:].strip())
        return known is None or not known
    return _ON_LINUX.get(word, True)


def _for_linux(items: list[Item], file: str, is_foreign: bool) -> Iterator[Item]:
    """The same items without what exists on another system only; build strings go with it."""
    is_foreign = is_foreign or any(isinstance(item, CondaItem) and other_system_of(item.name) for item in items)
    has_builds = any(isinstance(item, CondaItem) and item.build for item in items)
    if is_foreign and has_builds:
        note = "exported on another system than Linux; build strings are left out, since they do not exist for Linux"
        yield NoteItem(text=note, where=Location(file=file))
    for item in items:
        system = other_system_of(item.name) if isinstance(item, CondaItem) else None
        if system and isinstance(item, CondaItem):
            yield NoteItem(text=f"{item.name} exists for {system} only; it is left out", where=item.where)
        elif is_foreign and isinstance(item, CondaItem):
            yield without_build(item)
        else:
            yield item
