"""A folder → what `wsb init` proposes: the files to plan from, Python and torch with their reasons, what else is needed.

In: names, a way to read them, the tables. Out: a Proposal, nothing written. Where two files say different things the rule
of choosing.py and evidence.py settles it, and the other answer stands beside it for whoever wants to be asked.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from builder.catalog import Catalog
from builder.catalog.packages import normal
from builder.errors import WsbError
from builder.model.project import Project
from builder.model.values import CPU, Located, Variant, VersionRequest
from builder.scan.choosing import Sources, choose_sources
from builder.scan.compiled import needs_c_compiler, needs_nvcc, wanted_scripts
from builder.scan.deciding import Pick, Told, declared_variant, newer_build, pick_python, pick_torch, runs_on_no_recent_card
from builder.scan.elsewhere import other_system_of
from builder.scan.evidence import Witness, witnesses
from builder.scan.imports import Imports
from builder.scan.project import Read, read_readable
from builder.scan.relaxing import Relax, relaxed_conda, relaxed_pip, relaxed_version
from builder.scan.survey import Finding, spec_of, survey

MAX_SCRIPT_BYTES = 256 << 10
# Other frameworks that bring CUDA themselves: a project that names one of them and no torch needs none.
_INSTEAD = frozenset(
    {"onnxruntime-gpu", "jax", "jaxlib", "paddlepaddle-gpu", "paddlepaddle", "mxnet", "mindspore", "cupy-cuda12x"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """One line of packages.pip, packages.conda or packages.apt, and why."""

    section: str
    line: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something two files answer differently. options: value and who says so; the first is what the rule takes."""

    field: str
    text: str
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """python, torch: None where the files that are named say it themselves. left_out: with the place and the reason.

    is_written_out: the packages stand in wsb.yaml itself, since pins may move or a file has lines that cannot be read.
    """

    name: str
    sources: Sources
    project: Project
    python: Pick | None = None
    torch: Pick | None = None
    accelerator: Pick | None = None
    added: tuple[Added, ...] = ()
    channels: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()
    is_written_out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the user of `wsb init` says. answers: field of a Question → the chosen value."""

    relax: Relax = "none"
    accelerator: str | None = None
    answers: Mapping[str, str] | None = None


def propose(
    directory_name: str, names: Sequence[str], read: Read, catalog: Catalog, wishes: Wishes, imports: Imports | None = None
) -> Proposal:
    """The proposal for one folder. imports: what its code imports, where it has code."""
    answers = wishes.answers or {}
    findings = survey(names, read)
    wants_cpu = wishes.accelerator == "cpu"
    sources = _sources(findings, directory_name, wants_cpu, answers.get("sources"))
    project, problems = _project_of(sources, read)
    heard = witnesses(findings, sources)
    has_torch = any(one.has_torch for one in findings) or _has_torch(project, heard, catalog, imports)
    told = Told(project=project, witnesses=heard, catalog=catalog, wants_torch=has_torch)
    torch = pick_torch(told) if has_torch else Pick(value="none", because=_why_no_torch(project))
    torch = _answered(torch, answers.get("torch"))
    python = _answered(pick_python(told, torch if has_torch else None), answers.get("python"))
    is_written_out = bool(problems) or wishes.relax != "none"
    added = [*_compilers(project, heard, names, read, catalog), *_apt(findings)]
    if is_written_out:
        added = [*_written_out(project, wishes.relax, torch, has_torch), *added]
        torch, python = _written_keys(project, torch, python, wishes.relax)
    elif has_torch and torch is not None:
        torch, line = _with_build(torch, told)
        added = [*line, *added]
    left = [
        *(f"{error.where}: {error.message}" for error in problems),
        *(f"{note.where}: {note.value}" for note in project.notes),
        *(f"{finding.path}: {why}" for finding, why in sources.left),
    ]
    return Proposal(
        name=workspace_name(directory_name),
        sources=replace(sources, environment=None, requirements=()) if is_written_out else sources,
        project=project,
        python=python,
        torch=torch,
        accelerator=_accelerator(wishes, told),
        added=tuple(dict.fromkeys(added)),
        channels=tuple(one.value for one in project.channels) if is_written_out else (),
        left_out=tuple(dict.fromkeys(left)),
        questions=tuple(_questions(torch, python, sources, answers)),
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


def _project_of(sources: Sources, read: Read) -> tuple[Project, tuple[WsbError, ...]]:
    environment = sources.environment.path if sources.environment else None
    return read_readable(read, spec_of(environment, (one.path for one in sources.requirements)))


# --- torch or not --------------------------------------------------------------------------------------------------


def _has_torch(project: Project, heard: Sequence[Witness], catalog: Catalog, imports: Imports | None) -> bool:
    """Whether the workspace is to have torch: only another framework that brings its own CUDA speaks against it."""
    if project.torch is not None or project.torchvision is not None or any(one.torch for one in heard):
        return True
    names = {_name(one) for one in (*project.pip, *project.conda)}
    if any(catalog.conda_brings_torch(name) or catalog.package(name) is not None for name in names):
        return True
    if imports is not None and imports.needed:
        if any(one.top in ("torch", "torchvision", "torchaudio") for one in imports.needed):
            return True
        return not names & (_INSTEAD | {"tensorflow", "tensorflow-gpu", "keras"})
    return not names & _INSTEAD


def _why_no_torch(project: Project) -> str:
    instead = sorted(
        {_name(one) for one in (*project.pip, *project.conda)} & (_INSTEAD | {"tensorflow", "tensorflow-gpu", "keras"})
    )
    return f"nothing names torch; {', '.join(instead)} stands in its place"


def _name(line: Located[str]) -> str:
    found = re.match(r"(?:[^\s:]+::)?([A-Za-z0-9_.-]+)", line.value)
    return normal(found[1]) if found else ""


# --- what is added -------------------------------------------------------------------------------------------------


def _with_build(torch: Pick, told: Told) -> tuple[Pick | None, list[Added]]:
    """The build that a witness names stands in a line of packages.pip: taken where it runs, another one elsewhere."""
    own = told.project.torch_variant is not None or told.project.cuda is not None
    release = next((one for one in told.catalog.releases if VersionRequest.parse(torch.value).admits(one.version)), None)
    if own or release is None:
        return torch, []
    declared = torch.variant or _declared_for(torch, told)
    because = f"{torch.because}; built for {declared}, where that runs"
    if declared is None and runs_on_no_recent_card(release):
        declared = newer_build(release)
        default = release.default["linux_x86_64"].cuda
        because = f"{torch.because}; the default build is for CUDA {default}, which no card since 2020 runs"
    if declared is None or declared not in release.builds.get("linux_x86_64", ()):
        return torch, []
    return None, [Added(section="pip", line=f"torch=={release.version}+{declared}", because=because)]


def _declared_for(torch: Pick, told: Told) -> Variant | None:
    declared = declared_variant(told)
    return declared.value if declared is not None and torch.value != "none" else None


def _compilers(project: Project, heard: Sequence[Witness], names: Sequence[str], read: Read, catalog: Catalog) -> list[Added]:
    scripts: dict[str, str] = {}
    for path in wanted_scripts(names):
        content = read(path)
        if content is not None and len(content) <= MAX_SCRIPT_BYTES:
            scripts[path] = content.decode("utf-8", "replace")
    nvcc = needs_nvcc(project, scripts, catalog)
    devel = next((one for one in heard if one.is_devel is not None), None)
    if nvcc is not None:
        return [Added(section="conda", line="cuda-nvcc", because=f"{nvcc.value} ({nvcc.where})")]
    if devel is not None:
        return [Added(section="conda", line="cuda-nvcc", because=f"{devel.is_devel} stands on an image with nvcc")]
    plain = needs_c_compiler(project, scripts)
    if plain is not None:
        return [Added(section="apt", line="build-essential", because=f"{plain.value} ({plain.where})")]
    return []


# Packages of a Dockerfile that an application needs when it runs; tools of the image's own making are not among them.
_WORTHWHILE = re.compile(
    r"ffmpeg|sox|libsndfile.*|libgl1.*|libglib2\.0-0|libsm6|libxext6|libxrender.*|espeak.*|git-lfs|libopenmpi.*|graphviz|libaio.*"
)


def _apt(findings: Sequence[Finding]) -> list[Added]:
    found = []
    for finding in findings:
        if finding.kind == "document" and finding.depth <= 1 and not finding.is_aside:
            for one in finding.apt:
                if _WORTHWHILE.fullmatch(one.value):
                    name = "libgl1" if one.value.startswith("libgl1") else one.value
                    found.append(Added(section="apt", line=name, because=f"{one.where} installs it"))
    return list({one.line: one for one in reversed(found)}.values())[::-1]


def _accelerator(wishes: Wishes, told: Told) -> Pick | None:
    if wishes.accelerator is not None:
        return Pick(value=wishes.accelerator, because="asked for")
    own = told.project.torch_variant
    if own is not None and own.value == CPU:
        return Pick(value="cpu", because=f"{own.where} asks for the build for the processor")
    return None


# --- written out ---------------------------------------------------------------------------------------------------


def _written_out(project: Project, relax: Relax, torch: Pick | None, has_torch: bool) -> list[Added]:
    """Every package as a line of wsb.yaml, loosened."""
    lines = []
    pip = {_name(one) for one in project.pip}
    for one in project.conda:
        if _name(one) not in pip and other_system_of(_name(one)) is None:
            lines.append(Added(section="conda", line=relaxed_conda(one.value, relax), because=str(one.where)))
    if has_torch:
        lines += _torch_lines(project, relax, torch)
    for one in project.pip:
        lines.append(Added(section="pip", line=relaxed_pip(one.value, relax), because=str(one.where)))
    return lines


def _torch_lines(project: Project, relax: Relax, torch: Pick | None) -> list[Added]:
    found = []
    variant = project.torch_variant.value if project.torch_variant else None
    if variant is None and project.cuda is not None:
        variant = Variant.for_cuda(project.cuda.value)
    own = project.torch
    if torch is None and own is not None and own.value.is_pinned and variant is not None and relax in ("none", "build"):
        version = next(iter(own.value.specifiers)).version.partition("+")[0]
        found.append(Added(section="pip", line=f"torch=={version}+{variant}", because=str(own.where)))
    for name, asked in (("torchvision", project.torchvision), ("torchaudio", project.torchaudio)):
        if asked is not None:
            # torchvision and torchaudio follow torch: a loosened torch would contradict their pins
            version = str(asked.value.specifiers) if relax in ("none", "build") and asked.value.local is None else ""
            found.append(Added(section="pip", line=f"{name}{version}", because=str(asked.where)))
    return found


def _written_keys(project: Project, torch: Pick | None, python: Pick | None, relax: Relax) -> tuple[Pick | None, Pick | None]:
    """torch and python as keys, from the files that are no longer named."""
    own = project.torch
    is_in_line = (
        own is not None and own.value.is_pinned and (project.torch_variant or project.cuda) and relax in ("none", "build")
    )
    if torch is None and own is not None and not is_in_line:
        torch = Pick(value=_relaxed(own.value, relax), because=f"{own.where} says {own.value}")
    elif torch is not None and torch.value != "none" and relax == "all":
        torch = Pick(value="latest", because="pins may move as far as they like")
    if python is None and project.python is not None:
        asked = project.python
        value = _relaxed(asked.value, "none")
        python = Pick(value=_minor(value) if relax != "none" else value, because=f"{asked.where} says {asked.value}")
    return torch, python


def _minor(version: str) -> str:
    found = re.fullmatch(r"(\d+\.\d+)(\.\d+)*", version)
    return found[1] if found else version


def _relaxed(request: VersionRequest, relax: Relax) -> str:
    """A request as a key of wsb.yaml takes it."""
    specifiers = list(request.specifiers)
    if len(specifiers) == 1 and specifiers[0].operator == "==":
        bare = specifiers[0].version.removesuffix(".*").partition("+")[0]
        return relaxed_version(bare, relax)
    return "latest" if relax == "all" or not specifiers else ",".join(str(one) for one in specifiers)


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
