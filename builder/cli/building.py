"""A build with its display and its log, and the quick proof after it; used by every verb that builds."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from builder import making, pipeline
from builder.cli.asking import ask as ask
from builder.engine.base import BuildFailed, Engine, Event, ImageInfo, StepFinished
from builder.errors import WsbError
from builder.model.plan import Plan
from builder.model.report import Report, Status
from builder.ui.build_log import BuildLog, both, log_directory, log_path
from builder.ui.console import Console
from builder.ui.progress import Progress

_READ_BYTES = 1 << 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """steps: of all builds that were made, in the order they ended."""

    built: making.Built
    steps: tuple[StepFinished, ...]
    seconds: float


def build(
    console: Console, engine: Engine, plan: Plan, workspace: pipeline.Workspace, *, network: str, use_cache: bool
) -> Done:
    """Build the plan; a failure names its log."""
    plan = pipeline.with_local_sources(plan, os.environ)
    files = pipeline.render(plan, inputs_digest=workspace.inputs_digest)
    steps: list[StepFinished] = []

    def collect(event: Event) -> None:
        if isinstance(event, StepFinished):
            steps.append(event)

    began = time.monotonic()
    with BuildLog(log_path(os.environ, datetime.now(), f"build-{plan.name}")) as log, Progress(console) as progress:
        maker = making.Maker(
            engine=engine,
            environ=os.environ,
            listener=both(progress, log, collect),
            network=network,
            use_cache=use_cache,
        )
        try:
            built = maker.build(plan, files, workspace.directory)
        except BuildFailed as failure:
            raise replace(failure, hints=(*failure.hints, *_known_hints(failure, log), *_log_hint(log))) from failure
        except WsbError as error:
            raise replace(error, hints=(*error.hints, *_log_hint(log))) from error
    seconds = time.monotonic() - began
    console.line(
        f"built {plan.name} in {seconds:.1f} s" + ("" if built.was_new else ", on a torch image that was there already")
    )
    return Done(built=built, steps=tuple(steps), seconds=seconds)


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
