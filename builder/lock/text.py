"""A lock as text and back: YAML for the frame, and in it the formats that apt, conda and pip people know.

Sorted, one package a line, so that a diff of two commits says what changed. `conda` is an explicit list with hashes; `pip`
is a requirements file for --require-hashes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import yaml

from builder.errors import WsbError
from builder.model.lock import Lock, LockedBase, LockedConda, LockedDeb, LockedPart, LockedPip, LockedPlatform
from builder.model.values import Location

FILE: Final = "wsb.lock"
SCHEMA: Final = "wsb.lock/1"
_HEAD: Final = "# Exactly what `wsb build --locked` installs. Made by `wsb lock`: commit it, do not edit it.\n"
_PIP: Final = re.compile(r"^([A-Za-z0-9][\w.-]*)==(\S+)((?:\s+--hash=sha256:[0-9a-f]{64})+)$")
_CONDA: Final = re.compile(r"^(\S+)#sha256:([0-9a-f]{64})$")
_SHA256: Final = re.compile(r"^[0-9a-f]{64}$")


def dump(lock: Lock) -> str:
    """The file's text; the same lock gives the same bytes."""
    lines = [_HEAD + f"schema: {SCHEMA}", f"wsb: {json.dumps(lock.version)}", "platforms:"]
    for one in sorted(lock.platforms, key=lambda one: one.platform):
        lines += [f"  {one.platform}:", f"    plan: {one.plan}", f"    date: {one.date}", "    asked:"]
        lines += [f"      {key}: {json.dumps(one.asked[key], sort_keys=True)}" for key in sorted(one.asked)]
        lines += ["    base:", f"      image: {one.base.image}"]
        lines += [f"      digest: {one.base.digest}"] if one.base.digest else []
        lines += ["      layers:", *(f"        - {layer}" for layer in one.base.layers)]
        lines += _part("torch", one.torch) + _part("workspace", one.workspace)
    return "\n".join(lines) + "\n"


def digest(locked: LockedPlatform) -> str:
    """sha256 over one platform's lock: what an image made from it is called by."""
    return f"sha256:{hashlib.sha256(dump(Lock(version='', platforms=(locked,))).encode()).hexdigest()}"


def part_files(part: LockedPart) -> dict[str, str]:
    """File name → text, as the steps of a locked build read them."""
    kinds: tuple[tuple[str, Iterable[str]], ...] = (
        ("apt", (deb.line for deb in _by_name(part.apt))),
        ("conda", (package.line for package in part.conda)),
        ("pip", (package.line for package in _by_name(part.pip))),
    )
    texts = {kind: "".join(f"{line}\n" for line in lines) for kind, lines in kinds}
    if texts["conda"]:
        texts["conda"] = "@EXPLICIT\n" + texts["conda"]
    return texts


def _part(name: str, part: LockedPart) -> list[str]:
    lines = [f"    {name}:", *([f"      date: {part.date}"] if part.apt else [])]
    for kind, text in part_files(part).items():
        if not text:
            continue
        lines += [f"      {kind}: |", *(f"        {line}" for line in text.splitlines())]
    return lines if len(lines) > 1 else [f"    {name}: {{}}"]


def _by_name(packages: Iterable[Any]) -> list[Any]:
    return sorted(packages, key=lambda one: (one.name, one.version))


def parse(text: str, file: str = FILE) -> Lock:
    """Raises WsbError bad-value, with the way out: a lock is made, not mended."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise _unreadable(file, str(error).splitlines()[0]) from None
    if not isinstance(document, Mapping) or document.get("schema") != SCHEMA:
        raise _unreadable(file, f"its schema is not {SCHEMA}")
    try:
        platforms = tuple(_platform(name, one) for name, one in document["platforms"].items())
        return Lock(version=str(document["wsb"]), platforms=platforms)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise _unreadable(file, f"{type(error).__name__}: {error}") from None


def _unreadable(file: str, because: str) -> WsbError:
    return WsbError(
        "bad-value",
        f"{file} cannot be understood: {because}",
        where=Location(file=file),
        hints=["take it back from version control, or make it anew: `wsb lock --upgrade`"],
    )


def _platform(name: str, one: Mapping[str, Any]) -> LockedPlatform:
    base = one["base"]
    return LockedPlatform(
        platform=name,
        plan=one["plan"],
        date=one["date"],
        asked=dict(one["asked"]),
        base=LockedBase(image=base["image"], digest=base.get("digest", ""), layers=tuple(base["layers"])),
        torch=_read_part(one["torch"]),
        workspace=_read_part(one["workspace"]),
    )


def _read_part(part: Mapping[str, Any]) -> LockedPart:
    return LockedPart(
        apt=tuple(_deb(line) for line in part.get("apt", "").splitlines()),
        conda=tuple(_conda(line) for line in part.get("conda", "").splitlines() if line != "@EXPLICIT"),
        pip=read_requirements(part.get("pip", "")),
        date=part.get("date", ""),
    )


def _deb(line: str) -> LockedDeb:
    name, version, arch, sha256, url = line.split(" ")
    if not _SHA256.match(sha256):
        raise ValueError(f"{name} has no sha256")
    return LockedDeb(name=name, version=version, arch=arch, sha256=sha256, url=url)


def _conda(line: str) -> LockedConda:
    found = _CONDA.match(line)
    if not found:
        raise ValueError(f"{line!r} is no address with a sha256")
    return LockedConda(url=found[1], sha256=found[2])


def read_requirements(text: str) -> tuple[LockedPip, ...]:
    """Packages of a requirements file with hashes, as `uv pip compile --generate-hashes` writes it. Raises ValueError."""
    packages = []
    for line in text.replace("\\\n", " ").splitlines():
        bare = line.partition(" #")[0].strip()
        if not bare or bare.startswith("#"):
            continue
        found = _PIP.match(bare)
        if not found:
            raise ValueError(f"{bare.split(' ')[0]!r} is not one version with its hashes")
        hashes = re.findall(r"sha256:([0-9a-f]{64})", found[3])
        packages.append(LockedPip(name=found[1], version=found[2], hashes=tuple(sorted(hashes))))
    return tuple(packages)
