"""`conda list --export` and `--explicit` files → items. Both are often called requirements.txt."""

from __future__ import annotations

import re

from builder.model.values import Location
from builder.scan.items import CondaItem, Item, NoteItem
from builder.scan.logical_lines import logical_lines
from builder.scan.match_spec import read_match_spec
from builder.scan.pip_line import read_pip_requirement

_EXPORTED = re.compile(r"[A-Za-z0-9_][\w.-]*=[^=\s]+=[^=\s]+")
_EXPLICIT = (
    r"(?P<channel>https?://\S+|file:\S+)/(?P<subdir>[a-z0-9-]+)/"
    r"(?P<name>[^/]+)-(?P<version>[^-/]+)-(?P<build>[^-/]+)\.(conda|tar\.bz2)(#.*)?"
)
_FOREIGN = r"^#\s*platform:\s*(win|osx)"
MAX_LINES = 5000


def is_conda_list(text: str) -> bool:
    """Whether conda wrote this: its header, @EXPLICIT, or name=version=build in most lines."""
    if re.search(r"^(#.*conda create --name <env>|@EXPLICIT)", text, re.MULTILINE):
        return True
    lines = [line.strip() for line in text.splitlines()[:200] if line.strip() and not line.lstrip().startswith("#")]
    return bool(lines) and sum(bool(_EXPORTED.fullmatch(line)) for line in lines) * 2 > len(lines)


def read_conda_list(text: str, file: str) -> tuple[Item, ...]:
    """The items of such a file. Packages that pip had installed (build pypi_0) are Python packages again."""
    is_foreign = re.search(_FOREIGN, text, re.MULTILINE) is not None
    items: list[Item] = []
    if is_foreign:
        note = "written on another system than Linux; build strings are left out"
        items.append(NoteItem(text=note, where=Location(file=file)))
    for number, line in enumerate(logical_lines(text, file)):
        if number >= MAX_LINES:
            break
        if line.value == "@EXPLICIT":
            continue
        explicit = re.fullmatch(_EXPLICIT, line.value)
        if explicit:
            items.append(_explicit(explicit, line.where, is_foreign))
        elif line.value.endswith("=pypi_0") and line.value.count("=") == 2:
            name, version, _ = line.value.split("=")
            items.extend(read_pip_requirement(f"{name}=={version}", line.where))
        else:
            item = read_match_spec(line.value, line.where)
            items.append(without_build(item) if is_foreign and isinstance(item, CondaItem) else item)
    return tuple(items)


def _explicit(found: re.Match[str], where: Location, is_foreign: bool) -> CondaItem:
    is_foreign = is_foreign or found["subdir"] not in ("linux-64", "linux-aarch64", "noarch")
    name, version, build = found["name"], found["version"], found["build"]
    item = CondaItem(
        name=name.lower(),
        text=f"{name}={version}={build}",
        where=where,
        version=f"={version}",
        build=build,
        channel=found["channel"],
    )
    return without_build(item) if is_foreign else item


def without_build(item: CondaItem) -> CondaItem:
    """The same package and version in whatever build there is for Linux."""
    if not item.build:
        return item
    version = item.version.lstrip("=")
    prefix = f"{item.channel}::" if item.channel and "::" in item.text else ""
    return CondaItem(
        name=item.name,
        text=f"{prefix}{item.name}={version}",
        where=item.where,
        version=item.version,
        build=item.build,
        channel=item.channel,
    )
