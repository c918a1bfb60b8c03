"""The command line that runs the probes inside a container."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from builder.verify.expect import PLAN, PROBES


def request_command(
    expected: Mapping[str, Any],
    *,
    quick: bool = False,
    groups: Sequence[str] = (),
    checks: Sequence[str] = (),
    time_limit_scale: float = 1.0,
    python: str = "python",
) -> tuple[str, ...]:
    """The argv to run in the container; its standard output goes to a ReportReader.

    expected: from expectations(). python: by default the one on PATH, since that is the one people meet; the probes then
    say whether it is the environment's.
    """
    command = [python, PROBES, "--plan", PLAN, "--expect", json.dumps(expected, sort_keys=True)]
    if quick:
        command.append("--quick")
    if groups:
        command += ["--group", ",".join(groups)]
    for id in checks:
        command += ["--check", id]
    if time_limit_scale != 1.0:
        command += ["--time-limit-scale", f"{time_limit_scale:g}"]
    return tuple(command)
