"""`wsb doctor --on slurm|kubernetes`: what a job needs there, and which of it is missing."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from builder.doctor.checks import is_broken
from builder.ui.doctor import cluster_document, doctor_lines

if TYPE_CHECKING:
    from builder.ui.console import Console


def examine_cluster(console: Console, on: str, *, host: str, shared: str, context: str, namespace: str, as_json: bool) -> int:
    """Exit 0: nothing is broken; 1: something is."""
    if on == "slurm":
        from builder.launch.shell import shell_of
        from builder.launch.slurm import doctor as slurm

        facts = slurm.look(shell_of(host), shared)
        findings, titles, name = slurm.examine(facts), slurm.TITLES, f"Slurm, asked on {facts.where}"
    else:
        from builder.launch.kubernetes import doctor as kubernetes
        from builder.launch.kubernetes.client import cluster_of

        cluster = cluster_of(context, os.environ)
        told = kubernetes.look(cluster, namespace)
        findings, titles, name = kubernetes.examine(told), kubernetes.TITLES, f"Kubernetes, context {told.context}"
    if as_json:
        console.document(cluster_document(on, findings))
    else:
        is_tty = sys.stdout.isatty()
        width = min(console.width, 120) if is_tty else 100
        lines = doctor_lines(name, titles, findings, width=width, has_colour=console.has_colour and is_tty)
        console.product("\n".join(lines))
    return 1 if is_broken(findings) else 0
