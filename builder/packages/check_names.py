"""Names that mislead: packages declared under a wrong one, hidden by a file of the project's own, or there twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from builder.model.report import Severity
from builder.model.values import Location
from builder.packages.checked import NAMESPACES, Checked, declared_for, listed
from builder.packages.declared import Declared
from builder.packages.findings import Edit, Finding
from builder.packages.names import suggest
from builder.scan.imports import Import
from builder.scan.standard_library import is_standard

# --- declared under a wrong name ---


def misnamed(given: Checked) -> Iterator[Finding]:
    """Packages whose declared name is not the one of what the code imports."""
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


def shadowed(given: Checked) -> Iterator[Finding]:
    """Imports that find a file of the project's own instead of a declared package."""
    own: dict[tuple[str, str], list[Location]] = {}
    for one in given.imports.own:
        own.setdefault((one.top, one.own_file), []).append(one.where)
    for (name, file), where in own.items():
        declared = declared_for(given, name, is_strict=True)
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


def hidden_standard(given: Checked) -> Iterator[Finding]:
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


def twice(given: Checked) -> Iterator[Finding]:
    """Imports that two packages bring."""
    for name, places in given.places.items():
        if given.installed is not None:
            several = {one.name: one.shown for one in given.installed.providers(places[0].name)}
            if name in NAMESPACES or places[0].name.partition(".")[0] in NAMESPACES:
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
        message=f"{listed(tuple(several.values()))} both bring {name}; which of them is imported is chance",
        where=tuple(given.declared_by_name[one].where for one in declared) or tuple(one.where for one in places),
        remedy=remedy,
        edits=edits,
    )
