"""A conda package as it is written in environment.yml (numpy=1.24=py39_0, pytorch::pytorch>=2, python 3.9) → its parts."""

from __future__ import annotations

import re

from packaging.version import InvalidVersion, Version

from builder.config.suggest import shown
from builder.errors import WsbError
from builder.model.values import Location, VersionRequest
from builder.scan.items import CondaItem

_SPEC = r"(?:(?P<channel>[^\s\[\]=<>!~]+)::)?(?P<name>[A-Za-z0-9_][A-Za-z0-9_.-]*)(?P<rest>.*)"
_REST = r"[A-Za-z0-9_.+*!=<>~|, -]*"
_BRACKETS = r"\[(.*)\]\s*$"


def read_match_spec(text: str, where: Location) -> CondaItem | WsbError:
    """The parts of a match spec; a WsbError when it is none."""
    text = text.strip()
    found = re.fullmatch(_SPEC, text) if len(text) <= 500 and text.isascii() else None
    if not found:
        return _problem(text, where)
    rest = found["rest"].strip()
    in_brackets: dict[str, str] = {}
    brackets = re.search(_BRACKETS, rest)
    if brackets:
        pairs = re.findall(r"(\w+)\s*=\s*('[^']*'|\"[^\"]*\"|[^,\s]+)", brackets[1])
        in_brackets = {key: value.strip("'\"") for key, value in pairs}
        rest = rest[: brackets.start()].strip()
    parts = (rest, *(part for part in in_brackets.values() if "://" not in part))
    if not all(re.fullmatch(_REST, part) for part in parts):
        return _problem(text, where)
    version, build = _version_and_build(rest)
    return CondaItem(
        name=found["name"].lower(),
        text=text,
        where=where,
        version=in_brackets.get("version", version),
        build=in_brackets.get("build", build),
        channel=found["channel"] or in_brackets.get("channel", ""),
    )


def _problem(text: str, where: Location) -> WsbError:
    hint = "write it like `numpy`, `numpy=1.24` or `numpy>=1.24,<2`"
    return WsbError("bad-value", f"{shown(text)} is not a package that conda can read", where, hints=(hint,))


def _version_and_build(rest: str) -> tuple[str, str]:
    rest = re.sub(r"([=<>!~,|])\s+", r"\1", re.sub(r"\s+([,|])", r"\1", rest))
    version, _, build = rest.partition(" ")
    if build:
        return version, build.strip()
    two = re.fullmatch(r"(={0,2}[^=<>!~]+)=([^=<>!~,|]+)", rest)  # =1.24=py39_0
    return (two[1], two[2]) if two else (rest, "")


def request_of(version: str) -> VersionRequest:
    """The request that a conda version means. Raises ValueError.

    conda compares loosely: =1.12 and 1.12.* are any 1.12.x. A bare 1.12 is exact there, but meant loosely by those who
    write it; three numbers are one release either way. Of alternatives (1.8|1.9) the last is taken.
    """
    text = version.strip().rpartition("|")[2].strip()
    if text in ("", "*", "="):
        return VersionRequest.parse("latest")
    single = re.fullmatch(r"=?([0-9][A-Za-z0-9.+!]*?)(\.?\*)?", text)
    if not single:
        return VersionRequest.parse(re.sub(r"([<>]=?[0-9][0-9.]*?)\.?\*", r"\1", text))
    number, star = single[1], single[2]
    try:
        is_short = len(Version(number).release) < 3
    except InvalidVersion:
        raise ValueError(f"{shown(version)} is not a version") from None
    return VersionRequest.parse(f"{number}.*" if star and not is_short else number)


def cuda_of_build(build: str) -> str | None:
    """What a build string says: "10.2" in py3.8_cuda10.2_cudnn7.6.5_0, "11.2" in cuda112py39h…, "cpu" in py3.9_cpu_0."""
    dotted = re.search(r"cuda_?(\d{1,2}\.\d)", build)
    if dotted:
        return dotted[1]
    digits = re.search(r"cu(?:da)?_?(\d{2,3})(?!\d)", build)
    if digits:
        return f"{digits[1][:-1]}.{digits[1][-1]}"
    return "cpu" if re.search(r"(^|_)cpu(_|$)", build) else None
