"""Packages tied to one torch, one CUDA or a compiler: where their wheels lie, which release goes, what must be compiled."""

from __future__ import annotations

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from builder.catalog.packages import has_own_wheel, pinned_release, wheel_page
from builder.catalog.rows import Row
from builder.model.frozen import frozen
from builder.model.values import ComputeCapability, CudaVersion
from builder.resolve.choice import Choice
from builder.resolve.given import Given
from builder.resolve.lines import PipLine
from builder.resolve.notes import Notes
from builder.resolve.target import Target, short


@frozen
class Advice:
    """What one package asks of the plan. pip: its line, "" when it stays as written. compiles: why, when it must be."""

    pip: str = ""
    constraint: str = ""
    find_links: str = ""
    needs_torch_index: bool = False
    no_build_isolation: bool = False
    compiles: str = ""


def advise(given: Given, line: PipLine, row: Row, choice: Choice, target: Target, python: str, notes: Notes) -> Advice:
    """What this package needs beside this torch; warnings where it cannot work."""
    release, variant = choice.release, choice.build.variant
    _check(line, row, choice, target, python, notes)
    if line.url is None and "trap" in row:
        also = f"; {row['git']} is taken" if "git" in row else ""
        notes.warn("wrong-package", f"{row['package']}: {row['trap']}{also}")
    from_git = line.url is not None or ("git" in row and wheel_page(row, release, variant) is None)
    page = None if from_git else wheel_page(row, release, variant)
    isolated = not row.get("no_build_isolation", False)
    leans = page is not None or not (row.get("compiles") or "wheels" in row)
    if "unverified" in row and (leans or row.get("compiles") == "run"):
        notes.warn("unverified", f"{row['package']}: not verified: {row['unverified']}")
    if page is not None:
        notes.decide(f"packages.{row['package']}", page, f"{row['because']}; this page has those for {choice.build.local}")
        return Advice(find_links=page)
    if row.get("pins"):
        return _made_for(row, line, choice, notes)
    if not from_git and has_own_wheel(row, release, variant, python, given.wheels) and not _is_before_known(line, row):
        reason = f"a wheel for torch {release.minor}, {variant} and Python {python} exists, so nothing is compiled"
        notes.decide(f"packages.{row['package']}", line.text, reason)
        return Advice(no_build_isolation=not isolated)
    if not row.get("compiles"):
        if "wheels" in row:
            notes.warn("no-wheel", f"no wheel of {row['package']} is known for torch {release.version}+{variant}")
        return Advice()
    pip = f"{row['package']} @ {row['git']}" if from_git and line.url is None else ""
    return Advice(pip=pip, no_build_isolation=not isolated, compiles=str(row["because"]))


def _least_gpu(line: PipLine, row: Row, choice: Choice) -> str | None:
    """The compute capability that the release in use asks for, where older releases asked for less."""
    version = pinned_release(row, choice.release)
    if line.request is not None:
        admitted = [one for one in row.get("pins", {}) if line.request.admits(Version(one))]
        version = max(admitted, key=Version, default=None)
    if version is None:
        return None
    asks = [least for since, least in row.get("gpu_min_since", {}).items() if Version(since) <= Version(version)]
    return max(asks, key=Version, default=None)


def _is_before_known(line: PipLine, row: Row) -> bool:
    """Whether a line asks for a release older than those whose wheels are known: then it must be able to compile."""
    since = row.get("wheels_since")
    return since is not None and line.request is not None and not line.request.admits(Version(since))


def _made_for(row: Row, line: PipLine, choice: Choice, notes: Notes) -> Advice:
    """A package whose releases are each made for one torch."""
    needs_index = bool(row.get("torch_index")) and not choice.build.is_default
    if line.asks:
        return Advice(needs_torch_index=needs_index)
    version = pinned_release(row, choice.release)
    if version is None:
        notes.warn("no-release", f"no release of {row['package']} is known for torch {choice.release.version}")
        return Advice(needs_torch_index=needs_index)
    because = f"{row['because']}; {version} is the newest for torch {choice.release.version}"
    notes.decide(f"packages.{row['package']}", version, because)
    return Advice(constraint=f"{row['package']}=={version}", needs_torch_index=needs_index)


def _check(line: PipLine, row: Row, choice: Choice, target: Target, python: str, notes: Notes) -> None:
    """Limits of the package itself that this plan breaks."""
    name = row["package"]
    if "torch" in row and not line.asks and not SpecifierSet(row["torch"]).contains(choice.release.version):
        notes.warn("package-limit", f"{name} needs torch {row['torch']}; the plan has {choice.release.version}")
    if "python" in row and not line.asks and not SpecifierSet(row["python"]).contains(python):
        notes.warn("package-limit", f"{name} needs Python {row['python']}; the plan has {python}")
    cuda = choice.build.variant.cuda
    if cuda is not None and "cuda_min" in row and cuda < CudaVersion.parse(row["cuda_min"]):
        notes.warn("package-limit", f"{name} needs CUDA {row['cuda_min']} or newer; the plan has {cuda}")
    least = row.get("gpu_min") or _least_gpu(line, row, choice)
    for gpu in target.gpus:
        if least and gpu.compute_capability and gpu.compute_capability < ComputeCapability.parse(least):
            notes.warn(
                "package-limit",
                f"{name} needs a GPU of compute capability {least} or newer; the {short(gpu.name)} has "
                f"{gpu.compute_capability}",
            )
