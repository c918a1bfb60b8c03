"""A build with its display and its log, and the quick proof after it; used by every verb that builds."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from builder import making, moving, pipeline
from builder.bundling import Bundle, load_base
from builder.cli.asking import ask as ask
from builder.engine.base import BuildFailed, Engine, Event, ImageInfo, Listener, Pushed, StepFinished
from builder.errors import WsbError
from builder.lock.text import digest
from builder.model.frozen import frozen
from builder.model.host import Host, Reach
from builder.model.lock import Lock, LockedPlatform
from builder.model.plan import Plan
from builder.model.report import Report, Status
from builder.ui.build_log import BuildLog, both, log_directory, log_path
from builder.ui.console import Console
from builder.ui.progress import Progress

_READ_BYTES = 1 << 22

if TYPE_CHECKING:
    from builder.cli.build_options import Wanted
    from builder.engine.buildx import BuildxEngine


@frozen
class Done:
    """steps: of all builds that were made, in the order they ended. pulled_from: a registry that had it, else ""."""

    built: making.Built
    steps: tuple[StepFinished, ...]
    seconds: float
    pulled_from: str = ""


@frozen
class How:
    """What a build may use. locked: install exactly this.

    registry: to be asked first for the finished image, then for the torch image; "" for none.
    """

    network: str = "default"
    use_cache: bool = True
    locked: LockedPlatform | None = None
    bundle: Bundle | None = None
    registry: str = ""

    @property
    def made_from(self) -> str:
        return "lock" if self.locked else "plan"


def decided(
    console: Console,
    workspace: pipeline.Workspace,
    host: Host,
    reach: Reach,
    lock: Lock | None,
    *,
    is_locked: bool,
    accept_anaconda_terms: bool,
) -> tuple[Plan, LockedPlatform | None]:
    """The plan, and what a lock has for it where one is to be followed; with fallbacks and warnings told."""
    locked = None
    if is_locked:
        plan, locked = pipeline.decide_locked(workspace, host, lock, reach=reach, accept_anaconda_terms=accept_anaconda_terms)
    else:
        plan = pipeline.decide(workspace, host, reach=reach, accept_anaconda_terms=accept_anaconda_terms)
    for step in plan.fallbacks:
        console.line(f"fallback: {step.source}: {step.taken} instead of {step.wanted}, because {step.because}")
    for warned in plan.warnings:
        console.warn(warned.message)
    return plan, locked


def build(console: Console, engine: Engine, plan: Plan, workspace: pipeline.Workspace, how: How) -> Done:
    """Build the plan, or exactly the lock, or find it in a registry; a failure names its log."""
    plan = pipeline.with_local_sources(plan, os.environ)
    files = pipeline.render(plan, inputs_digest=workspace.inputs_digest, locked=how.locked)
    steps: list[StepFinished] = []

    def collect(event: Event) -> None:
        if isinstance(event, StepFinished):
            steps.append(event)

    began = time.monotonic()
    with making_of(
        console,
        engine,
        f"build-{plan.name}",
        network=how.network,
        use_cache=how.use_cache,
        registry=how.registry,
        also=collect,
    ) as maker:
        pulled = _pulled(engine, plan, how, maker)
        if pulled is not None:
            built = making.Built(image=pulled, torch_image=None)
        else:
            if how.bundle:
                load_base(engine, how.bundle, maker)
            folder = how.bundle.directory if how.bundle else None
            built = maker.build(plan, files, workspace.directory, locked=how.locked, bundle=folder)
    seconds = time.monotonic() - began
    if pulled is not None:
        console.line(f"took {plan.name} from {how.registry} in {seconds:.1f} s: it was made from the same {how.made_from}")
    else:
        console.line(f"built {plan.name} in {seconds:.1f} s{_standing_on(built)}")
    return Done(built=built, steps=tuple(steps), seconds=seconds, pulled_from=how.registry if pulled else "")


def _standing_on(built: making.Built) -> str:
    if built.torch_image is None or built.was_new:
        return ""
    return f", on a torch image from {built.torch_from}" if built.torch_from else ", on a torch image that was there already"


def _pulled(engine: Engine, plan: Plan, how: How, maker: making.Maker) -> ImageInfo | None:
    """The image from the registry to be asked first; None without one, or when it has none."""
    if not how.registry:
        return None
    lock_digest = digest(how.locked) if how.locked else ""
    return moving.pull_first(engine, how.registry, plan.name, plan.digest, lock_digest, plan.platform, maker.listener)


def push(console: Console, engine: Engine, image: ImageInfo, registry: str, name: str) -> tuple[Pushed, ...]:
    """By what it was made from and by name, with what went over the wire."""
    with Progress(console) as progress:
        done = moving.push(engine, image, registry, name, progress)
    tell_pushed(console, done[0])
    return done


def tell_pushed(console: Console, done: Pushed) -> None:
    from builder.ui.text import as_bytes

    sent = f"{done.layers_sent} layers ({as_bytes(done.sent_bytes)} by the engine's count)"
    console.line(f"pushed {done.reference}: {sent} sent, {done.layers_there} there already")


def push_platforms(
    console: Console,
    engine: BuildxEngine,
    workspace: pipeline.Workspace,
    host: Host,
    platforms: Sequence[str],
    push_to: str,
    wanted: Wanted,
) -> int:
    """Each platform planned by itself, built by buildx and pushed by its digest; then one name for all of them."""
    from builder.cli.buildx_options import ARCHITECTURES

    name, lock = workspace.spec.name.value, pipeline.read_lock(workspace) if wanted.locked else None
    if wanted.pull_first:
        console.warn(
            "--pull-first is left out: this builder has a store of its own", ["`--cache-from type=registry,ref=…` is its way"]
        )
    how = How(network=wanted.network, use_cache=not wanted.no_cache)
    digests: dict[str, str] = {}
    reach = pipeline.look_around(workspace, os.environ, engine, probes=wanted.fallback)
    for platform in platforms or (pipeline.platform_of(host),):
        plan, locked = decided(
            console,
            workspace,
            replace(host, arch=ARCHITECTURES[platform]),
            reach,
            lock,
            is_locked=wanted.locked,
            accept_anaconda_terms=wanted.accept_anaconda_terms,
        )
        build(console, engine, plan, workspace, replace(how, locked=locked))
        digests[platform] = engine.pushed[push_to]
        engine.name(moving.content_tag(plan.digest, digest(locked) if locked else ""), [digests[platform]])
    reference = engine.name("latest", list(digests.values()))
    if wanted.as_json:
        console.document({"schema": "wsb.push/1", "image": name, "reference": reference, "platforms": digests})
    else:
        console.product(reference)
    return 0


@contextmanager
def making_of(
    console: Console,
    engine: Engine,
    what: str,
    *,
    network: str,
    use_cache: bool,
    registry: str = "",
    also: Listener = lambda _: None,
) -> Iterator[making.Maker]:
    """A maker whose events are shown and logged; an error of its body names the log. what: the log's name."""
    with BuildLog(log_path(os.environ, datetime.now(), what)) as log, Progress(console) as progress:
        try:
            yield making.Maker(
                engine=engine,
                environ=os.environ,
                listener=both(progress, log, also),
                network=network,
                use_cache=use_cache,
                registry=registry,
            )
        except WsbError as error:
            known = _known_hints(error, log) if isinstance(error, BuildFailed) else ()
            raise replace(error, hints=(*error.hints, *known, *_log_hint(log))) from error


def _known_hints(failure: BuildFailed, log: BuildLog) -> tuple[str, ...]:
    """What the catalogue of known errors says of a failed step; nothing where the failure says it by itself."""
    if failure.code != "build-failed" or log.path is None:
        return ()
    from builder.doctor.tail import first_cause

    try:
        cause = first_cause(log.path.read_bytes()[-_READ_BYTES:])
    except OSError:
        return ()
    return (f"known as {cause.id}: {cause.cause}", cause.remedy) if cause else ()


def _log_hint(log: BuildLog) -> tuple[str, ...]:
    return (f"the whole log: {log.path}",) if log.path else ()


def quick_proof(console: Console, engine: Engine, plan: Plan, workspace: pipeline.Workspace, image: ImageInfo) -> Report | None:
    """Ask the image the quick questions; None when this very image has answered them before."""
    if _is_proved(image):
        console.line("proved before: this image has passed its quick tests")
        return None
    report = ask(console, engine, pipeline.document(plan), workspace.directory, image, making.Questions(quick=True))
    if report.has_passed:
        _remember(image, report)
    else:
        console.line("the image is built and tagged, but it is not what was planned; `wsb test` asks it everything")
    return report


def _proof_path(image: ImageInfo) -> Path:
    return log_directory(os.environ).parent / "proved" / f"{image.id.rpartition(':')[2]}.json"


def _is_proved(image: ImageInfo) -> bool:
    try:
        return bool(json.loads(_proof_path(image).read_text("utf-8")).get("passed"))
    except (OSError, ValueError, AttributeError):
        return False


def _remember(image: ImageInfo, report: Report) -> None:
    """Best effort: an image whose proof is forgotten is only asked again."""
    path = _proof_path(image)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"passed": report.count(Status.PASS)}) + "\n", "utf-8")
    except OSError:
        return
