"""What to write instead: the hints of the reader, made from the table of keys and what was found."""

from __future__ import annotations

from collections.abc import Iterable

from builder.config.keys import KEYS, explained, section_of
from builder.config.kinds import Key, Kind, Many, RefusedError, Section, Text
from builder.config.nodes import ListNode, MapNode, Node, TextNode
from builder.config.suggest import as_yaml, as_yaml_list, nearest, shown

MAX_TEXT = 4096  # characters of one value; bounds what the patterns have to look at


def what(node: Node) -> str:
    """What stands there, in words."""
    match node:
        case TextNode():
            return f"the text {shown(node.text, 40)}" if node.text else "nothing"
        case ListNode():
            return "a list"
        case MapNode():
            return "a mapping"


def items_of(item: Text, text: str) -> str:
    """The list that was probably meant by a text: split where every part by itself is such a value."""
    for parts in ([part.strip() for part in text.split(",")], text.split(), [text.strip()]):
        if parts and all(is_readable(item, part) for part in parts):
            numeric = all(isinstance(example, int) for example in item.examples)
            return ", ".join(part if numeric else as_yaml(part) for part in parts)
    return ", ".join(as_yaml(example) for example in item.examples)


def is_readable(kind: Text, text: str) -> bool:
    """Whether this text, not empty, could stand there."""
    if not text or len(text) > MAX_TEXT:
        return False
    try:
        kind.parse(text)
    except RefusedError:
        return False
    return True


def flattened(node: Node, kind: Text) -> str:
    """The hint for an item that YAML took for a mapping, such as `- einops: 0.8`."""
    if isinstance(node, MapNode) and len(node.entries) == 1 and isinstance(node.entries[0][1], TextNode):
        name, value = node.entries[0][0].text[:80], node.entries[0][1].text[:80]
        for text in (f"{name}=={value}", f"{name}={value}", f"{name}:{value}", f"{name}: {value}"):
            if is_readable(kind, text):
                return f"write `{as_yaml(text)}`"
    return f"write it like `{as_yaml(kind.examples[0])}`"


def example_of(key: Key) -> str:
    """The hint that shows how a key is written."""
    section = section_of(key.kind)
    first = section.keys[0] if section else key
    match first.kind:
        case Text():
            value = as_yaml(first.kind.examples[0])
        case Many():
            value = as_yaml_list(first.kind.item.examples)
        case _:
            value = "…"
    return f"write `{key.name}: {{{first.name}: {value}}}`" if section else f"write `{key.name}: {value}`"


def unknown(name: str, section: Section, path: str) -> str:
    """The message for an unknown key."""
    if not path:
        return f"there is no key {shown(name)}"
    return f"{path.rstrip('.')} has no key {shown(name)}; it has {', '.join(key.name for key in section.keys)}"


def meant(name: str, value: Node, section: Section, path: str) -> str:
    """The hint for an unknown key: the same or nearest key here or in another section, by its name or a synonym."""
    folded = name.strip().lower().replace("-", "_")
    hint = explained(name) if not path else None
    if hint:
        return hint
    here = _named(section.keys, path)
    below = {} if path else _named_below()
    if folded not in here and path and KEYS.find(folded):
        return f"`{folded}` is a key of its own, not one of {path.rstrip('.')}"
    own_names = [key.name for key in section.keys]
    for candidates in (here, below):
        if folded in candidates:
            return _did_you_mean(*candidates[folded], value)
    for names, candidates in ((own_names, here), (here, here), (below, below)):
        near = nearest(name, names)
        if near:
            return _did_you_mean(*candidates[near], value)
    return "" if path else f"the keys are {', '.join(own_names)}"


def _named(keys: Iterable[Key], path: str) -> dict[str, tuple[str, Key]]:
    """Names and synonyms of keys → dotted path and key; names before synonyms."""
    found = {key.name: (f"{path}{key.name}", key) for key in keys}
    for key in keys:
        for synonym in key.synonyms:
            found.setdefault(synonym, (f"{path}{key.name}", key))
    return found


def _named_below() -> dict[str, tuple[str, Key]]:
    """The same of every key that stands in a section."""
    found: dict[str, tuple[str, Key]] = {}
    for key in KEYS.keys:
        section = section_of(key.kind)
        if section:
            found = _named(section.keys, f"{key.name}.") | found
    return found


def _did_you_mean(path: str, key: Key, value: Node) -> str:
    """With the value in its new place, where it would be right there."""
    outer, _, inner = path.partition(".")
    written = _rewritten(key.kind, value)
    if not inner:
        return f"did you mean `{outer}: {written}`?" if written else f"did you mean `{outer}`?"
    return f"did you mean `{outer}: {{{inner}: {written or '…'}}}`?"


def _rewritten(kind: Kind, value: Node) -> str:
    match kind, value:
        case Text(), TextNode() if len(value.text) <= 40 and is_readable(kind, value.text):
            return value.text if isinstance(kind.examples[0], int) else as_yaml(value.text)
        case Many(), TextNode() if len(value.text) <= 40 and is_readable(kind.item, value.text):
            return f"[{items_of(kind.item, value.text)}]"
        case Many(), ListNode():
            texts = [item.text for item in value.items[:6] if isinstance(item, TextNode) and is_readable(kind.item, item.text)]
            if len(texts) == len(value.items) <= 5:
                return as_yaml_list(texts)
    return ""
