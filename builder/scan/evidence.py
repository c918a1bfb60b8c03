"""What the other files of a project say where the chosen ones leave Python, torch or CUDA open, best witness first."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence

from builder.model.frozen import frozen
from builder.model.values import CudaVersion, Located, Location, Variant, VersionRequest
from builder.scan.choosing import Sources
from builder.scan.survey import Finding

_SIDE_FOLDERS = frozenset(
    {"", "docker", ".devcontainer", "binder", ".binder", "scripts", "install", "conda", "env", "envs", "requirements"}
)

_PYTORCH_IMAGE = re.compile(
    r"(?:^|/)pytorch/pytorch:(?P<torch>[0-9]+\.[0-9]+(?:\.[0-9]+)?)-cuda(?P<cuda>[0-9]+\.[0-9]+)-cudnn[0-9]+(?:\.[0-9]+)?-(?P<kind>\w+)"
)
_CUDA_IMAGE = re.compile(r"(?:^|/)(?:nvidia|cuda|nvcr\.io/nvidia)/?cuda:(?P<cuda>[0-9]+\.[0-9]+)")
_PYTHON_IMAGE = re.compile(r"(?:^|/)python:(?P<python>3\.[0-9]+)")
_NGC_IMAGE = re.compile(r"nvcr\.io/nvidia/pytorch:(?P<year>[0-9][0-9])\.(?P<month>[0-9][0-9])")


@frozen
class Witness:
    """One file's word. torch: a request that names one release or one series."""

    path: str
    torch: Located[VersionRequest] | None = None
    variant: Located[Variant] | None = None
    python: Located[VersionRequest] | None = None
    day: Located[str] | None = None
    is_devel: Location | None = None


def witnesses(findings: Sequence[Finding], sources: Sources) -> tuple[Witness, ...]:
    """Files beside the chosen ones, then documents, each in the order in which it is believed."""
    homes = {posixpath.dirname(finding.path) for finding in sources.findings} or {""}
    ordered = sorted(
        (one for one in findings if one not in sources.findings and _belongs(one, homes)),
        key=lambda one: (one.kind == "document", one.rank, one.depth, one.path),
    )
    return tuple(_witness(one) for one in ordered)


def _belongs(finding: Finding, homes: set[str]) -> bool:
    """Whether a file speaks of this project and not of one beside or below it."""
    if finding.is_for_another_system or (finding.is_aside and finding.depth > 0):
        return False
    folder = posixpath.dirname(finding.path)
    if finding.kind == "document":
        return folder in homes or folder.lower() in _SIDE_FOLDERS or any(home.startswith(f"{folder}/") for home in homes)
    return not finding.is_aside and (folder in homes or not folder) and not finding.is_for_cpu


def _witness(finding: Finding) -> Witness:
    project = finding.project
    torch = project.torch if project.torch is not None and is_settled(project.torch.value) else None
    variant = project.torch_variant
    if variant is None and project.cuda is not None:
        variant = Located(Variant.for_cuda(project.cuda.value), project.cuda.where)
    python = project.python
    day: Located[str] | None = None
    is_devel: Location | None = None
    for image in finding.images:
        if found := _PYTORCH_IMAGE.search(image.value):
            torch = torch or Located(VersionRequest.parse(found["torch"]), image.where)
            variant = variant or Located(Variant.for_cuda(CudaVersion.parse(found["cuda"])), image.where)
        elif found := _CUDA_IMAGE.search(image.value):
            variant = variant or Located(Variant.for_cuda(CudaVersion.parse(found["cuda"])), image.where)
        elif found := _PYTHON_IMAGE.search(image.value):
            python = python or Located(VersionRequest.parse(found["python"]), image.where)
        elif (found := _NGC_IMAGE.search(image.value)) and 1 <= int(found["month"]) <= 12:
            day = Located(f"20{found['year']}-{found['month']}-28", image.where)
        if re.search(r"[-:]devel\b", image.value):
            is_devel = image.where
    return Witness(path=finding.path, torch=torch, variant=variant, python=python, day=day, is_devel=is_devel)


def is_settled(request: VersionRequest) -> bool:
    """Whether a request names one release or one series, or is bounded from above: nothing is left to decide about."""
    return any(one.operator in ("==", "===", "~=", "<", "<=") for one in request.specifiers)


def first_torch(witnesses: Sequence[Witness]) -> Iterator[Witness]:
    """Those that name a torch."""
    return (one for one in witnesses if one.torch is not None)
