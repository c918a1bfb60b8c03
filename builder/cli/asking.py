"""The questions put to a built image, in a container as `wsb run` would start it, each answer shown as it comes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder import making
from builder.cli import common
from builder.engine.base import Engine, ImageInfo
from builder.errors import WsbError
from builder.model.report import Check, Report, Status
from builder.ui.console import Console
from builder.verify.expect import GpuExpectation
from builder.verify.reader import CheckEvent, CheckFinished

if TYPE_CHECKING:
    from builder.launch.container import Gpus

# what must not pass in a container without the device, or passing with it would mean nothing
CONTROL_CHECKS = ("gpu.wiring", "gpu.nvml", "gpu.cuda", "gpu.visible")


def ask(
    console: Console,
    engine: Engine,
    document: Mapping[str, Any],
    project: Path,
    image: ImageInfo,
    questions: making.Questions,
) -> Report:
    """Run the probes. A GPU that the engine refuses to hand in is a failed check, and the rest is asked without it."""
    from builder.cli.gpu_choice import gpus_for
    from builder.launch.container import NO_GPUS, RunOptions, container_request
    from builder.ui.report_text import gpu_line, summary_line

    info = common.engine_info(engine)
    gpus = NO_GPUS
    if questions.gpu != "none":
        gpus = gpus_for(console, engine, info, document, questions.gpus, questions.gpu)
    tell = _teller(console, questions.quick)

    def asked(handed: Gpus, put: making.Questions, on_check: Callable[[CheckEvent], None], **env: str) -> Report:
        request = container_request(
            image=image.id,
            document=document,
            project=project,
            command=(),
            identity=common.identity(),
            info=info,
            options=RunOptions(env=env, publishes_ports=False),
            gpus=handed,
        )
        if info.is_remote:
            request = replace(request, mounts=(), workdir="")  # the project's folder is here, the container is not
        return making.prove(engine, document, request, put, on_check, _expected(handed, put))

    try:
        report = asked(gpus, questions, tell)
    except WsbError as error:
        if error.code != "gpu-refused":
            raise
        refused = _refused(error)
        tell(CheckFinished(check=refused))
        rest = asked(NO_GPUS, questions, tell)
        report = replace(rest, checks=(*rest.checks, refused))
    else:
        if gpus.is_any and not (questions.quick or questions.groups or questions.checks):
            # a default runtime that hands GPUs to every container does not do so with this
            control = making.Questions(gpu="required", checks=CONTROL_CHECKS, time_limit_scale=questions.time_limit_scale)
            without = _control(asked(NO_GPUS, control, _silent, NVIDIA_VISIBLE_DEVICES="void"))
            tell(CheckFinished(check=without))
            report = replace(report, checks=(*report.checks, without))
    console.line(summary_line(report))
    if not questions.quick or gpus.is_any:
        console.line(gpu_line(report))
    return report


def _expected(gpus: Gpus, questions: making.Questions) -> GpuExpectation:
    chosen = gpus.chosen
    return GpuExpectation(mode=questions.gpu, count=chosen.count, uuids=chosen.uuids, way=gpus.handed.mode.value)


def _teller(console: Console, is_quick: bool) -> Callable[[CheckEvent], None]:
    """Prints each answer; of the quick questions only those that failed."""
    from builder.ui.report_text import check_lines

    def tell(event: CheckEvent) -> None:
        if isinstance(event, CheckFinished) and (not is_quick or event.check.status is Status.FAIL):
            for line in check_lines(event.check, has_colour=console.has_colour, width=console.width):
                console.line(line)

    return tell


def _silent(event: CheckEvent) -> None:
    del event


def _refused(error: WsbError) -> Check:
    said = "; ".join([error.message, *error.details])
    hint = "\n".join(error.hints)
    return Check(id="gpu.request", group="gpu", status=Status.FAIL, measured=said, expected="the engine hands it in", hint=hint)


def _control(report: Report) -> Check:
    """The negative control: the same image without the device must pass none of the checks that look for it."""
    seconds = round(sum(check.seconds for check in report.checks), 3)
    passing = [check.id for check in report.checks if check.status is Status.PASS]
    return Check(
        id="gpu.control",
        group="gpu",
        status=Status.FAIL if passing else Status.PASS,
        measured={"passed_without_the_device": passing},
        expected="without the device none of these passes",
        seconds=seconds,
        hint="a GPU is in a container that was not given one: what passes with it says little" if passing else "",
    )
