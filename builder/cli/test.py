"""`wsb test`: the smoke tests, in a container started just as `wsb run` starts it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from builder.cli.gpu_choice import gpus_option


@click.command("test")
@click.option("--quick", is_flag=True, help="Only the questions that take a few seconds.")
@click.option(
    "--group", "groups", multiple=True, metavar="NAME", help="Only this group: environment, torch, compute, data, gpu."
)
@click.option("--check", "checks", multiple=True, metavar="ID", help="Only this check, such as torch.version.")
@click.option(
    "--gpu",
    type=click.Choice(["auto", "required", "none"]),
    default="auto",
    help="Whether a GPU must be, may be or is not used.",
)
@gpus_option
@click.option("--time-limit-scale", type=click.FloatRange(min=0.1), default=1.0, help="Longer limits for slow machines.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--junit", metavar="FILE", help="Also write the report as JUnit XML.")
@click.pass_obj
def command(
    directory: str,
    quick: bool,
    groups: tuple[str, ...],
    checks: tuple[str, ...],
    gpu: Literal["auto", "required", "none"],
    gpus: str | None,
    time_limit_scale: float,
    as_json: bool,
    junit: str | None,
) -> int:
    """Run the smoke tests in the container.

    Exit 0: every check that ran has passed; with a mock device that is the wiring alone, and `device` says mock. Exit 1: a
    check failed, or --gpu required and no GPU arrived in the container.
    """
    from builder import making
    from builder.cli import common
    from builder.cli.building import ask

    console = common.console()
    engine = common.connect()
    try:
        present = common.built_workspace(engine, directory)
        if common.is_behind(present):
            console.warn("wsb.yaml or a file it names changed after this image was built", ["`wsb build` brings it up to date"])
        questions = making.Questions(
            gpu=gpu, gpus=gpus, quick=quick, groups=groups, checks=checks, time_limit_scale=time_limit_scale
        )
        report = ask(console, engine, present.document, present.workspace.directory, present.image, questions)
    finally:
        engine.close()
    if junit:
        from builder.ui.junit import junit_xml

        Path(junit).write_bytes(junit_xml(report))
    if as_json:
        from builder.ui.report_json import report_document

        console.document(report_document(report))
    if not report.has_passed:
        from builder.doctor.tail import first_cause
        from builder.model.report import Status

        said = "\n".join(f"{check.measured}\n{check.hint}" for check in report.checks if check.status is Status.FAIL)
        common.tell_cause(console, first_cause(said.encode()))
    return 0 if report.has_passed else 1
