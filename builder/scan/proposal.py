"""A folder → what `wsb init` proposes: the files to plan from, Python and torch with their reasons, what else is needed.

In: names, a way to read them, the tables. Out: a Proposal, nothing written. Where two files say different things the rule
of choosing.py and evidence.py settles it, and the other answer stands beside it for whoever wants to be asked.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from builder.catalog import Catalog
from builder.config.kinds import RefusedError
from builder.config.packages import parse_apt, parse_conda, parse_pip
from builder.errors import WsbError
from builder.model.host import Host
from builder.model.project import Project
from builder.model.values import CPU
from builder.scan.additions import apt_of, compilers, from_documents, name_of, with_build
from builder.scan.choosing import Sources, choose_sources
from builder.scan.deciding import Pick, Told, pick_torch
from builder.scan.evidence import Witness, witnesses
from builder.scan.imports import Imports
from builder.scan.leaving import left_by_plan
from builder.scan.machine import runs_on
from builder.scan.picking_python import pick_python
from builder.scan.project import Read, read_readable
from builder.scan.proposed import Added, Proposal, Question, Wishes
from builder.scan.survey import Finding, spec_of, survey
from builder.scan.written_out import written_keys, written_out

# Other frameworks that bring CUDA themselves: a project that names one of them and no torch needs none.
_INSTEAD = frozenset(
    {"onnxruntime-gpu", "jax", "jaxlib", "paddlepaddle-gpu", "paddlepaddle", "mxnet", "mindspore", "cupy-cuda12x"}
)


def propose(
    directory_name: str,
    names: Sequence[str],
    read: Read,
    catalog: Catalog,
    wishes: Wishes,
    imports: Imports | None = None,
    host: Host | None = None,
) -> Proposal:
    """The proposal for one folder. imports: what its code imports, where it has code. host: where it is going to run."""
    answers = wishes.answers or {}
    findings = survey(names, read)
    wants_cpu = wishes.accelerator == "cpu"
    sources = _sources(findings, directory_name, wants_cpu, answers.get("sources"))
    project, problems = _project_of(sources, read)
    heard = witnesses(findings, sources)
    has_torch = any(one.has_torch for one in findings) or _has_torch(project, heard, catalog, imports)
    told = Told(
        project=project, witnesses=heard, catalog=catalog, wants_torch=has_torch, runs=runs_on(host, catalog) if host else None
    )
    torch = pick_torch(told) if has_torch else Pick(value="none", because=_why_no_torch(project))
    torch = _answered(torch, answers.get("torch"))
    python = _answered(pick_python(told, torch if has_torch else None), answers.get("python"))
    questions = tuple(_questions(torch, python, sources, answers))
    is_written_out = bool(problems) or wishes.relax != "none"
    documents = [one for one in findings if one.kind == "document" and any(one.path == witness.path for witness in heard)]
    added = [
        *from_documents(project, documents, names, catalog, imports),
        *compilers(project, documents, heard, names, read, catalog),
        *apt_of(findings),
    ]
    if is_written_out:
        added = [*written_out(project, wishes.relax, torch, has_torch), *added]
        torch, python = written_keys(project, torch, python, wishes.relax)
    elif has_torch and torch is not None:
        torch, line = with_build(torch, told)
        added = [*line, *added]
    added, refused = _writable(added)
    left = [
        *refused,
        *(f"{error.where}: {error.message}" for error in problems),
        *(f"{note.where}: {note.value}" for note in project.notes),
        *left_by_plan(project, catalog, has_torch=has_torch),
        *(f"{finding.path}: {why}" for finding, why in sources.left),
    ]
    return Proposal(
        name=workspace_name(directory_name),
        sources=replace(sources, environment=None, requirements=()) if is_written_out else sources,
        project=project,
        python=python,
        torch=torch,
        accelerator=_accelerator(wishes, told),
        added=tuple(added),
        channels=_own_channels(project, catalog) if is_written_out else (),
        left_out=tuple(dict.fromkeys(left)),
        questions=questions,
        is_written_out=is_written_out,
    )


def workspace_name(directory_name: str) -> str:
    """A folder's name as a workspace may be called."""
    name = re.sub(r"[^a-z0-9]+", "-", directory_name.lower()).strip("-")[:60].strip("-")
    return f"{name}-workspace" if name in ("base", "root", "scratch", "wsb") else name or "workspace"


def _sources(findings: Sequence[Finding], name: str, wants_cpu: bool, answer: str | None) -> Sources:
    if answer:
        chosen = [finding for finding in findings if finding.path == answer]
        others = [finding for finding in findings if finding.path != answer]
        if chosen:
            kept = choose_sources(chosen, name, wants_cpu=wants_cpu)
            return replace(kept, left=tuple((one, f"{answer} was chosen") for one in others if one.kind != "document"))
    return choose_sources(findings, name, wants_cpu=wants_cpu)


def _writable(added: Sequence[Added]) -> tuple[list[Added], list[str]]:
    """The lines that wsb.yaml takes, and what is said of the others: names of other people hold anything."""
    parsers = {"pip": parse_pip, "conda": parse_conda, "apt": parse_apt}
    kept: list[Added] = []
    refused: list[str] = []
    for one in dict.fromkeys(added):
        try:
            parsers[one.section](one.line)
        except RefusedError as error:
            refused.append(f"{one.because}: {error}")
        else:
            kept.append(one)
    return kept, refused


def _own_channels(project: Project, catalog: Catalog) -> tuple[str, ...]:
    """The channels to name in wsb.yaml: without torch's, which come as wheels, and Anaconda's, whose terms bind."""
    named = (one.value for one in project.channels)
    return tuple(one for one in named if not (catalog.is_default_channel(one) or catalog.is_torch_channel(one)))


def _project_of(sources: Sources, read: Read) -> tuple[Project, tuple[WsbError, ...]]:
    environment = sources.environment.path if sources.environment else None
    return read_readable(read, spec_of(environment, (one.path for one in sources.requirements)))


# --- torch or not --------------------------------------------------------------------------------------------------


def _has_torch(project: Project, heard: Sequence[Witness], catalog: Catalog, imports: Imports | None) -> bool:
    """Whether the workspace is to have torch: only another framework that brings its own CUDA speaks against it."""
    if project.torch is not None or project.torchvision is not None or any(one.torch for one in heard):
        return True
    names = {name_of(one) for one in (*project.pip, *project.conda)}
    if any(catalog.conda_brings_torch(name) or catalog.package(name) is not None for name in names):
        return True
    if imports is not None and imports.needed:
        if any(one.top in ("torch", "torchvision", "torchaudio") for one in imports.needed):
            return True
        return not names & (_INSTEAD | {"tensorflow", "tensorflow-gpu", "keras"})
    return not names & _INSTEAD


def _why_no_torch(project: Project) -> str:
    instead = sorted(
        {name_of(one) for one in (*project.pip, *project.conda)} & (_INSTEAD | {"tensorflow", "tensorflow-gpu", "keras"})
    )
    return f"nothing names torch; {', '.join(instead)} stands in its place"


def _accelerator(wishes: Wishes, told: Told) -> Pick | None:
    if wishes.accelerator is not None:
        return Pick(value=wishes.accelerator, because="asked for")
    own = told.project.torch_variant
    if own is not None and own.value == CPU:
        return Pick(value="cpu", because=f"{own.where} asks for the build for the processor")
    return None


# --- questions -----------------------------------------------------------------------------------------------------


def _answered(pick: Pick | None, answer: str | None) -> Pick | None:
    if answer is None or pick is None or answer == pick.value:
        return pick
    return Pick(value=answer, because="chosen when asked", over=((pick.value, pick.because),))


def _questions(torch: Pick | None, python: Pick | None, sources: Sources, answers: Mapping[str, str]) -> list[Question]:
    found = []
    rival = _rival(sources)
    if rival is not None and "sources" not in answers:
        best = sources.findings[0]
        options = tuple((one.path, _speaks_of(one)) for one in (best, rival))
        found.append(
            Question(field="sources", text="two files say what the project needs, and differ on torch", options=options)
        )
    for field, pick in (("torch", torch), ("python", python)):
        if pick is not None and pick.over and field not in answers and pick.value != "none":
            options = ((pick.value, pick.because), *pick.over)
            found.append(Question(field=field, text=f"the project's files differ on {field}", options=options))
    return found


def _rival(sources: Sources) -> Finding | None:
    """A file as near as the chosen one that names another torch."""
    if not sources.findings:
        return None
    best = sources.findings[0]
    for finding, _ in sources.left:
        is_near = posixpath.dirname(finding.path) == posixpath.dirname(best.path)
        if is_near and not finding.is_aside and not finding.is_for_another_system and not finding.is_for_cpu:
            one, other = best.project.torch, finding.project.torch
            if one is not None and other is not None and one.value.specifiers != other.value.specifiers:
                return finding
    return None


def _speaks_of(finding: Finding) -> str:
    project = finding.project
    torch = f"torch {project.torch.value}" if project.torch else "no torch"
    return f"{torch}, {len(project.pip) + len(project.conda)} packages"
