"""conda-lock.yml → items: exact versions for Linux. Read line by line: such a file has tens of thousands of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from builder.model.values import Location
from builder.scan.items import CondaItem, Item, NoteItem
from builder.scan.match_spec import read_match_spec
from builder.scan.pip_line import read_pip_requirement

MAX_PACKAGES = 5000
MAX_BYTES = 10 << 20
_ENTRY = re.compile(r"^(?P<indent> *)- (?P<key>[a-z_]+):\s*(?P<value>.*)$")
_FIELD = re.compile(r"^ +(?P<key>name|version|manager|platform|category|optional|url):\s*(?P<value>.*)$")


def is_conda_lock(text: str) -> bool:
    """Whether conda-lock wrote this."""
    return (
        re.search(r"^package:\s*$", text, re.MULTILINE) is not None and re.search(r"^metadata:", text, re.MULTILINE) is not None
    )


def decode_lock(content: bytes) -> str | None:
    """The text of a lock file, which may be larger than what people write by hand; None for other files."""
    if len(content) > MAX_BYTES or not re.search(rb"^(package|metadata):", content[:64_000], re.MULTILINE):
        return None
    text = content.decode("utf-8", "replace")
    return text if is_conda_lock(text) else None


def read_conda_lock(text: str, file: str) -> tuple[Item, ...]:
    """The main packages of the Linux part; of other systems nothing, with a note when there is no Linux part."""
    items: list[Item] = []
    count = 0
    platforms: set[str] = set()
    for entry, where in _entries(text, file):
        platforms.add(entry.get("platform", ""))
        if entry.get("platform") not in ("linux-64", "noarch") or entry.get("category", "main") != "main":
            continue
        count += 1
        if count > MAX_PACKAGES:
            break
        name, version = entry.get("name", ""), entry.get("version", "")
        if entry.get("manager") == "pip":
            items.extend(read_pip_requirement(f"{name}=={version}", where))
            continue
        item = read_match_spec(f"{name}={version}", where)
        items.append(_with_build(item, entry.get("url", "")) if isinstance(item, CondaItem) else item)
    if not items:
        found = ", ".join(sorted(platforms - {""})) or "no package"
        items.append(NoteItem(text=f"nothing in it is for linux-64 (there is {found})", where=Location(file=file)))
    return tuple(items)


def _entries(text: str, file: str) -> Iterator[tuple[dict[str, str], Location]]:
    """The entries below `package:`, each with the line it begins on."""
    entry: dict[str, str] = {}
    where = Location(file=file)
    is_inside = False
    for number, line in enumerate(text.split("\n"), 1):
        line = line.rstrip("\r")
        if not line.startswith((" ", "-", "#")):
            is_inside = line.startswith("package:")
        if not is_inside:
            continue
        begins = _ENTRY.match(line)
        found = _FIELD.match(line)
        if begins and len(begins["indent"]) <= 2:
            if entry:
                yield entry, where
            entry, where = {begins["key"]: _plain(begins["value"])}, Location(file=file, line=number)
        elif found:
            entry.setdefault(found["key"], _plain(found["value"]))
    if entry:
        yield entry, where


def _plain(value: str) -> str:
    return value.strip().strip("'\"")


def _with_build(item: CondaItem, url: str) -> CondaItem:
    """The same with the build its address names, which tells the CUDA of torch; the build itself is not asked for."""
    found = re.search(r"-([^-/]+)\.(?:conda|tar\.bz2)", url)
    if not found:
        return item
    return CondaItem(
        name=item.name, text=item.text, where=item.where, version=item.version, build=found[1], channel=item.channel
    )
