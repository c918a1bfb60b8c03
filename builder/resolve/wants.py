"""What is asked for, read together from wsb.yaml and the project's own files. wsb.yaml wins where both speak."""

from __future__ import annotations

from typing import Any

from builder.model.frozen import frozen
from builder.model.values import CPU, Located, Manager, Variant, VersionRequest
from builder.resolve.given import Given
from builder.resolve.lines import PipLine, conda_line, located_lines
from builder.resolve.notes import Notes, rejected

FAMILY = ("torch", "torchvision", "torchaudio")


@frozen
class Wants:
    """Requests, each with the place it was written.

    torch: None when any will do. has_torch: False for `torch: none`.
    named: a build that must be taken, from wsb.yaml. declared: a build the project's files prefer.
    companions: which of torchvision and torchaudio the project uses.
    pip, conda: lines beside torch, wsb.yaml's replacing the project's of the same name.
    """

    has_torch: bool
    torch: Located[VersionRequest] | None
    torchvision: Located[VersionRequest] | None
    torchaudio: Located[VersionRequest] | None
    companions: tuple[str, ...]
    named: Located[Variant] | None
    declared: Located[Variant] | None
    python: Located[VersionRequest] | None
    pip: tuple[tuple[PipLine, Located[str]], ...]
    conda: tuple[Located[str], ...]

    def companion(self, package: str) -> Located[VersionRequest] | None:
        return self.torchvision if package == "torchvision" else self.torchaudio


def read_wants(given: Given, notes: Notes) -> Wants:
    """Everything asked for, merged."""
    spec, project = given.spec, given.project
    for note in project.notes:
        notes.warn("read-otherwise", f"{note.where}: {note.value}")
    lines = _merged_pip(given)
    family = {line.name: (line, written) for line, written in lines if line.name in (*FAMILY, "pytorch")}
    conda_family = {line.name for line in (conda_line(one.value) for one in spec.packages.conda)} & {*FAMILY, "pytorch"}
    wants_none = spec.torch is not None and spec.torch.value.version is None
    torch = _torch_request(given, family, notes)
    requests = {package: _family_request(package, given, family) for package in FAMILY[1:]}
    used = tuple(name for name in FAMILY[1:] if requests[name] or name in family or name in conda_family)
    return Wants(
        has_torch=not wants_none,
        torch=torch,
        torchvision=requests["torchvision"],
        torchaudio=requests["torchaudio"],
        companions=() if wants_none else used,
        named=_named(given),
        declared=_declared(given, family),
        python=spec.python or project.python,
        pip=tuple((line, written) for line, written in lines if line.name not in (*FAMILY, "pytorch")),
        conda=_merged_conda(given),
    )


def _merged_pip(given: Given) -> list[tuple[PipLine, Located[str]]]:
    """Lines of wsb.yaml, then those of the project that wsb.yaml does not name."""
    own = located_lines(given.spec.packages.pip)
    names = {line.name for line, _ in own if line.name}
    others = [pair for pair in located_lines(given.project.pip) if pair[0].name not in names]
    return [*own, *others]


def _merged_conda(given: Given) -> tuple[Located[str], ...]:
    own = given.spec.packages.conda
    names = {conda_line(one.value).name for one in own}
    others = tuple(one for one in given.project.conda if conda_line(one.value).name not in names)
    kept = (one for one in (*own, *others) if conda_line(one.value).name not in (*FAMILY, "pytorch", "python", "pip"))
    return tuple(kept)


def _torch_request(
    given: Given, family: dict[str, tuple[PipLine, Located[str]]], notes: Notes
) -> Located[VersionRequest] | None:
    """wsb.yaml's own key, else what it lists among packages, else the project's files."""
    spec, project = given.spec, given.project
    if spec.torch is not None:
        if spec.torch.value.version is None:
            return None
        _say_overridden(given, notes)
        return Located(spec.torch.value.version, spec.torch.where)
    for name in ("torch", "pytorch"):
        if name in family and (request := family[name][0].request):
            return Located(request, family[name][1].where)
    for one in spec.packages.conda:
        line = conda_line(one.value)
        if line.name in ("torch", "pytorch") and (request := line.request):
            return Located(request, one.where)
    return project.torch


def _say_overridden(given: Given, notes: Notes) -> None:
    own, other = given.spec.torch, given.project.torch
    if own is None or own.value.version is None or other is None or own.value.version == other.value:
        return
    reason = f"{other.where} asks for torch {other.value}; what wsb.yaml says counts"
    notes.decide("torch", own.value.version, f"wsb.yaml asks for it ({own.where})", [rejected(other.value, reason)])


def _family_request(
    package: str, given: Given, family: dict[str, tuple[PipLine, Located[str]]]
) -> Located[VersionRequest] | None:
    written = given.project.torchvision if package == "torchvision" else given.project.torchaudio
    if package in family:
        line, where = family[package]
        return Located(line.request or VersionRequest.parse(""), where.where)
    for one in given.spec.packages.conda:
        line = conda_line(one.value)
        if line.name == package:
            return Located(line.request or VersionRequest.parse(""), one.where)
    return written


def _named(given: Given) -> Located[Variant] | None:
    """A build that wsb.yaml names: `torch: "2.6.0+cu126"`, or `accelerator: "12.6"`."""
    accelerator, torch = given.spec.accelerator, given.spec.torch
    if accelerator is not None and accelerator.value.variant is not None:
        return Located(accelerator.value.variant, accelerator.where)
    if torch is not None:
        if torch.value.variant is not None:
            return Located(torch.value.variant, torch.where)
        if torch.value.version is not None and torch.value.version.local:
            return _variant(torch.value.version.local, torch)
    return None


def _declared(given: Given, family: dict[str, tuple[PipLine, Located[str]]]) -> Located[Variant] | None:
    """The build that the project's own lines prefer: +cu117, …/whl/cu118, pytorch-cuda=11.8, cudatoolkit=11.3."""
    for line, written in family.values():
        request = line.request
        if request is not None and request.local and (found := _variant(request.local, written)):
            return found
    if given.project.torch_variant is not None:
        return given.project.torch_variant
    if given.project.cuda is not None:
        return Located(Variant.for_cuda(given.project.cuda.value), given.project.cuda.where)
    if given.project.torch is not None and given.project.torch.value.local:
        return _variant(given.project.torch.value.local, given.project.torch)
    return None


def _variant(text: str, written: Located[Any]) -> Located[Variant] | None:
    try:
        return Located(Variant.parse(text), written.where)
    except ValueError:
        return None


def wants_cpu(given: Given, wants: Wants) -> bool:
    """Whether wsb.yaml says CPU in one way or another."""
    accelerator = given.spec.accelerator
    return (accelerator is not None and accelerator.value.kind == "cpu") or (
        wants.named is not None and wants.named.value == CPU
    )


def manager_of(given: Given) -> Manager:
    return given.spec.manager.value if given.spec.manager else Manager.MINICONDA
