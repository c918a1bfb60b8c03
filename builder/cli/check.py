"""`wsb check`: what the code imports, against what is declared and what is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from builder.cli.packages import Project
    from builder.packages.checked import Checked
    from builder.packages.findings import Finding
    from builder.ui.console import Console


@click.command("check")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--fix", is_flag=True, help="Change wsb.yaml: add what is missing, name right what is misnamed.")
@click.option("--no-image", is_flag=True, help="Look at the declared packages only, not into the built image.")
@click.pass_obj
def command(directory: str, as_json: bool, fix: bool, no_image: bool) -> int:
    """Hold the project's imports against its packages.

    Says what is missing, misnamed, hidden by a file of the project's own, there twice, unused, or contradicts the plan; each
    with its place and the command that mends it. Exit code 1 when an import would fail.
    """
    from builder.cli import common
    from builder.cli.packages import open_project
    from builder.model.report import Severity
    from builder.packages.check import check

    console = common.console()
    project = open_project(directory, with_image=not no_image, asks=True)
    try:
        given = _given(project)
        findings = check(given)
        fixed: tuple[Finding, ...] = ()
        if fix:
            fixed = _fix(console, project, findings)
            findings = tuple(one for one in findings if one not in fixed)
    finally:
        project.close()
    _tell(console, project, given, findings, fixed, as_json=as_json)
    return 1 if any(one.severity is Severity.ERROR for one in findings) else 0


def _given(project: Project) -> Checked:
    from builder.catalog import load
    from builder.folder import Folder
    from builder.packages.checked import Checked
    from builder.packages.code import read_code

    declared = project.declared
    code = read_code(Folder(project.workspace.directory), declared, load())
    if project.is_behind:
        project.notes.append("wsb.yaml or a file it names changed after the image was built; `wsb build` brings it up to date")
    return Checked(
        imports=code.imports,
        declared=declared,
        document=project.document(),
        catalog=load(),
        manager=project.manager,
        installed=project.installed,
        files=code.files,
        imported_standard=code.imported_standard,
    )


def _fix(console: Console, project: Project, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Write the edits of all findings that have some; a name that no index has is left alone. Gives those that were mended."""
    from builder import pipeline
    from builder.config import read_spec
    from builder.packages.config_file import ConfigFile, with_edits

    file = ConfigFile(project.workspace.directory / pipeline.CONFIG)
    done = []
    for one in findings:
        if one.edits and _exists(console, project, one):
            file.change(lambda text, edits=one.edits: with_edits(text, edits))  # type: ignore[misc]
            done.append(one)
    if file.has_changed:
        read_spec(file.content, pipeline.CONFIG)  # what was written must be read again
        file.write()
    return tuple(done)


def _exists(console: Console, project: Project, finding: Finding) -> bool:
    """Whether what a finding would add can be installed, as far as anybody can be asked."""
    from builder.cli.verifying import verify
    from builder.errors import Problems, WsbError

    for edit in finding.edits:
        if not edit.new or edit.list != "pip":
            continue
        try:
            verified = verify(project, edit.new)
        except (WsbError, Problems) as error:
            console.warn(f"{finding.name} is not added: {error}")
            return False
        if verified.warning:
            console.warn(verified.warning)
    return True


def _tell(
    console: Console,
    project: Project,
    given: Checked,
    findings: tuple[Finding, ...],
    fixed: tuple[Finding, ...],
    *,
    as_json: bool,
) -> None:
    from builder.ui.packages_text import check_lines

    if as_json:
        console.document(_document(project, given, findings, fixed))
        return
    for note in project.notes:
        console.line(f"note: {note}")
    console.product(
        "\n".join(check_lines(findings, fixed, len(given.places), is_against_image=given.installed is not None)) + "\n"
    )


def _document(project: Project, given: Checked, findings: tuple[Finding, ...], fixed: tuple[Finding, ...]) -> dict[str, Any]:
    from builder.packages.findings import KINDS, findings_json

    return {
        "schema": "wsb.check/1",
        "name": project.workspace.spec.name.value,
        "against": "image" if given.installed is not None else "declared",
        "image": f"{project.workspace.spec.name.value}:latest" if project.present is not None else None,
        "is_behind": project.is_behind,
        "imports": len(given.places),
        "unparsed": list(given.imports.unparsed),
        "findings": findings_json(findings),
        "fixed": findings_json(fixed),
        "summary": {kind: sum(one.id == kind for one in findings) for kind in KINDS},
        "notes": project.notes,
    }
