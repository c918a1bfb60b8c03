"""Declared versions against the plan and against what is installed; and what is installed against itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from builder.catalog.imports import normal
from builder.model.report import Severity
from builder.model.values import VersionRequest
from builder.packages.declared import TORCH, Declared
from builder.packages.findings import Finding
from builder.packages.installed import Installed
from builder.resolve.given import admits_python


def contradictions(declared: Sequence[Declared], document: Mapping[str, Any], installed: Installed | None) -> Iterator[Finding]:
    """Requirements that the plan, or what was installed by it, does not keep."""
    planned = _planned(document)
    own = {name: one for one in declared if one.is_own for name in one.names}
    for one in declared:
        version = _found(one, planned, installed)
        request = _request(one)
        if version is None or request is None or _admits(one, request, version):
            continue
        overriding = own.get(one.name)
        because = ""
        if one.kind == "torch":
            because = "; `wsb explain torch` says why"
        elif overriding is not None and overriding is not one:
            because = f"; {overriding.where} says {overriding.text}, which counts"
        what = "the plan has" if one.kind == "torch" else "installed is"
        yield Finding(
            id="contradicts",
            severity=Severity.WARNING,
            name=one.name,
            message=f"{one.where} asks for {one.text}, {what} {version.public}{because}",
            where=(one.where,),
            remedy="" if because.startswith("; `") else f'wsb add "{one.name}=={version.public}"' if one.is_own else "",
        )
    for warned in document.get("warnings", ()):
        if warned["code"] == "pins-disagree":
            name = normal(re.split(r"[^A-Za-z0-9._-]", warned["message"])[0])
            where = tuple(one.where for one in declared if one.name == name)
            yield Finding(
                id="contradicts", severity=Severity.WARNING, name=name, message=warned["message"], where=where, remedy=""
            )


def _planned(document: Mapping[str, Any]) -> Mapping[str, str]:
    torch = document.get("torch") or {}
    named = {"torch": torch.get("version"), "torchvision": torch.get("torchvision"), "torchaudio": torch.get("torchaudio")}
    return {"python": document.get("python", ""), **{name: version for name, version in named.items() if version}}


def _found(one: Declared, planned: Mapping[str, str], installed: Installed | None) -> Version | None:
    if one.name in planned:
        return _version(planned[one.name])
    if installed is None or one.kind not in ("pip", "conda"):
        return None
    for name in one.names:
        if name in installed.by_name:
            return _version(installed.by_name[name].version)
    return None


def _request(one: Declared) -> VersionRequest | None:
    asks = one.text[len(one.name) :].strip() if one.kind == "torch" else one.asks
    if not asks:
        return None
    if one.kind == "conda":
        asks = re.split(r"(?<=[\w.*])=(?=[\w*])", asks.lstrip("="))[0] if re.match(r"=?=?\d", asks) else asks
    try:
        return VersionRequest.parse(asks)
    except ValueError:
        return None


def _admits(one: Declared, request: VersionRequest, version: Version) -> bool:
    if one.name == "python":
        return admits_python(request, version.public)
    return request.specifiers.contains(version.public, prereleases=True)


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def conflicts(installed: Installed | None) -> Iterator[Finding]:
    """What `pip check` would say, for what is not torch's own business."""
    if installed is None:
        return
    for one in installed.distributions:
        for requirement in installed.requirements(one):
            name = normal(requirement.name)
            if requirement.extras and name in TORCH:
                continue
            there = installed.by_name.get(name)
            if there is None:
                message = f"{one.shown} {one.version} needs {requirement.name}, which is not installed"
                yield _conflict(one.shown, message, f"wsb add {name}")
            elif not _keeps(requirement.specifier, there.version):
                message = (
                    f"{one.shown} {one.version} needs {requirement.name}{requirement.specifier}, installed is {there.version}"
                )
                yield _conflict(one.shown, message, f'wsb add "{name}{requirement.specifier}"')


def _conflict(name: str, message: str, remedy: str) -> Finding:
    return Finding(id="conflict", severity=Severity.WARNING, name=name, message=message, remedy=remedy)


def _keeps(specifier: SpecifierSet, version: str) -> bool:
    try:
        return specifier.contains(version, prereleases=True)
    except (InvalidVersion, InvalidSpecifier):
        return True
