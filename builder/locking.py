"""Plan → Lock: what is to be installed is solved inside the stage it will be installed on, by the tools that will install it.

What the last lock has is kept where it still answers what is asked; only the rest is solved.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from builder.engine.base import BuildFailed, BuildRequest, ImageInfo, Note
from builder.engine.context import build_context
from builder.errors import WsbError
from builder.grounding import base_of, mirrored, repository_of
from builder.inventory import STATUS, of_status
from builder.lock.agree import asked_of
from builder.lock.text import read_requirements
from builder.making import Maker, wheel_folder
from builder.model.files import FileSet
from builder.model.frozen import frozen
from builder.model.lock import LockedBase, LockedConda, LockedDeb, LockedPart, LockedPlatform
from builder.model.plan import Plan
from builder.render import commands, names
from builder.render.files import solve_files
from builder.render.ide_tools import ide_packages
from builder.render.layers import apt_packages

_ANSWERS = {kind: f"/wsb-solved-{kind}.json" for kind in ("apt", "conda", "pip")}
_STALE = "wsb: no longer at the mirror: "
_SHARED = ("platform", "manager", "python", "torch", "base", "installer", "channels", "os")
_OWN = ("packages", "apt", "ide", "editable")


@frozen
class Upgrade:
    """What may not stay as it was locked: everything, or packages by name."""

    everything: bool = False
    packages: tuple[str, ...] = ()

    def touches(self, part: LockedPart) -> bool:
        """Whether something of this part is to be solved anew."""
        return self.everything or any(_named(self.packages, names) for names in _names(part).values())


@frozen
class Renderer:
    """How the files of a plan are rendered: the pipeline's own function, with what `solve` needs. project: its folder."""

    render: Any  # (plan, locked) → FileSet
    templates: Mapping[str, str]
    version: str
    project: Path


def solve(
    maker: Maker, plan: Plan, renderer: Renderer, before: LockedPlatform | None, upgrade: Upgrade, date: str
) -> LockedPlatform:
    """The lock of this plan. date: of now, as a lock has it. Raises WsbError; bad-value for what cannot be locked."""
    if not commands.uses_uv(plan):
        raise WsbError("python-not-supported", f"Python {plan.python} cannot be locked: uv, which solves, needs 3.8 or newer")
    _check_names(before, upgrade)
    asked = asked_of(plan)
    keeps_shared = before is not None and _same(before, asked, _SHARED) and not upgrade.touches(before.torch)
    keeps_own = before is not None and keeps_shared and _same(before, asked, _OWN) and not upgrade.touches(before.workspace)
    # what the project declares of itself may have changed, and only its own build backend reads it
    keeps_own = keeps_own and not plan.editable
    if before is not None and keeps_own:
        return replace(before, plan=plan.digest, asked=asked)
    kept = before if keeps_shared else None
    try:
        return _solved(maker, plan, renderer, before, kept, upgrade, date)
    except BuildFailed as failure:
        if kept is not None or not any(_STALE in line for line in failure.details):
            raise
        maker.listener(Note(text="the mirror has newer packages than the torch image that is here: making it again"))
        return _solved(replace(maker, use_cache=False), plan, renderer, before, None, upgrade, date)


def _solved(
    maker: Maker,
    plan: Plan,
    renderer: Renderer,
    before: LockedPlatform | None,
    kept: LockedPlatform | None,
    upgrade: Upgrade,
    date: str,
) -> LockedPlatform:
    """kept: the lock whose torch stage stays; the rest is solved on top of exactly that."""
    if kept is None:
        base_of(maker.engine, plan, maker.environ, maker.listener, must_be_repeatable=True)
        maker = replace(maker, use_cache=maker.use_cache and not upgrade.everything)
    files = renderer.render(plan, kept)
    token = secrets.token_hex(4)
    stage, base = maker.stage(plan, files, kept, f"wsb/solve:stage-{token}")
    try:
        question = _question(maker, plan, base, stage, before, kept, upgrade)
        answer = _ask(maker, plan, renderer, files, stage, question, f"wsb/solve:{token}")
    finally:
        maker.engine.remove_image(f"wsb/solve:stage-{token}")
    return LockedPlatform(
        platform=plan.platform,
        plan=plan.digest,
        asked=asked_of(plan),
        date=date,
        base=kept.base if kept else _base(plan, base),
        torch=kept.torch if kept else _part(answer, "torch", date, before.torch if before else None),
        workspace=_part(answer, "workspace", date, before.workspace if before else None),
    )


def _ask(
    maker: Maker, plan: Plan, renderer: Renderer, files: FileSet, stage: str, question: Mapping[str, Any], tag: str
) -> dict[str, Any]:
    """One build on top of the stage, read out and thrown away."""
    solving = solve_files(
        plan,
        templates=renderer.templates,
        version=renderer.version,
        stage_image=stage,
        asked=json.dumps(question, indent=1, sort_keys=True).encode(),
        files=maker.with_network(files, plan),
    )
    with wheel_folder(plan) as folder:
        request = BuildRequest(
            tag=tag,
            context=build_context(
                solving,
                renderer.project if plan.editable else None,
                mounted={".wsb/wheels": folder / ".wsb" / "wheels"} if folder else {},
            ),
            args=maker.base(plan, None)[1],
            platform=plan.platform,
            network=maker.network,
            use_cache=False,  # the answer of yesterday is in the cache
            secrets=maker.secrets(plan),
        )
        maker.step(request, solving)
    try:
        found = maker.engine.files_from_image(tag, _ANSWERS.values())
        return {kind: json.loads(found[path]) for kind, path in _ANSWERS.items() if path in found}
    finally:
        maker.engine.remove_image(tag)


def _question(
    maker: Maker,
    plan: Plan,
    base: ImageInfo,
    stage: str,
    before: LockedPlatform | None,
    kept: LockedPlatform | None,
    upgrade: Upgrade,
) -> dict[str, Any]:
    conda = commands.conda_commands(plan) if plan.manager.is_conda else None
    install = f"{conda.settings} {conda.install} {conda.channel_flags} --file /run/wsb/conda/packages.txt" if conda else ""
    debs = [] if kept else sorted(_debs(maker, stage) - _debs(maker, base.id))
    return {
        "prefix": names.environment_prefix(plan.manager),
        "python": f"{names.environment_prefix(plan.manager)}/bin/python",
        "uv": commands.UV,
        "solves_torch": kept is None,
        "torch_apt": [{"name": name, "version": version, "arch": arch} for name, version, arch in debs],
        "torch_from": commands.index_options(plan, is_torch_stage=True),
        "apt": list(apt_packages(plan)),
        "conda_install": install if plan.packages.conda else "",
        "pip_install": _one_line(commands.pip_install(plan)) if plan.packages.pip else "",
        "editable_install": _one_line(commands.editable_install(plan)) if plan.editable else "",
        "ide_install": _one_line(commands.ide_install(plan)) if ide_packages(plan) else "",
        "pip_from": commands.index_options(plan, is_torch_stage=False),
        "kept": [] if before is None or upgrade.everything else _kept_pins(before.workspace, upgrade),
    }


def _one_line(command: str) -> str:
    return command.replace("\\\n", " ")


def _kept_pins(part: LockedPart, upgrade: Upgrade) -> list[str]:
    return [f"{one.name}=={one.version}" for one in part.pip if not _named(upgrade.packages, [one.name])]


def _debs(maker: Maker, image: str) -> set[tuple[str, str, str]]:
    """(name, version, architecture) of the installed packages of an image."""
    status = maker.engine.files_from_image(image, [STATUS]).get(STATUS, b"").decode("utf-8", "replace")
    return {(one.name, one.version, one.arch) for one in of_status(status)}


def _base(plan: Plan, base: ImageInfo) -> LockedBase:
    # pulled from a mirror it is known by the mirror's name; the manifest is the same
    names_ = {repository_of(plan.base.image), repository_of(mirrored(plan.base.image, plan.sources.used.registry))}
    digest = next((one.partition("@")[2] for one in base.digests if one.partition("@")[0] in names_), "")
    return LockedBase(image=plan.base.image, digest="" if plan.base.bootstrap else digest, layers=base.layers)


def _part(answer: Mapping[str, Any], stage: str, date: str, before: LockedPart | None) -> LockedPart:
    """before: the same stage of the last lock; its date stays where its apt packages do, so that no step is repeated."""
    told = {kind: answer[kind][stage] for kind in answer}
    try:
        pip = read_requirements(told["pip"])
    except ValueError as error:
        raise WsbError("bad-value", f"an index names no hash for a package, so it cannot be locked: {error}") from None
    apt = tuple(sorted((LockedDeb(**one) for one in told["apt"]), key=lambda one: (one.name, one.arch)))
    return LockedPart(
        apt=apt,
        date="" if not apt else before.date if before and before.apt == apt else date,
        conda=tuple(LockedConda(**one) for one in told.get("conda", ())),
        pip=tuple(sorted(pip, key=lambda one: one.name)),
    )


def _same(before: LockedPlatform, asked: Mapping[str, Any], keys: Collection[str]) -> bool:
    return all(before.asked.get(key) == asked.get(key) for key in keys)


def _names(part: LockedPart) -> dict[str, list[str]]:
    return {
        "apt": [deb.name for deb in part.apt],
        "conda": [package.file.rsplit("-", 2)[0] for package in part.conda],
        "pip": [one.name for one in part.pip],
    }


def _named(wanted: Collection[str], found: Collection[str]) -> bool:
    plain = {one.lower().replace("_", "-") for one in found}
    return any(one.lower().replace("_", "-") in plain for one in wanted)


def _check_names(before: LockedPlatform | None, upgrade: Upgrade) -> None:
    """A name that the lock does not have is a slip of the pen."""
    parts = (before.torch, before.workspace) if before else ()
    held = [name for part in parts for names_ in _names(part).values() for name in names_]
    for name in upgrade.packages:
        if not _named([name], held):
            from difflib import get_close_matches

            near = get_close_matches(name, held, n=1)
            hints = [f"did you mean {near[0]}?"] if near else ["`wsb lock --upgrade` without a name solves everything anew"]
            raise WsbError("bad-value", f"wsb.lock has no package called {name}", hints=hints)
