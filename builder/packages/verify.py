"""Whether a name can be installed into this workspace, asked before wsb.yaml is touched; and why not, when not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

from builder.catalog.catalog import Catalog
from builder.catalog.imports import normal
from builder.config.suggest import nearest
from builder.errors import WsbError
from builder.model.frozen import frozen
from builder.model.plan import Plan
from builder.model.values import Manager
from builder.packages.availability import Answer, Target, answer, newest_versions
from builder.packages.index import PYPI, Index, IndexFile, UnreachableError
from builder.resolve.given import listed

_GLIBC = (2, 36)  # of Debian 12, where a base is not in the tables


@frozen
class Verified:
    """version: that would be installed, "" when nobody could be asked. warning: what a person should know, "" for nothing."""

    version: str = ""
    is_source: bool = False
    warning: str = ""


def indexes(plan: Plan, environ: Mapping[str, str], home: Path, usual: str | None) -> tuple[Index, ...]:
    """The indexes a build of this plan would ask, in their order. usual: this machine's own, asked where none answers."""
    from builder.host.local import ca_bundle

    ca = plan.sources.ca or ca_bundle(environ)
    urls = [plan.sources.pip or PYPI, *plan.sources.extra_pip, *([usual] if usual else [])]
    return tuple(Index(url=url, ca=ca, home=home) for url in dict.fromkeys(urls) if url.startswith(("http://", "https://")))


def target_of(plan: Plan, catalog: Catalog) -> Target:
    base = catalog.distribution_of(plan.base.image if plan.base.bootstrap is None else f"debian:{plan.base.bootstrap}")
    numbers = tuple(int(part) for part in base.glibc.split(".")) if base is not None else _GLIBC
    arch = {"amd64": "x86_64", "arm64": "aarch64"}.get(plan.platform.rpartition("/")[2], "x86_64")
    return Target(python=plan.python, arch=arch, glibc=(numbers[0], numbers[1]))


def verify_pip(item: str, asked: Iterable[Index], target: Target, catalog: Catalog, manager: Manager) -> Verified:
    """Whether a line of packages.pip can be installed. Raises WsbError: no-such-package, no-such-build."""
    try:
        requirement = Requirement(item)
    except InvalidRequirement:
        return Verified()  # an address or a folder: only the build can tell
    if requirement.url:
        return Verified()
    name, asks = requirement.name, str(requirement.specifier)
    refused: WsbError | None = None
    silent: list[str] = []
    seen: list[Index] = []
    for index, files in _asked(name, asked, silent):
        seen.append(index)
        if files is None:
            continue
        found = answer(files, asks, target)
        if found.kind in ("wheel", "source"):
            return _verified(name, found, catalog)
        refused = refused or _refused(name, asks, found, target, index)
    if refused is not None:
        raise refused
    if not seen:
        why = f"; {silent[0]}" if silent else ""
        return Verified(warning=f"whether {name} exists could not be asked{why}; it is written down unchecked")
    raise _no_such_name(name, seen, catalog, manager)


def _asked(name: str, indexes: Iterable[Index], silent: list[str]) -> Iterator[tuple[Index, tuple[IndexFile, ...] | None]]:
    """Each index that answers, with what it has of a name. silent: collects why the others did not."""
    for index in indexes:
        try:
            files = index.files(name)
        except UnreachableError as error:
            silent.append(str(error))
            continue
        yield index, files


def _verified(name: str, found: Answer, catalog: Catalog) -> Verified:
    row = catalog.package(name)
    if found.kind == "wheel":
        return Verified(version=found.version)
    if row is not None and row.get("compiles"):
        return Verified(version=found.version, is_source=True, warning=f"{name} has no wheel for this Python: {row['because']}")
    warning = (
        f"{name} {found.version} comes as source only; if it must be compiled, the build needs a compiler "
        "(`wsb add --apt build-essential`)"
    )
    return Verified(version=found.version, is_source=True, warning=warning)


def _refused(name: str, asks: str, found: Answer, target: Target, index: Index) -> WsbError:
    if found.kind == "no-files":
        return WsbError("no-such-package", f"{name} has a page on {index.shown}, but no files to install")
    if found.kind == "no-version":
        return WsbError(
            "no-such-package",
            f"{name} has no release {asks}",
            hints=(f"there are {listed(found.versions)}",) if found.versions else (),
        )
    if found.kind == "no-python":
        pythons = [python for python in found.pythons if python]
        hints = [f"it is made for Python {listed(pythons)}"] if pythons else []
        hints += [f'set `python: "{pythons[-1]}"` in wsb.yaml, or ask for another release of {name}'] if pythons else []
        return WsbError("no-such-build", f"{name} {found.version} has no build for Python {target.python}", hints=tuple(hints))
    return WsbError(
        "no-such-build",
        f"{name} {found.version} has no build for Linux on {target.arch}",
        hints=(f"it is made for {listed(found.platforms)}; the container is always Linux",),
    )


def _no_such_name(name: str, seen: Iterable[Index], catalog: Catalog, manager: Manager) -> WsbError:
    hints = []
    conda = catalog.conda_name(name)
    if conda is not None and (conda.get("conda_only") or "apt" in conda):
        word = "--conda" if manager.is_conda else f"--apt {conda['apt'].split()[0]}" if "apt" in conda else ""
        hints.append(
            f"conda has it: `wsb add --conda {name}`" if word == "--conda" else f"`wsb add {word}` may be what is meant"
        )
        if not word:
            hints = [f"it is a conda package; set `manager: miniconda`, then `wsb add --conda {name}`"]
    near = nearest(name, catalog.known_names)
    if near and normal(near) != normal(name):
        hints.append(f"did you mean {near}?")
    if manager.is_conda and not hints:
        hints.append(f"it may be a conda package: `wsb add --conda {name}`")
    hints.append("the project's page or README says the name to install; it need not be the name to import")
    return WsbError(
        "no-such-package", f"there is no package {name} on {listed(index.shown for index in seen)}", hints=tuple(hints)
    )


@frozen
class Lookup:
    """What the indexes say of a name. index: that has it, "" for none. silent: why others did not answer."""

    index: str = ""
    answer: Answer | None = None
    versions: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()

    def document(self, name: str) -> dict[str, Any]:
        """As `wsb search --json` has it."""
        if self.answer is None:
            why = self.silent[0] if self.silent else f"no index has {name}"
            return {"found": False, "why_not": why}
        found: dict[str, Any] = {"found": True, "index": self.index, "versions": list(self.versions)}
        if self.answer.kind in ("wheel", "source"):
            return found | {"version": self.answer.version, "as": self.answer.kind}
        reasons = {"no-files": "no files", "no-version": "no such release", "no-platform": "no build for Linux"}
        why = reasons.get(self.answer.kind, f"no build for this Python; made for {', '.join(self.answer.pythons)}")
        return found | {"why_not": why}


def look_up(item: str, asked: Iterable[Index], target: Target) -> Lookup:
    """The first index that has the name, with its newest releases, newest first."""
    requirement = Requirement(item)
    silent: list[str] = []
    for index, files in _asked(requirement.name, asked, silent):
        if files is not None:
            found = answer(files, str(requirement.specifier), target)
            return Lookup(index=index.shown, answer=found, versions=newest_versions(files), silent=tuple(silent))
    return Lookup(silent=tuple(silent))
