"""`wsb test`: the smoke tests, in a container started just as `wsb run` starts it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from builder.cli.cluster_options import KubernetesOptions, SlurmOptions, cluster_options
from builder.cli.gpu_choice import gpus_option

if TYPE_CHECKING:
    from builder.model.report import Report
    from builder.ui.console import Console


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
@click.option("--on", type=click.Choice(["slurm", "kubernetes"]), help="Only the proof of a job, on the nodes of a cluster.")
@click.option("--nodes", type=click.IntRange(min=1), default=1, help="With --on: how many nodes; --gpus is a number then.")
@cluster_options
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
    on: str | None,
    nodes: int,
    slurm: SlurmOptions,
    kubernetes: KubernetesOptions,
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
        if on is not None:
            from builder.cli.proving import prove

            report = prove(on, present, engine, console, slurm, kubernetes, nodes=nodes, gpus=_count(gpus))
            return _tell(console, report, as_json, junit)
        questions = making.Questions(
            gpu=gpu, gpus=gpus, quick=quick, groups=groups, checks=checks, time_limit_scale=time_limit_scale
        )
        report = ask(console, engine, present.document, present.workspace.directory, present.image, questions)
    finally:
        engine.close()
    return _tell(console, report, as_json, junit)


def _tell(console: Console, report: Report, as_json: bool, junit: str | None) -> int:
    """The report in the forms that were asked for; returns the exit code."""
    from builder.cli import common
    from builder.model.report import Status

    if junit:
        from builder.ui.junit import junit_xml

        Path(junit).write_bytes(junit_xml(report))
    if as_json:
        from builder.ui.report_json import report_document

        console.document(report_document(report))
    if not report.has_passed:
        from builder.doctor.tail import first_cause

        said = "\n".join(f"{check.measured}\n{check.hint}" for check in report.checks if check.status is Status.FAIL)
        common.tell_cause(console, first_cause(said.encode()))
    return 0 if report.has_passed else 1


def _count(gpus: str | None) -> int:
    """On a cluster GPUs have no names before the job has them."""
    if gpus is not None and not gpus.isdigit():
        raise click.UsageError("with --on, --gpus is how many GPUs each node gives, such as 2")
    return int(gpus or 0)
