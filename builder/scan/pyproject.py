"""pyproject.toml and pixi.toml → items: PEP 621, Poetry, pixi, and the indexes that uv takes torch from.

Of the optional groups none is taken, but for the one that brings torch where the project itself does not.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from builder.errors import WsbError
from builder.model.values import Location
from builder.scan.items import ChannelItem, CondaItem, IndexItem, Item, NoteItem
from builder.scan.match_spec import read_match_spec
from builder.scan.pip_line import read_pip_requirement

_TORCH = re.compile(r"torch(?![\w.-])", re.IGNORECASE)
_MAX_LINE = 20_000  # a key of many parts takes the square of them
_MAX_DEPTH = 200  # brackets inside one another; the reader of TOML recurses
# Of several groups with torch: the words that speak for one and against one.
_WANTED = ("gpu", "cuda", "torch", "pytorch", "all", "srt", "train", "training")
_UNWANTED = re.compile(r"cpu|rocm|hip|xpu|npu|hpu|mps|mac|win|dev|test|docs?|lint|tpu|amd|intel|ascend", re.IGNORECASE)


def read_pyproject(text: str, file: str) -> tuple[Item, ...]:
    """The items of a pyproject.toml or pixi.toml."""
    document = read_toml(text, file)
    if isinstance(document, WsbError):
        return (document,)
    places = _Places(text, file)
    project, tool = _table(document, "project"), _table(document, "tool")
    items = list(_project(project, places))
    items += _poetry(_table(tool, "poetry"), places)
    items += _pixi(document if file.endswith("pixi.toml") else _table(tool, "pixi"), places)
    chosen, lines = _group_with_torch(document, items)
    if chosen:
        where = places.of(chosen)
        items.append(NoteItem(text=f"torch is named in the optional group {chosen} only; that group is taken too", where=where))
        items += [item for line in lines for item in read_pip_requirement(line, places.of(line))]
    items += _uv(_table(tool, "uv"), chosen, places)
    if not any(_names_torch(item) for item in items) and not lines:
        items += _build_time(_table(document, "build-system"), places)
    return tuple(items)


def read_toml(text: str, file: str) -> dict[str, Any] | WsbError:
    """The document, or what is wrong with it."""
    if max(map(len, text.split("\n"))) > _MAX_LINE:
        return WsbError("bad-value", f"{file} has a line of more than {_MAX_LINE:,} characters", Location(file=file))
    if text.count("[") > 20_000 or max((len(run) for run in re.findall(r"[\[{]+", text)), default=0) > _MAX_DEPTH:
        return WsbError("bad-value", f"{file} is nested too deeply", Location(file=file))
    toml = _reader_of_toml()
    if toml is None:
        hint = "run wsb with Python 3.11 or newer, or install tomli beside it"
        return WsbError("bad-value", f"{file} is TOML, which this Python cannot read", Location(file=file), hints=(hint,))
    try:
        document: dict[str, Any] = toml.loads(text.replace("\r\n", "\n"))
    except (RecursionError, ValueError) as error:  # what is no TOML is a ValueError
        line = re.search(r"line ([0-9]+), column ([0-9]+)", str(error))
        where = Location(file=file, line=int(line[1]), column=int(line[2])) if line else Location(file=file)
        return WsbError("bad-value", f"{file} is not TOML: {str(error)[:200]}", where)
    return document


def _reader_of_toml() -> Any:
    """tomllib, tomli under Python 3.10, None when neither is there."""
    for name in ("tomllib", "tomli"):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError:
            continue
    return None


class _Places:
    """Where a text of the document stands. TOML's reader does not tell; the first line that holds it is right nearly always."""

    def __init__(self, text: str, file: str) -> None:
        self._lines = text.split("\n")
        self._file = file

    def of(self, text: str) -> Location:
        for number, line in enumerate(self._lines, 1):
            place = line.find(text)
            if place >= 0:
                return Location(file=self._file, line=number, column=place + 1)
        return Location(file=self._file)


def _table(holder: Any, name: str) -> Mapping[str, Any]:
    found = holder.get(name) if isinstance(holder, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _texts(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _project(project: Mapping[str, Any], places: _Places) -> Iterator[Item]:
    python = project.get("requires-python")
    if isinstance(python, str):
        yield _python(python, places.of("requires-python"))
    for line in _texts(project.get("dependencies")):
        yield from read_pip_requirement(line, places.of(line))


def _python(version: str, where: Location) -> Item:
    return CondaItem(name="python", text=f"python {version}", version=_poetry_version(version), where=where)


def _names_torch(item: Item) -> bool:
    return getattr(item, "name", "") in ("torch", "pytorch", "torchvision")


def _group_with_torch(document: Mapping[str, Any], items: list[Item]) -> tuple[str, list[str]]:
    """The optional group that brings torch, and its lines; "" when the project itself does, or none does."""
    if any(getattr(item, "name", "") in ("torch", "pytorch") for item in items):
        return "", []
    groups = {
        **_table(_table(document, "project"), "optional-dependencies"),
        **_table(document, "dependency-groups"),
    }
    found = {name: _texts(lines) for name, lines in groups.items() if any(_TORCH.match(line) for line in _texts(lines))}
    if not found:
        return "", []
    name = min(found, key=lambda name: (bool(_UNWANTED.search(name)), _rank(name), len(found[name]), name))
    return name, found[name]


def _rank(name: str) -> int:
    return _WANTED.index(name.lower()) if name.lower() in _WANTED else len(_WANTED)


def _build_time(build: Mapping[str, Any], places: _Places) -> Iterator[Item]:
    """torch among what the build needs: the only word on torch in projects whose setup.py holds the rest."""
    lines = _texts(build.get("requires"))
    beside = ", beside Cython" if any(line.lower().startswith("cython") for line in lines) else ""
    for line in lines:
        if _TORCH.match(line):
            yield NoteItem(text=f"{line} is named for the build only{beside}; it is taken", where=places.of(line))
            yield from read_pip_requirement(line, places.of(line))


# --- uv ------------------------------------------------------------------------------------------------------------


def _uv(uv: Mapping[str, Any], group: str, places: _Places) -> Iterator[Item]:
    """The index that torch is taken from on Linux, with the group that was chosen."""
    listed = uv.get("index")
    indexes = {
        index.get("name"): index["url"]
        for index in (listed if isinstance(listed, list) else ())
        if isinstance(index, Mapping) and isinstance(index.get("url"), str)
    }
    source = _table(uv, "sources").get("torch")
    sources: list[Any] = source if isinstance(source, list) else [source]
    fitting = [one for one in sources if isinstance(one, Mapping) and _is_for_linux(one)]
    own_group = [one for one in fitting if one.get("extra", one.get("group")) == group]
    for one in own_group or [one for one in fitting if not one.get("extra")] or fitting[:1]:
        url = indexes.get(one.get("index"))
        if url:
            yield IndexItem(url=url, where=places.of(url))
            return
    for url in (*_texts(uv.get("extra-index-url")), *([uv["index-url"]] if isinstance(uv.get("index-url"), str) else [])):
        yield IndexItem(url=url, where=places.of(url))
    if not sources or sources == [None]:
        for url in indexes.values():
            yield IndexItem(url=url, where=places.of(url))


def _is_for_linux(source: Mapping[str, Any]) -> bool:
    from builder.scan.markers import could_hold

    marker = source.get("marker")
    return could_hold(marker, None) if isinstance(marker, str) else True


# --- Poetry --------------------------------------------------------------------------------------------------------


def _poetry(poetry: Mapping[str, Any], places: _Places) -> Iterator[Item]:
    for name, value in _table(poetry, "dependencies").items():
        where = places.of(name)
        entry = value[0] if isinstance(value, list) and value else value
        table = entry if isinstance(entry, Mapping) else {"version": entry}
        if name.lower() == "python":
            yield _python(str(table.get("version", "")), where)
        elif isinstance(table.get("git"), str):
            branch = table.get("rev") or table.get("tag") or table.get("branch")
            yield from read_pip_requirement(f"{name} @ git+{table['git']}" + (f"@{branch}" if branch else ""), where)
        elif isinstance(table.get("url"), str):
            yield from read_pip_requirement(f"{name} @ {table['url']}", where)
        elif isinstance(table.get("path"), str):
            yield from read_pip_requirement(f"./{table['path']}", where)
        elif not table.get("optional") or _TORCH.match(name):
            version = _poetry_version(str(table.get("version", "*")))
            extras = ",".join(_texts(table.get("extras")))
            yield from read_pip_requirement(f"{name}{f'[{extras}]' if extras else ''}{version}", where)
    sources = poetry.get("source")
    for source in sources if isinstance(sources, list) else ():
        if isinstance(source, Mapping) and isinstance(source.get("url"), str):
            yield IndexItem(url=source["url"], where=places.of(source["url"]))


def _poetry_version(text: str) -> str:
    """^1.2, ~1.2, 1.2.* and 1.2 as pip writes them."""
    parts = []
    for part in re.split(r"\s*,\s*", text.split("||")[-1].strip()):
        caret = re.fullmatch(r"([\^~])\s*([0-9]+(?:\.[0-9]+)*)(.*)", part)
        if part in ("", "*"):
            continue
        if caret and not part.startswith("~="):
            parts.append(f">={caret[2]},<{_above(caret[2], is_tilde=caret[1] == '~')}")
        else:
            parts.append(f"=={part}" if part[0].isdigit() else part)
    return ",".join(parts)


def _above(version: str, *, is_tilde: bool) -> str:
    """The first version that ^ or ~ does not admit any more."""
    numbers = [int(part) for part in version.split(".")[:3]]
    if is_tilde:
        kept = numbers[:2]
    else:
        first = next((place for place, number in enumerate(numbers) if number), len(numbers) - 1)
        kept = numbers[: first + 1]
    kept[-1] += 1
    return ".".join(map(str, kept))


# --- pixi ----------------------------------------------------------------------------------------------------------


def _pixi(pixi: Mapping[str, Any], places: _Places) -> Iterator[Item]:
    workspace = _table(pixi, "workspace") or _table(pixi, "project")
    for channel in _texts(workspace.get("channels")):
        yield ChannelItem(channel=channel, where=places.of(channel))
    linux = _table(_table(pixi, "target"), "linux-64")
    for holder in (pixi, linux):
        for name, value in _table(holder, "dependencies").items():
            version = value.get("version", "*") if isinstance(value, Mapping) else value
            text = f"{name} {version}" if isinstance(version, str) and version.strip() not in ("", "*") else name
            yield read_match_spec(text, places.of(name))
        for name, value in _table(holder, "pypi-dependencies").items():
            yield from _pixi_pypi(name, value, places.of(name))
    cuda = _table(pixi, "system-requirements").get("cuda")
    if isinstance(cuda, str) and re.fullmatch(r"[0-9]+\.[0-9]+", cuda):
        yield CondaItem(name="cuda-version", text=f"cuda-version={cuda}", version=f"={cuda}", where=places.of("cuda"))


def _pixi_pypi(name: str, value: Any, where: Location) -> Iterator[Item]:
    table = value if isinstance(value, Mapping) else {"version": value}
    if isinstance(table.get("git"), str):
        yield from read_pip_requirement(f"{name} @ git+{table['git']}", where)
    elif isinstance(table.get("path"), str):
        yield from read_pip_requirement("." if table["path"] == "." else f"./{table['path']}", where)
    else:
        version = str(table.get("version", "*")).strip()
        yield from read_pip_requirement(name if version in ("*", "") else f"{name}{_poetry_version(version)}", where)
        if isinstance(table.get("index"), str):
            yield IndexItem(url=table["index"], where=where)
