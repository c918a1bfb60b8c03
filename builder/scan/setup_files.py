"""setup.py, read by ast and never executed, setup.cfg, and Pipfile → items."""

from __future__ import annotations

import ast
import configparser
import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from builder.errors import WsbError
from builder.model.values import Location
from builder.scan.items import CondaItem, IndexItem, Item, NoteItem
from builder.scan.pip_line import read_pip_requirement
from builder.scan.pyproject import read_toml

MAX_SETUP = 256 << 10  # characters


def read_setup_py(text: str, file: str) -> tuple[Item, ...]:
    """install_requires and python_requires of setup(…), where they are written out or in a variable that is."""
    where = Location(file=file)
    if len(text) > MAX_SETUP:
        return (NoteItem(text="too long for a setup.py; it is not read", where=where),)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return (NoteItem(text="not Python 3; it is not read", where=where),)
    known = _assignments(tree)
    items: list[Item] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name_of(node.func) == "setup":
            for keyword in node.keywords:
                items.extend(_argument(keyword, known, file))
    return tuple(items)


def _name_of(function: ast.expr) -> str:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _assignments(tree: ast.Module) -> dict[str, ast.expr]:
    """Names with the values written for them, the first of each."""
    found: dict[str, ast.expr] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, node.value)
    return found


def _argument(keyword: ast.keyword, known: Mapping[str, ast.expr], file: str) -> Iterator[Item]:
    if keyword.arg == "python_requires":
        for text, line in _texts(keyword.value, known):
            yield CondaItem(name="python", text=f"python {text}", version=text, where=Location(file=file, line=line))
    elif keyword.arg in ("install_requires", "setup_requires"):
        for text, line in _texts(keyword.value, known):
            if keyword.arg == "install_requires" or text.startswith("torch"):
                yield from read_pip_requirement(text, Location(file=file, line=line))
    elif keyword.arg == "dependency_links":
        for text, line in _texts(keyword.value, known):
            if re.fullmatch(r"https?://[^\s'\"$]+", text):
                yield IndexItem(url=text, where=Location(file=file, line=line), is_find_links=True)


def _texts(value: ast.expr, known: Mapping[str, ast.expr]) -> Iterator[tuple[str, int]]:
    """The texts written in an expression: a text, a list, a sum of lists, a variable that holds one. Each with its line."""
    waiting, steps = [value], 0
    while waiting and steps < 5000:
        steps += 1
        match waiting.pop(0):
            case ast.Constant(value=str(text)) as node:
                yield from ((line, node.lineno) for line in text.splitlines() if line.strip())
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
                waiting[:0] = parts
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                waiting[:0] = [left, right]
            case ast.Name(id=name) if name in known:
                waiting.insert(0, known[name])
                known = {other: expression for other, expression in known.items() if other != name}


def read_setup_cfg(text: str, file: str) -> tuple[Item, ...]:
    """[options] install_requires and python_requires."""
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except (configparser.Error, ValueError, RecursionError):
        return (NoteItem(text="not a file of sections; it is not read", where=Location(file=file)),)
    items: list[Item] = []
    lines = text.split("\n")
    python = parser.get("options", "python_requires", fallback="").strip()
    if python:
        where = _line_of("python_requires", lines, file)
        items.append(CondaItem(name="python", text=f"python {python}", version=python, where=where))
    for line in parser.get("options", "install_requires", fallback="").splitlines():
        if line.strip() and not line.strip().startswith(("#", "file:")):
            items.extend(read_pip_requirement(line.strip(), _line_of(line.strip(), lines, file)))
    return tuple(items)


def _line_of(text: str, lines: list[str], file: str) -> Location:
    return Location(file=file, line=next((number for number, line in enumerate(lines, 1) if text in line), 0))


# --- Pipfile -------------------------------------------------------------------------------------------------------


def read_pipfile(text: str, file: str) -> tuple[Item, ...]:
    """[packages], [[source]] and the Python of a Pipfile."""
    document = read_toml(text, file)
    if isinstance(document, WsbError):
        return (document,)
    where = Location(file=file)
    items: list[Item] = []
    requires = document.get("requires")
    python = requires.get("python_version") or requires.get("python_full_version") if isinstance(requires, dict) else None
    if isinstance(python, str):
        items.append(CondaItem(name="python", text=f"python {python}", version=python, where=where))
    sources = document.get("source")
    for source in sources if isinstance(sources, list) else ():
        if isinstance(source, dict) and isinstance(source.get("url"), str) and "pypi.org" not in source["url"]:
            items.append(IndexItem(url=source["url"], where=where))
    packages = document.get("packages")
    for name, value in (packages if isinstance(packages, dict) else {}).items():
        items.extend(_pipfile_line(name, value, where))
    return tuple(items)


def _pipfile_line(name: str, value: Any, where: Location) -> Iterator[Item]:
    table = value if isinstance(value, dict) else {"version": value}
    if isinstance(table.get("git"), str):
        reference = table.get("ref")
        yield from read_pip_requirement(f"{name} @ git+{table['git']}" + (f"@{reference}" if reference else ""), where)
    elif isinstance(table.get("path"), str):
        yield from read_pip_requirement("." if table["path"] == "." else f"./{table['path']}", where)
    else:
        version = str(table.get("version", "*"))
        extras = ",".join(one for one in table.get("extras", ()) if isinstance(one, str)) if isinstance(value, dict) else ""
        line = f"{name}{f'[{extras}]' if extras else ''}{'' if version == '*' else version}"
        marker = table.get("markers")
        yield from read_pip_requirement(f"{line}; {marker}" if isinstance(marker, str) else line, where)
