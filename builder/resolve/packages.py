"""Everything to install beside torch: lines of wsb.yaml and of the project, put where they are installed from."""

from __future__ import annotations

from dataclasses import dataclass, field

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from builder.catalog.packages import normal
from builder.errors import Problems, WsbError
from builder.model.plan import PackagesPlan
from builder.model.values import CPU, Located, Manager
from builder.resolve.choice import Choice
from builder.resolve.ecosystem import advise
from builder.resolve.given import Given, listed
from builder.resolve.lines import PipLine, as_pip, conda_line, pip_line
from builder.resolve.notes import Notes, rejected
from builder.resolve.pins import check_pins, without_build
from builder.resolve.target import Target
from builder.resolve.wants import FAMILY, Wants


@dataclass(slots=True, eq=False, repr=False)
class Basket:
    """What has been gathered so far. compiles: packages that need nvcc, or gcc without a GPU."""

    conda: list[str] = field(default_factory=list)
    pip: list[str] = field(default_factory=list)
    apt: list[str] = field(default_factory=list)
    constraints: list[str] = field(default_factory=list)
    no_build_isolation: list[str] = field(default_factory=list)
    compiles: list[str] = field(default_factory=list)
    find_links: list[str] = field(default_factory=list)
    managed: list[str] = field(default_factory=list)
    needs_torch_index: bool = False
    needs_exact_cuda: bool = False

    def plan(self) -> PackagesPlan:
        return PackagesPlan(
            conda=_sorted(self.conda),
            pip=_sorted(self.pip),
            apt=_sorted(self.apt),
            constraints=_sorted(self.constraints),
            no_build_isolation=_sorted(self.no_build_isolation),
        )


def gather(
    given: Given, wants: Wants, manager: Manager, choice: Choice | None, target: Target, python: str, notes: Notes
) -> Basket:
    """All packages. Raises Problems for conda packages that exist nowhere else, when nothing but pip is there."""
    basket = Basket()
    basket.apt.extend(one.value for one in given.spec.packages.apt)
    lines = [line for line, _ in wants.pip] + _conda(given, wants, manager, basket, notes)
    for line in lines:
        _add_pip(given, line, choice, target, python, basket, notes)
    if basket.managed and choice is not None:
        left = listed(basket.managed)
        notes.warn("managed-by-torch", f"left out, since torch {choice.release.version} brings the right ones: {left}")
    _add_written_constraints(given, basket)
    if choice is not None:
        _add_constraints(given, wants, choice, python, basket, notes)
    check_pins(given, wants, python, notes)
    if any("git+" in line for line in basket.pip):
        basket.apt.append("git")
    if basket.compiles and (choice is None or choice.build.variant == CPU):
        basket.apt.append("build-essential")
    return basket


def _conda(given: Given, wants: Wants, manager: Manager, basket: Basket, notes: Notes) -> list[PipLine]:
    """Conda packages into the basket; those that must come from pip are handed back as pip lines."""
    pip: list[PipLine] = []
    unmapped: list[Located[str]] = []
    stripped: list[str] = []
    asked_of_pip = {line.name for line, _ in wants.pip} - {""}
    for one in wants.conda:
        line = conda_line(one.value)
        if _pip_name(given, line.name) in asked_of_pip:
            notes.warn("asked-twice", f"{one.value.strip()} ({one.where}) is left to pip, which is asked for it too")
            continue
        if wants.has_torch and given.catalog.conda_is_compiler(line.name):
            # nvcc comes with the base, of the CUDA that torch was built with
            if not any("own code" in known for known in basket.compiles):
                basket.compiles.append(f"the project's own code ({line.name} at {one.where})")
            continue
        if wants.has_torch and given.catalog.conda_is_cuda_library(line.name):
            basket.managed.append(line.text)
            continue
        if manager.is_conda and not (wants.has_torch and given.catalog.conda_brings_torch(line.name)):
            basket.conda.append(_held(given, one.value.strip(), stripped))
            continue
        row = given.catalog.conda_name(line.name)
        if manager.is_conda:
            name = row["pip"] if row is not None and "pip" in row else line.name
            notes.warn("conda-torch", f"{line.name} is taken from pip: the conda package would bring a torch of its own")
            pip.append(pip_line(name if "+" in name else as_pip(name, line.asks)))
        elif row is None:
            pip.append(pip_line(as_pip(line.name, line.asks)))
        elif "pip" in row:
            pip.append(pip_line(row["pip"] if "+" in row["pip"] else as_pip(row["pip"], line.asks)))
        elif "apt" in row:
            basket.apt.extend(row["apt"].split())
        elif row.get("conda_only") or line.name.startswith("r-"):
            unmapped.append(one)
    if stripped:
        notes.warn(
            "build-strings-left-out",
            f"{len(stripped)} build strings are left out, such as that of {stripped[0]}: they name builds of Anaconda's own "
            "channel, and conda-forge, which is taken instead, builds the same versions under other names",
        )
    unmapped += [one for one in wants.conda if not manager.is_conda and conda_line(one.value).name.startswith("r-")]
    if unmapped:
        raise Problems(
            [
                WsbError(
                    "bad-value",
                    f"{conda_line(one.value).name} exists as a conda package only, and this environment is made with pip",
                    one.where,
                    hints=("set `manager: miniconda` (or miniforge), or leave it out",),
                )
                for one in dict.fromkeys(unmapped)
            ]
        )
    known = {line.name for line, _ in wants.pip}
    return [line for line in pip if not line.name or line.name not in known]


def _pip_name(given: Given, conda_name: str) -> str:
    """What pip calls a conda package."""
    row = given.catalog.conda_name(conda_name)
    return pip_line(row["pip"] if row is not None and "pip" in row else conda_name).name


def _held(given: Given, spec: str, stripped: list[str]) -> str:
    """A conda spec as conda is asked for it: the builds of Anaconda's channel exist nowhere else."""
    own = [one.value.strip() for one in given.project.channels]
    from_defaults = not own or any(given.catalog.is_default_channel(channel) for channel in own)
    if given.accept_anaconda_terms or given.spec.channels or not from_defaults or "::" in spec:
        return spec
    bare = without_build(spec)
    if bare != spec:
        stripped.append(spec)
    return bare


def _add_pip(
    given: Given, line: PipLine, choice: Choice | None, target: Target, python: str, basket: Basket, notes: Notes
) -> None:
    """One line, after what torch and the tables say about it."""
    if choice is not None and line.url is None and given.catalog.is_managed_by_torch(line.name):
        basket.managed.append(line.text)
        return
    needs = given.catalog.apt_needs(line.name)
    if needs is not None and (line.url is not None or not needs.get("only_source")):
        notes.decide("packages.apt", listed(needs["apt"]), needs["because"])
        basket.apt.extend(needs["apt"])
    row = given.catalog.package(line.name) if line.name else None
    if row is None and line.name and line.url is None:
        _warn_of_namesakes(given, line, notes)
    if row is None or choice is None:
        basket.pip.append(line.text)
        return
    advice = advise(given, line, row, choice, target, python, notes)
    basket.pip.append(advice.pip or line.text)
    if advice.constraint:
        basket.constraints.append(advice.constraint)
    if advice.find_links:
        basket.find_links.append(advice.find_links)
    if advice.no_build_isolation:
        basket.no_build_isolation.append(line.name)
    if advice.compiles:
        basket.compiles.append(row["package"])
        basket.needs_exact_cuda = basket.needs_exact_cuda or bool(row.get("exact_cuda"))
    basket.needs_torch_index = basket.needs_torch_index or advice.needs_torch_index


def _warn_of_namesakes(given: Given, line: PipLine, notes: Notes) -> None:
    """A requirement called as one imports it, where PyPI has something else by that name."""
    trap, row = given.catalog.import_trap(line.name), given.catalog.import_name(line.name)
    if trap is not None and row is not None and normal(row["distribution"]) != line.name:
        other = f"what is imported as {line.name} is {row['distribution']}"
        notes.warn("wrong-package", f"{line.name} on PyPI is something else ({trap['is']}); {other}")


def _add_constraints(given: Given, wants: Wants, choice: Choice, python: str, basket: Basket, notes: Notes) -> None:
    """What this torch needs of other packages without asking for it, such as numpy<2."""
    for row in given.catalog.constraints:
        if row.get("only") == "conda" and not _has_conda_torch(given):
            continue
        if "torch" in row and not SpecifierSet(row["torch"]).contains(choice.release.version):
            continue
        if "python" in row and not SpecifierSet(row["python"]).contains(python):
            continue
        vision = choice.companion("torchvision")
        if "torchvision" in row and (
            "torchvision" not in wants.companions or not vision or not SpecifierSet(row["torchvision"]).contains(vision)
        ):
            continue
        constraint = row["constraint"]
        name = pip_line(constraint).name
        pinned = next((line for line, _ in wants.pip if line.name == name and line.request), None)
        reason = f"{row['because']} (the plan has torch {choice.release.version})"
        if pinned is not None and _contradicts(pinned, constraint):
            notes.warn("pins-disagree", f"{pinned.text} is asked for, but {reason}: it will not work together")
            continue
        notes.decide(f"packages.{name}", constraint, reason)
        basket.constraints.append(constraint)


def _add_written_constraints(given: Given, basket: Basket) -> None:
    """Lines of the project's own -c files, without those on torch's family, which the plan itself pins."""
    for one in given.project.constraints:
        line = pip_line(one.value)
        if line.name not in (*FAMILY, "pytorch") and not given.catalog.is_managed_by_torch(line.name):
            basket.constraints.append(line.text)


def _has_conda_torch(given: Given) -> bool:
    channels = [one.value for one in given.project.channels]
    return given.project.cuda is not None or any(given.catalog.is_torch_channel(channel) for channel in channels)


def _contradicts(line: PipLine, constraint: str) -> bool:
    """Whether a pinned line names a version that a constraint forbids."""
    request = line.request
    if request is None:
        return False
    allowed = SpecifierSet(constraint[len(line.name) :])
    pins = [s.version.removesuffix(".*") for s in request.specifiers if s.operator in ("==", "===", "~=", ">=")]
    return any(not allowed.contains(Version(pin)) for pin in pins)


def choose_channels(given: Given, manager: Manager, notes: Notes) -> tuple[str, ...]:
    """Conda's channels: those of wsb.yaml, else of the environment file without torch's, else conda-forge.

    Raises WsbError terms-not-accepted when wsb.yaml names a channel of Anaconda's without accepting its terms.
    """
    if not manager.is_conda:
        return ()
    asked = given.spec.channels or given.project.channels
    taken: list[str] = []
    left_out = []
    for one in asked:
        channel = one.value.strip()
        if given.catalog.is_default_channel(channel) and not given.accept_anaconda_terms:
            if given.spec.channels:
                raise _terms(one)
            left_out.append(rejected(channel, "Anaconda's terms were not accepted; conda-forge has the same packages"))
            notes.warn(
                "defaults-left-out",
                f"{one.where} lists the channel {channel}, whose terms of service were not accepted; conda-forge is taken "
                "instead (--accept-anaconda-terms takes it)",
            )
        elif given.catalog.is_torch_channel(channel) and not given.spec.channels:
            left_out.append(rejected(channel, "torch and CUDA come as wheels here"))
        elif channel != "nodefaults" and channel not in taken:
            taken.append(channel)
    if not taken or (left_out and "conda-forge" not in taken):
        taken.append("conda-forge")
    because = "the community's channel, free for everyone" if taken == ["conda-forge"] else "as the project lists them"
    notes.decide("channels", ", ".join(taken), because, left_out)
    return tuple(taken)


def _terms(one: Located[str]) -> WsbError:
    return WsbError(
        "terms-not-accepted",
        f"the channel {one.value} belongs to Anaconda, whose terms of service must be accepted by you",
        one.where,
        hints=(
            "take `channels: [conda-forge]`, which has the same packages",
            "or read https://www.anaconda.com/legal and pass --accept-anaconda-terms",
        ),
    )


def _sorted(lines: list[str]) -> tuple[str, ...]:
    return tuple(sorted(dict.fromkeys(lines), key=lambda line: (line.lower(), line)))
