"""The torch to install: the search, and the fallbacks when its index is out of reach. The sentences are in `reasons`."""

from __future__ import annotations

from dataclasses import replace

from builder.errors import WsbError
from builder.model.frozen import frozen
from builder.model.plan import TorchPlan
from builder.resolve.choice import Choice, Search
from builder.resolve.declared import with_declared
from builder.resolve.given import Given
from builder.resolve.ground import Ground
from builder.resolve.notes import Notes, rejected
from builder.resolve.reasons import explain, warn
from builder.resolve.releases import candidates
from builder.resolve.target import Target
from builder.resolve.wants import Wants


@frozen
class Torch:
    """choice: None for `torch: none`. from_wheels: it is taken from the directory of local wheels."""

    choice: Choice | None
    plan: TorchPlan | None
    from_wheels: bool = False


def choose_torch(
    given: Given, wants: Wants, target: Target, ground: Ground, notes: Notes, *, with_compiler: bool = False
) -> Torch:
    """The build to install and why. Raises WsbError with the nearest thing that works when none does."""
    if not wants.has_torch:
        notes.decide("torch", "none", "wsb.yaml says `torch: none`")
        return Torch(choice=None, plan=None)
    search = Search(given=given, wants=wants, target=target, ground=ground, with_compiler=with_compiler)
    choice = _own_directory(search, notes) or _searched(search, notes)
    choice = _within_reach(search, choice, notes)
    explain(search, choice, notes)
    warn(search, choice, notes)
    return Torch(choice=choice, plan=_plan(search, choice), from_wheels=choice.wheel is not None)


def _searched(search: Search, notes: Notes) -> Choice:
    releases = candidates(search.given, search.wants, notes)
    found = with_declared(search, releases) or search.among(releases)
    if isinstance(found, Choice):
        return found
    from builder.resolve.refusals import refused  # a plan that comes out needs none of it

    raise refused(search, found)


def _own_directory(search: Search, notes: Notes) -> Choice | None:
    """A wheel of the directory that `sources: {torch: DIR}` names; None when it names none, or none fits."""
    source = search.given.spec.sources.torch
    if source is None or is_url(source.value) or search.given.reach is None:
        return None
    from builder.resolve.wheels import best_wheel  # few plans look at local wheels

    choice, why_not = best_wheel(search)
    if choice is None:
        notes.decide("sources.torch", "download.pytorch.org", f"no wheel in {source.value} fits: {why_not}")
        return None
    notes.decide("sources.torch", source.value, f"wsb.yaml names this directory ({source.where}) and {choice.wheel} fits")
    return choice


def _within_reach(search: Search, choice: Choice, notes: Notes) -> Choice:
    """The same, or what can be had when the torch index is out of reach and someone asked for fallbacks."""
    given = search.given
    reason = given.why_not("torch")
    if choice.wheel is not None or choice.build.is_default:
        return choice
    if reason is None:
        return choice
    wanted = f"{choice.build.local} from {choice.build.index_url or choice.build.find_links}"
    from builder.resolve.wheels import best_wheel

    wheel, no_wheel = best_wheel(search)
    if wheel is not None and wheel.wheel is not None:
        notes.fall_back("torch", wanted, wheel.wheel, reason)
        reachless = [rejected(choice.build.local, f"its index cannot be reached: {reason}")]
        notes.decide("torch.wheel", wheel.wheel, f"a local wheel that fits lies in {_wheel_dir(given)}", reachless)
        return wheel
    from_default = _from_default_index(search, notes)
    if from_default is not None:
        notes.fall_back("torch", wanted, f"{from_default.build.local} from the default index", reason)
        because = f"the default index serves it; {no_wheel}"
        reachless = [rejected(choice.build.local, f"its index cannot be reached: {reason}")]
        notes.decide("torch.variant", from_default.build.variant, because, reachless)
        return from_default
    raise WsbError(
        "source-unreachable",
        f"the index of torch {choice.build.local} cannot be reached: {reason}",
        search.wants.torch.where if search.wants.torch else given.spec.where,
        hints=(
            f"nothing else fits: {no_wheel}, and the default index has no build that does",
            "set `sources: {torch: …}` to a mirror of download.pytorch.org/whl, or to a directory with the wheel",
        ),
    )


def _from_default_index(search: Search, notes: Notes) -> Choice | None:
    """What PyPI itself serves. A CUDA build also computes on the processor, only larger."""
    if search.given.why_not("pip") is not None:
        return None
    anywhere = replace(search.target, kind="cuda", gpus=(), driver=None, named=None)
    target = anywhere if search.target.kind == "cpu" and search.target.named is None else search.target
    found = replace(search, target=target, only_default=True).among(candidates(search.given, search.wants, notes))
    if not isinstance(found, Choice):
        return None
    return found if target.named is None or found.build.variant == target.named.value else None


def is_url(source: str) -> bool:
    return "://" in source


def _wheel_dir(given: Given) -> str:
    return (given.reach.wheel_dir if given.reach else None) or "a local directory"


def _plan(search: Search, choice: Choice) -> TorchPlan:
    build, wants = choice.build, search.wants
    # on a Windows host a CUDA build is named, as one would have to without a container
    unnamed = build.is_default and (search.target.trusts_index or search.given.why_not("torch") is not None)
    index_url, find_links = (None, None) if unnamed else (build.index_url, build.find_links)
    if choice.wheel is not None:
        index_url = find_links = None
    return TorchPlan(
        version=str(build.version),
        variant=build.variant,
        index_url=index_url,
        find_links=find_links,
        wheel=choice.wheel,
        torchvision=choice.companion("torchvision"),
        torchaudio=choice.companion("torchaudio"),
        install_companions=tuple(name for name in wants.companions if choice.companion(name)),
    )
