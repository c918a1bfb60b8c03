"""`wsb doctor`: this machine link by link, each finding with its remedy; --fix does those that can do no harm."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from builder.model.report import Finding
    from builder.ui.console import Console


@click.command("doctor")
@click.option("--fix", is_flag=True, help="Do the remedies that can do no harm, after saying what.")
@click.option("--yes", is_flag=True, help="With --fix: do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--on", type=click.Choice(["slurm", "kubernetes"]), help="Examine a cluster instead.")
@click.option("--host", default="", metavar="[USER@]HOST", help="With --on slurm: the login node, over ssh.")
@click.option("--shared", default="", metavar="DIR", help="With --on slurm: the folder that all nodes see.")
@click.option("--context", default="", help="With --on kubernetes: the context of the kubeconfig.")
@click.option("--namespace", default="", help="With --on kubernetes: the namespace.")
@click.pass_obj
def command(
    directory: str,
    fix: bool,
    yes: bool,
    as_json: bool,
    on: str | None,
    host: str,
    shared: str,
    context: str,
    namespace: str,
) -> int:
    """Examine this machine, from the GPU's slot to a kernel that runs, and what builds need beside it.

    With --on: what a job needs on a cluster, and which of it is missing there.

    Exit 0: nothing is broken; 1: something is.
    """
    from builder.cli import common
    from builder.cli.examining import gather
    from builder.doctor.checks import CHECKS, examine, is_broken
    from builder.ui.doctor import doctor_document, doctor_lines

    console = common.console()
    if on is not None:
        from builder.cli.cluster_doctor import examine_cluster

        return examine_cluster(console, on, host=host, shared=shared, context=context, namespace=namespace, as_json=as_json)
    facts = gather(directory, os.environ)
    findings = examine(facts)
    if fix and mend(console, findings, _may if not yes else _agreed, run_as_root):
        console.line("looking again")
        facts = gather(directory, os.environ)
        findings = examine(facts)
    if as_json:
        console.document(doctor_document(facts.host, findings))
    else:
        titles = [(check.name, check.title, check.of_chain) for check in CHECKS]
        lines = doctor_lines(
            facts.distribution.name,
            titles,
            findings,
            width=min(console.width, 120) if sys.stdout.isatty() else 100,
            has_colour=console.has_colour and sys.stdout.isatty(),
        )
        console.product("\n".join(lines))
    return 1 if is_broken(findings) else 0


def mend(
    console: Console,
    findings: Sequence[Finding],
    may: Callable[[Console], bool],
    run: Callable[[Sequence[str]], str],
) -> bool:
    """Run what mends the findings that have such a thing; whether anything was run.

    may: asked before each, after it was said what would be run. run: gives what went wrong, "" when nothing did.
    """
    mendable = [finding for finding in findings if finding.fix]
    if not mendable:
        console.line("nothing here can be mended without a decision of yours; the remedies say what to do")
    was_run = False
    for finding in mendable:
        console.line(finding.message)
        for words in finding.fix:
            console.line(f"  runs: {' '.join(words)}")
        if not may(console):
            continue
        was_run = True
        for words in finding.fix:
            if wrong := run(words):
                console.warn(wrong)
                break
    return was_run


def _agreed(_: Console) -> bool:
    return True


def _may(console: Console) -> bool:
    if sys.stdin.isatty():
        return click.confirm("  do it?", default=False, err=True)
    console.line("  not done: nobody is there to be asked; --yes does it")
    return False


def run_as_root(words: Sequence[str]) -> str:
    """Run a remedy, which changes the system; its output belongs to standard error."""
    words = list(words) if os.geteuid() == 0 else ["sudo", *words]
    try:
        done = subprocess.run(words, stdout=sys.stderr.fileno(), check=False)
    except OSError as error:
        return f"{words[0]} cannot be run: {error.strerror}"
    return f"`{' '.join(words)}` ended with exit code {done.returncode}" if done.returncode else ""
