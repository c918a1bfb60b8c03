"""Imports × declared packages × what the image has installed → findings. Pure: everything comes in, nothing is looked up.

Without an image the imports are held against the declared packages alone; what those bring along is then not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from builder.catalog.catalog import Catalog
from builder.catalog.imports import normal
from builder.model.report import Severity
from builder.model.values import Location, Manager
from builder.packages import check_plan
from builder.packages.declared import Declared
from builder.packages.findings import Edit, Finding, in_order
from builder.packages.installed import Installed
from builder.packages.names import suggest
from builder.scan.imports import Import, Imports
from builder.scan.standard_library import is_standard

# Namespaces that several distributions share: there the dotted name tells them apart.
_NAMESPACES = frozenset({"google", "azure", "nvidia", "ruamel", "sphinxcontrib", "zope", "backports", "opentelemetry"})

# What these bring is imported without being declared by nearly everyone; without an image nothing else tells.
_BROUGHT = {
    "torch": ("typing_extensions", "filelock", "sympy", "networkx", "jinja2", "fsspec"),
    "torchvision": ("numpy", "PIL"),
}


@dataclass(frozen=True, kw_only=True)
class Checked:
    """Everything a check looks at. document: the plan's JSON. files: all of the project's.

    installed: None without an image. imported_standard: names of Python's own modules that a file of the project has too.
    """

    imports: Imports
    declared: tuple[Declared, ...]
    document: Mapping[str, Any]
    catalog: Catalog
    manager: Manager
    installed: Installed | None = None
    files: tuple[str, ...] = ()
    imported_standard: frozenset[str] = frozenset()

    @cached_property
    def declared_by_name(self) -> Mapping[str, Declared]:
        found: dict[str, Declared] = {}
        for one in self.declared:
            for name in one.names:
                found.setdefault(name, one)
        return found

    @cached_property
    def places(self) -> Mapping[str, tuple[Import, ...]]:
        """Import name → its places. In a shared namespace the name is dotted, elsewhere it is the top one."""
        found: dict[str, list[Import]] = {}
        for one in self.imports.needed:
            found.setdefault(self.key_of(one.name), []).append(one)
        return {name: tuple(several) for name, several in found.items()}

    def key_of(self, name: str) -> str:
        top = name.partition(".")[0]
        if top not in _NAMESPACES:
            return top
        row = self.catalog.import_name(name)
        return str(row["import"]) if row is not None else ".".join(name.split(".")[:2])


def check(given: Checked) -> tuple[Finding, ...]:
    """All findings, errors first."""
    misnamed = tuple(_misnamed(given))
    return in_order(
        [
            *_missing(given),
            *misnamed,
            *_shadowed(given),
            *_hidden_standard(given),
            *_twice(given),
            *check_plan.contradictions(given.declared, given.document, given.installed),
            *check_plan.conflicts(given.installed),
            *_unused(given, {one.name for one in misnamed}),
        ]
    )


# --- imports that nothing answers ---


def _missing(given: Checked) -> Iterator[Finding]:
    for name, places in given.places.items():
        if given.installed is not None:
            unanswered = tuple(one for one in places if not given.installed.providers(one.name))
            if not unanswered:
                yield from _undeclared(given, name, places)
                continue
            declared = _declared_for(given, name)
            if declared is not None and not _is_installed(given.installed, declared):
                yield _not_built_yet(name, unanswered, declared)
                continue
            yield _absent(given, name, unanswered)
        elif _declared_for(given, name) is None and not _is_brought(given, name):
            yield _absent(given, name, places)


def _absent(given: Checked, name: str, places: tuple[Import, ...]) -> Finding:
    needed = tuple(one for one in places if not one.is_optional and not one.is_in_tests)
    found = suggest(given.catalog, name)
    because = f" ({found.because})" if found.because else ""
    if needed:
        said = "is imported, and nothing installed provides it" if given.installed else "is imported and not declared"
    else:
        tests = all(one.is_in_tests for one in places)
        said = "is only imported by tests or build scripts" if tests else "is imported where the code can do without it"
    edits = (Edit(list="pip", new=found.item),) if needed and found.item and _may_add(given, found.item) else ()
    return Finding(
        id="missing",
        severity=Severity.ERROR if needed else Severity.INFO,
        name=name,
        message=f"{name} {said}{because}",
        where=tuple(one.where for one in needed or places),
        remedy=found.command,
        edits=edits,
    )


def _may_add(given: Checked, item: str) -> bool:
    """Whether --fix may write it: the name is from the tables, or nothing speaks against it being the import's own."""
    return normal(item.partition(" ")[0]) not in given.declared_by_name


def _not_built_yet(name: str, places: tuple[Import, ...], declared: Declared) -> Finding:
    return Finding(
        id="missing",
        severity=Severity.ERROR,
        name=name,
        message=f"{name} is declared as {declared.text} ({declared.where}), but the image was built without it",
        where=tuple(one.where for one in places),
        remedy="wsb build",
    )


def _undeclared(given: Checked, name: str, places: tuple[Import, ...]) -> Iterator[Finding]:
    """An import that only works because some other package happens to need the same."""
    assert given.installed is not None
    providers = given.installed.providers(places[0].name)
    needed = tuple(one.where for one in places if not one.is_optional and not one.is_in_tests)
    if not needed or any(one.name in given.declared_by_name for one in providers):
        return
    if _declared_for(given, name) is not None:
        return
    for one in providers[:1]:
        by = given.installed.brought_by.get(one.name, ())
        if by:
            yield Finding(
                id="undeclared",
                severity=Severity.INFO,
                name=name,
                message=f"{name} is imported, and only there because {_listed(by)} needs {one.shown}",
                where=needed,
                remedy=f"wsb add {one.name}",
            )


def _declared_for(given: Checked, name: str) -> Declared | None:
    """The declared package that should bring this import."""
    top = normal(name)
    guesses = (*given.catalog.providers(name), top, f"python-{top}", f"{top}-python", f"py{top}", top.removeprefix("py"))
    for guess in guesses:
        found = given.declared_by_name.get(guess)
        if found is not None and not _is_trap(given, found):
            return found
    return None


def _is_trap(given: Checked, declared: Declared) -> bool:
    """Whether a declared name is that of another package than the one meant."""
    if declared.kind != "pip" or declared.url is not None:
        return False
    trap = given.catalog.import_trap(declared.name)
    return trap is not None and not trap.get("dummy")


def _is_installed(installed: Installed, declared: Declared) -> bool:
    names = {*declared.names}
    return any(name in installed.by_name for name in names) or any(normal(one.name) in names for one in installed.conda)


def _is_brought(given: Checked, name: str) -> bool:
    return any(name in brought and by in given.declared_by_name for by, brought in _BROUGHT.items())


# --- declared under a wrong name ---


def _misnamed(given: Checked) -> Iterator[Finding]:
    for one in given.declared:
        if one.kind != "pip" or one.url is not None:
            continue
        trap, row = given.catalog.import_trap(one.name), given.catalog.import_named_like(one.name)
        is_imported = row is not None and row["import"].partition(".")[0] in {name.partition(".")[0] for name in given.places}
        if trap is not None:
            yield _wrong_name(given, one, f"{one.name} on the index is {_what(trap)}", is_imported and not trap.get("dummy"))
        elif row is not None and is_imported and one.name not in given.catalog.providers(row["import"]):
            yield _wrong_name(given, one, f"{row['import']} is the name to import, not the package's", True)
        elif one.name in ("opencv-python", "opencv-contrib-python") and "cv2" in given.places:
            yield _with_windows(one)


def _what(trap: Mapping[str, Any]) -> str:
    return f"only a stub ({trap['is']})" if trap.get("dummy") else f"another package: {trap['is']}"


def _wrong_name(given: Checked, one: Declared, message: str, is_error: bool) -> Finding:
    row = given.catalog.import_named_like(one.name)
    right = suggest(given.catalog, row["import"]).item if row is not None else ""
    if right and "://" not in right and not given.catalog.import_trap(one.name):
        right += one.asks if one.asks and one.asks[0] in "=<>!~" else ""
    return _renamed(one, right, message, Severity.ERROR if is_error else Severity.WARNING)


def _with_windows(one: Declared) -> Finding:
    right = one.name + "-headless" + one.text[len(one.name) :]
    message = f"{one.name} is made for a screen, which a container has not; {one.name}-headless has all but its windows"
    return _renamed(one, right, message, Severity.INFO)


def _renamed(one: Declared, right: str, message: str, severity: Severity) -> Finding:
    edits: tuple[Edit, ...] = ()
    remedy = ""
    if right and one.is_own:
        remedy, edits = "wsb check --fix", (Edit(list="pip", item=one.text, new=right),)
    elif right:
        remedy = f"in {one.where}, write {right} instead of {one.text}"
    return Finding(
        id="misnamed", severity=severity, name=one.name, message=message, where=(one.where,), remedy=remedy, edits=edits
    )


# --- hidden by the project's own files ---


def _shadowed(given: Checked) -> Iterator[Finding]:
    own: dict[tuple[str, str], list[Location]] = {}
    for one in given.imports.own:
        own.setdefault((one.top, one.own_file), []).append(one.where)
    for (name, file), where in own.items():
        declared = _declared_for(given, name)
        if declared is None:
            continue
        is_file = file.endswith((".py", ".pyw"))
        yield Finding(
            id="shadowed",
            severity=Severity.ERROR if is_file else Severity.WARNING,
            name=name,
            message=f"`import {name}` finds the project's own {file}, not {declared.text} ({declared.where})",
            where=tuple(where),
            remedy=f"rename {file}" if is_file else f"keep one of them: {file}, or {declared.text}",
        )


def _hidden_standard(given: Checked) -> Iterator[Finding]:
    """A script beside others that has the name of a module of Python's own."""
    packages = {path.rpartition("/")[0] for path in given.files if path.endswith("/__init__.py")}
    for path in given.files:
        folder, _, file = path.rpartition("/")
        stem = file.removesuffix(".py")
        if stem == file or folder in packages or not is_standard(stem) or stem not in given.imported_standard:
            continue
        if file in ("test.py", "new.py", "user.py", "commands.py", "parser.py"):
            continue  # nobody imports Python's own of these names today
        yield Finding(
            id="shadowed",
            severity=Severity.WARNING,
            name=stem,
            message=f"{path} hides Python's own module {stem} from everything that is started beside it",
            where=(Location(file=path),),
            remedy=f"rename {path}",
        )


# --- two for one ---


def _twice(given: Checked) -> Iterator[Finding]:
    for name, places in given.places.items():
        if given.installed is not None:
            several = {one.name: one.shown for one in given.installed.providers(places[0].name)}
            if name in _NAMESPACES or places[0].name.partition(".")[0] in _NAMESPACES:
                continue
        else:
            known = given.catalog.providers(name)
            distinct = {id(given.declared_by_name[one]): one for one in known if one in given.declared_by_name}
            several = {one: given.declared_by_name[one].text for one in distinct.values()}
        if len(several) > 1:
            yield _two(given, name, places, several)


def _two(given: Checked, name: str, places: tuple[Import, ...], several: Mapping[str, str]) -> Finding:
    """The one to take out: what wsb.yaml names itself, and the one made for a screen before the headless one."""
    order = sorted(several, key=lambda one: (one.endswith("-headless"), one))
    own = [one for one in order if one in given.declared_by_name and given.declared_by_name[one].is_own]
    declared = [one for one in order if one in given.declared_by_name]
    remedy = ""
    edits: tuple[Edit, ...] = ()
    if own and len(declared) > 1:
        item = given.declared_by_name[own[0]]
        remedy = f"wsb remove {own[0]}"
        edits = (Edit(list="conda" if item.kind == "conda" else "pip", item=item.text),)
    elif len(declared) > 1:
        item = given.declared_by_name[declared[0]]
        remedy = f"take {item.text} out of {item.where}"
    return Finding(
        id="two-distributions",
        severity=Severity.WARNING,
        name=name,
        message=f"{_listed(tuple(several.values()))} both bring {name}; which of them is imported is chance",
        where=tuple(given.declared_by_name[one].where for one in declared) or tuple(one.where for one in places),
        remedy=remedy,
        edits=edits,
    )


# --- never imported ---


def _unused(given: Checked, misnamed: set[str]) -> Iterator[Finding]:
    if not given.imports.needed and not given.imports.own:
        return
    imported = {name.partition(".")[0] for name in given.places} | {one.top for one in given.imports.own}
    folded = {normal(name) for name in imported}
    for one in given.declared:
        if one.kind not in ("pip", "conda") or one.name in {"", *misnamed} or given.catalog.is_used_without_import(one.name):
            continue
        if _is_used(given, one, imported, folded):
            continue
        own = f"wsb remove {one.name}" if one.is_own else f"take it out of {one.where} if nothing else needs it"
        yield Finding(
            id="unused",
            severity=Severity.INFO,
            name=one.name,
            message=f"{one.name} is declared, and no code of the project imports it",
            where=(one.where,),
            remedy=own,
        )


def _is_used(given: Checked, one: Declared, imported: set[str], folded: set[str]) -> bool:
    known = {name for own in one.names for name in given.catalog.imports_of(own)}
    if {name.partition(".")[0] for name in known} & imported:
        return True
    if any(guess in folded for name in one.names for guess in _import_guesses(name)):
        return True
    if given.installed is None:
        return one.kind == "conda" and given.catalog.conda_name(one.name) is not None
    found = [given.installed.by_name[name] for name in one.names if name in given.installed.by_name]
    if not found:  # a program or a library of conda, or not built yet
        return True
    provided = {name.partition(".")[0] for dist in found for name in dist.provides}
    is_needed = any(name in given.installed.brought_by for name in one.names)
    return bool(provided & imported) or is_needed or any(dist.has_commands for dist in found)


def _import_guesses(name: str) -> tuple[str, ...]:
    return (name, name.removeprefix("python-"), name.removesuffix("-python"), name.removeprefix("py"), f"py{name}")


def _listed(names: tuple[str, ...]) -> str:
    shown = [*names[:3], f"{len(names) - 3} more"] if len(names) > 3 else list(names)
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
