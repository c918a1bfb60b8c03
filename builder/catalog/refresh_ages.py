"""Rewrites the table of ages from a package index: `python -m builder.catalog.refresh_ages`.

For each package that the table has: when its releases came out, and which Pythons their Linux wheels serve. A package is
added by giving its name.
"""

from __future__ import annotations

import datetime
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from builder.assets import PACKAGE
from builder.catalog.canonical import dump
from builder.catalog.refresh_main import Web, pip_index
from builder.catalog.simple_index import JSON, Fetch

_SINCE = "2016-06"  # older releases date no project that wsb could build


def releases(files: Sequence[Mapping[str, Any]], pythons: Sequence[str]) -> dict[str, str]:
    """Version → "day oldest-newest", from the files of one package as an index lists them (PEP 691)."""
    found: dict[Version, list[Mapping[str, Any]]] = {}
    for file in files:
        version = _version(str(file.get("filename", "")))
        if version is not None and not version.is_prerelease and version.local is None:
            found.setdefault(version, []).append(file)
    told = {}
    for version in sorted(found):
        days = [str(file["upload-time"])[:10] for file in found[version] if file.get("upload-time")]
        if days and min(days) >= _SINCE:
            told[str(version)] = f"{min(days)} {_span(found[version], pythons)}".strip()
    return told


def _version(filename: str) -> Version | None:
    try:
        return parse_wheel_filename(filename)[1] if filename.endswith(".whl") else parse_sdist_filename(filename)[1]
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        return None


def _span(files: Sequence[Mapping[str, Any]], pythons: Sequence[str]) -> str:
    """Oldest and newest Python with a wheel for Linux; an open end where no wheel is tied to one, "" when all will do."""
    allowed = list(pythons)
    tied: set[str] = set()
    is_open = not any(str(file["filename"]).endswith(".whl") for file in files)
    for file in files:
        if file.get("requires-python"):
            allowed = _allowed(str(file["requires-python"]), pythons)
        for interpreter, abi, platform in _tags(str(file["filename"])):
            minor = re.fullmatch(r"cp3(\d+)", interpreter)
            if platform == "any":
                is_open = True
            elif "linux" in platform and platform.endswith("x86_64") and "musl" not in platform and minor:
                if abi == "abi3":
                    is_open = True
                    allowed = [one for one in allowed if int(one[2:]) >= int(minor[1])]
                elif not abi.endswith("t"):
                    tied.add(f"3.{minor[1]}")
    served = allowed if is_open else [one for one in pythons if one in tied]
    if not served:
        return ""
    newest = "" if is_open and served[-1] == pythons[-1] else served[-1]
    return f"{served[0]}-{newest}" if newest or served[0] != pythons[0] else ""


def _tags(filename: str) -> list[tuple[str, str, str]]:
    if not filename.endswith(".whl"):
        return []
    return [(tag.interpreter, tag.abi, tag.platform) for tag in parse_wheel_filename(filename)[3]]


def _allowed(requires: str, pythons: Sequence[str]) -> list[str]:
    try:
        wanted = SpecifierSet(requires)
    except InvalidSpecifier:
        return list(pythons)
    return [one for one in pythons if wanted.contains(f"{one}.0") or wanted.contains(f"{one}.20")]


def refreshed(table: Mapping[str, Any], index: str, fetch: Fetch, today: str, more: Sequence[str] = ()) -> dict[str, Any]:
    """The table with every row read anew."""
    pythons = [row["python"] for row in table["pythons"]]
    rows = []
    for package in sorted({*(row["package"] for row in table["rows"]), *more}):
        document = json.loads(fetch.get(f"{index.rstrip('/')}/{package}/", JSON))
        rows.append({"package": package, "releases": releases(document["files"], pythons), "source": ["pypi"]})
    return {**table, "date": today, "rows": rows}


def main(more: Sequence[str]) -> int:
    """Writes the table of this installation."""
    file = Path(PACKAGE) / "data/ages.json"
    table = json.loads(file.read_bytes())
    today = datetime.datetime.now(tz=datetime.timezone.utc).date().isoformat()
    file.write_bytes(dump(refreshed(table, pip_index(), Web(), today, more)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
