"""Imports × declared packages × what the image has installed → findings. Pure: everything comes in, nothing is looked up.

Without an image the imports are held against the declared packages alone; what those bring along is then not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from builder.catalog.imports import normal
from builder.model.report import Severity
from builder.packages import check_names, check_plan
from builder.packages.checked import Checked, declared_for, listed
from builder.packages.declared import Declared
from builder.packages.findings import Edit, Finding, in_order
from builder.packages.installed import Installed
from builder.packages.names import Suggestion, suggest
from builder.scan.imports import Import

# What these bring is imported without being declared by nearly everyone; without an image nothing else tells.
_BROUGHT = {
    "torch": (
        *("typing_extensions", "filelock", "sympy", "networkx", "jinja2", "fsspec"),
        *("triton", "setuptools", "pkg_resources", "pip"),
    ),
    "torchvision": ("numpy", "PIL"),
}


_MANY = 12  # unused packages of one file: more are no slips, but a list of everything


def check(given: Checked) -> tuple[Finding, ...]:
    """All findings, errors first."""
    misnamed = tuple(check_names.misnamed(given))
    return in_order(
        [
            *_missing(given),
            *misnamed,
            *check_names.shadowed(given),
            *check_names.hidden_standard(given),
            *check_names.twice(given),
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
            declared = declared_for(given, name)
            if declared is not None and not _is_installed(given.installed, declared):
                yield _not_built_yet(name, unanswered, declared)
                continue
            yield _absent(given, name, unanswered)
        elif declared_for(given, name) is None and not _is_brought(given, name):
            yield _absent(given, name, places)


def _absent(given: Checked, name: str, places: tuple[Import, ...]) -> Finding:
    needed = tuple(one for one in places if not one.is_optional and not one.is_in_tests)
    found = _for_this_build(given, suggest(given.catalog, name))
    if _is_elsewhere(given, name):
        needed = ()
    because = f" ({found.because})" if found.because else ""
    if needed:
        said = "is imported, and nothing installed provides it" if given.installed else "is imported and not declared"
    else:
        tests = all(one.is_in_tests for one in places)
        said = "is only imported by tests or build scripts" if tests else "is imported where the code can do without it"
        said = "is imported" if _is_elsewhere(given, name) else said
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


def _is_elsewhere(given: Checked, name: str) -> bool:
    """Whether a module is part of a hosted notebook and can be installed nowhere else."""
    row = given.catalog.import_name(name)
    return row is not None and str(row["distribution"]).startswith("(part of ")


def _for_this_build(given: Checked, found: Suggestion) -> Suggestion:
    """onnxruntime-gpu and the like without their GPU half where the plan is for CPU."""
    plain = found.item.removesuffix("-gpu")
    variant = (given.document.get("torch") or {}).get("variant")
    if variant != "cpu" or plain == found.item or found.because != f"or {plain}":
        return found
    return Suggestion(command=f"wsb add {plain}", item=plain, because="the plan is for CPU")


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
    if declared_for(given, name) is not None:
        return
    for one in providers[:1]:
        by = given.installed.brought_by.get(one.name, ())
        if by:
            yield Finding(
                id="undeclared",
                severity=Severity.INFO,
                name=name,
                message=f"{name} is imported, and only there because {listed(by)} needs {one.shown}",
                where=needed,
                remedy=f"wsb add {one.name}",
            )


def _is_installed(installed: Installed, declared: Declared) -> bool:
    names = {*declared.names}
    return any(name in installed.by_name for name in names) or any(normal(one.name) in names for one in installed.conda)


def _is_brought(given: Checked, name: str) -> bool:
    return any(name in brought and by in given.declared_by_name for by, brought in _BROUGHT.items())


# --- never imported ---


def _unused(given: Checked, misnamed: set[str]) -> Iterator[Finding]:
    if not given.imports.needed and not given.imports.own:
        return
    imported = {name.partition(".")[0] for name in given.places} | {one.top for one in given.imports.own}
    folded = {normal(name) for name in imported}
    meant = {declared.name for name in given.places if (declared := declared_for(given, name)) is not None}
    by_file: dict[str, list[Declared]] = {}
    for one in given.declared:
        if one.kind not in ("pip", "conda") or one.name in {"", *misnamed, *meant}:
            continue
        if not given.catalog.is_used_without_import(one.name) and not _is_used(given, one, imported, folded):
            by_file.setdefault(one.where.file, []).append(one)
    for file, several in by_file.items():
        if len(several) > _MANY and not several[0].is_own:
            yield _list_of_all(file, several)
        else:
            yield from (_never_imported(one) for one in several)


def _never_imported(one: Declared) -> Finding:
    return Finding(
        id="unused",
        severity=Severity.INFO,
        name=one.name,
        message=f"{one.name} is declared, and no code of the project imports it",
        where=(one.where,),
        remedy=f"wsb remove {one.name}" if one.is_own else f"take it out of {one.where} if nothing else needs it",
    )


def _list_of_all(file: str, several: Sequence[Declared]) -> Finding:
    """A file that lists everything that was installed once: one finding, not hundreds."""
    names = listed(tuple(one.name for one in several))
    return Finding(
        id="unused",
        severity=Severity.INFO,
        name=file,
        message=f"{file} lists {len(several)} packages that no code of the project imports: {names}",
        where=tuple(one.where for one in several),
        remedy=f"keep in {file} what the code imports; what that needs comes by itself",
    )


def _is_used(given: Checked, one: Declared, imported: set[str], folded: set[str]) -> bool:
    known = {name for own in one.names for name in given.catalog.imports_of(own)}
    if {name.partition(".")[0] for name in known} & imported:
        return True
    if any(guess in folded for name in one.names for guess in _import_guesses(name)):
        return True
    if given.installed is None:  # of conda's packages only the image tells which are Python's
        row = given.catalog.conda_name(one.name)
        return one.kind == "conda" and not known and (row is None or "pip" not in row)
    found = [given.installed.by_name[name] for name in one.names if name in given.installed.by_name]
    if not found:  # a program or a library of conda, or not built yet
        return True
    provided = {name.partition(".")[0] for dist in found for name in dist.provides}
    is_needed = any(name in given.installed.brought_by for name in one.names)
    return bool(provided & imported) or is_needed or any(dist.has_commands for dist in found)


def _import_guesses(name: str) -> tuple[str, ...]:
    return (name, name.removeprefix("python-"), name.removesuffix("-python"), name.removeprefix("py"), f"py{name}")
