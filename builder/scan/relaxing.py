"""How far pins may move: a line of pip's or conda's, loosened. "Reference, not law", in five steps.

none: as written. build: without conda's build strings. patch: 1.21.3 may become 1.21.9; minor: 1.22; all: any version.
"""

from __future__ import annotations

import re
from typing import Literal

Relax = Literal["none", "build", "patch", "minor", "all"]
LEVELS: tuple[Relax, ...] = ("none", "build", "patch", "minor", "all")

_PIP_PIN = re.compile(r"(?P<head>[A-Za-z0-9][A-Za-z0-9._-]*\s*(?:\[[^\]]*\])?)\s*(?P<rest>[^;@]*)(?P<marker>;.*)?$")
_EXACT = re.compile(r"(?<![<>!~=])={1,3}\s*(?P<version>[0-9]+(?:\.[0-9]+)*)[A-Za-z0-9.+!*]*")


def relaxed_pip(line: str, level: Relax) -> str:
    """A requirement with its pins loosened; addresses stay as they are."""
    if level in ("none", "build") or "@" in line or "://" in line:
        return line
    found = _PIP_PIN.match(line)
    if not found or line.startswith((".", "/")):
        return line
    rest = "" if level == "all" else _EXACT.sub(lambda pin: _range(pin["version"], level), found["rest"].strip())
    marker = f" {found['marker'].strip()}" if found["marker"] else ""
    return f"{found['head'].strip()}{rest}{marker}"


def relaxed_conda(line: str, level: Relax) -> str:
    """A match spec with its build string gone and its pin loosened; the channel before :: stays."""
    if level == "none":
        return line
    found = re.fullmatch(r"\s*((?:[^\s:]+::)?[A-Za-z0-9_][\w.-]*)\s*(.*)", line)
    if not found:
        return line
    name, rest = found[1], found[2].strip()
    if level == "all" or not rest:
        return name
    version = re.sub(r"^(={0,2}\s*[^=<>!~\s,]+)(=|\s+)[^=<>!~,]+$", r"\1", rest)
    exact = re.fullmatch(r"={0,2}\s*([0-9]+(?:\.[0-9]+)*)[A-Za-z0-9.+!]*(\.?\*)?", version)
    if level == "build" or not exact:
        return f"{name}{version if version[:1] in '=<>!~' else f'={version}'}"
    return f"{name}{_range(exact[1], level)}"


def relaxed_version(version: str, level: Relax) -> str:
    """A bare version as wsb.yaml's own keys take it: "1.11.0" becomes "1.11", ">=1.11,<2", or latest."""
    if level in ("none", "build"):
        return version
    if level == "all":
        return "latest"
    parts = version.split(".")
    if level == "patch":
        return ".".join(parts[:2])
    return f">={version},<{int(parts[0]) + 1}" if parts[0].isdigit() else version


def _range(version: str, level: Relax) -> str:
    numbers = version.split(".")
    if level == "patch":
        if len(numbers) < 3:
            return f">={version},<{_next(numbers[:2])}"
        return f">={version},<{_next(numbers[:2])}"
    return f">={version},<{_next(numbers[:1])}"


def _next(numbers: list[str]) -> str:
    return ".".join([*numbers[:-1], str(int(numbers[-1]) + 1)])
