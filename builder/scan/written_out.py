"""A project's packages as lines of wsb.yaml itself: where pins may move, or a file has lines that cannot be read."""

from __future__ import annotations

import re

from builder.model.project import Project
from builder.model.values import Variant, VersionRequest
from builder.scan.additions import name_of
from builder.scan.deciding import Pick
from builder.scan.elsewhere import other_system_of
from builder.scan.proposed import Added
from builder.scan.relaxing import Relax, relaxed_conda, relaxed_pip, relaxed_version


def written_out(project: Project, relax: Relax, torch: Pick | None, has_torch: bool) -> list[Added]:
    """Every package as a line of wsb.yaml, loosened."""
    lines = []
    pip = {name_of(one) for one in project.pip}
    for one in project.conda:
        if name_of(one) not in pip and other_system_of(name_of(one)) is None:
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


def written_keys(project: Project, torch: Pick | None, python: Pick | None, relax: Relax) -> tuple[Pick | None, Pick | None]:
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
    found = re.fullmatch(r"([0-9]+\.[0-9]+)(\.[0-9]+)*", version)
    return found[1] if found else version


def _relaxed(request: VersionRequest, relax: Relax) -> str:
    """A request as a key of wsb.yaml takes it."""
    specifiers = list(request.specifiers)
    if len(specifiers) == 1 and specifiers[0].operator == "==":
        bare = specifiers[0].version.removesuffix(".*").partition("+")[0]
        return relaxed_version(bare, relax)
    return "latest" if relax == "all" or not specifiers else ",".join(str(one) for one in specifiers)
