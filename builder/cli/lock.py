"""`wsb lock`: solve inside the stage that installs, write wsb.lock, and say what changed."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

import click

from builder.cli.host_options import Machine, host_options


@click.command("lock")
@host_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--check", is_flag=True, help="Only say whether wsb.lock still answers wsb.yaml; exit 1 if not.")
@click.option("--upgrade", is_flag=True, help="Solve anew: everything, or the packages that are named.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--fallback", is_flag=True, help="Where a source cannot be reached, take the next best, and say so.")
@click.option("--network", type=click.Choice(["default", "host"]), default="default", help="Network of the solving steps.")
@click.option("--accept-anaconda-terms", is_flag=True, help="You accept the terms of Anaconda's own channels.")
@click.pass_obj
def command(
    directory: str,
    machine: Machine,
    as_json: bool,
    check: bool,
    upgrade: bool,
    names: tuple[str, ...],
    fallback: bool,
    network: str,
    accept_anaconda_terms: bool,
) -> int:
    """Write wsb.lock: every package by version and hash, as solved inside the image. Prints what changed.

    What is locked stays as it is where it still answers wsb.yaml; --upgrade takes what is newest now.
    """
    from builder import locking, pipeline
    from builder.cli import common
    from builder.cli.building import making_of
    from builder.lock.changes import changes
    from builder.lock.text import FILE

    if names and not upgrade:
        raise click.UsageError(f"what is to be done with {names[0]}? Name packages after --upgrade.")
    everything = upgrade and not names
    console = common.console()
    workspace = pipeline.read(pipeline.find_directory(Path(directory)))
    host = machine.host()
    lock = pipeline.read_lock(workspace)
    engine = None if check else common.connect()
    try:
        reach = pipeline.look_around(workspace, os.environ, engine, probes=fallback)
        if check:
            return _check(workspace, host, lock, reach, accept_anaconda_terms, as_json)
        assert engine is not None
        decide = pipeline.decide if everything else partial(pipeline.decide_again, lock=lock)
        plan = decide(workspace, host, reach=reach, accept_anaconda_terms=accept_anaconda_terms)
        for step in plan.fallbacks:
            console.line(f"fallback: {step.source}: {step.taken} instead of {step.wanted}, because {step.because}")
        before = lock.of(plan.platform) if lock else None
        plan = pipeline.with_local_sources(plan, os.environ)
        with making_of(console, engine, f"lock-{plan.name}", network=network, use_cache=True) as maker:
            after = locking.solve(
                maker,
                plan,
                pipeline.renderer(workspace),
                before,
                locking.Upgrade(everything=everything, packages=names),
                f"{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}",
            )
    finally:
        if engine is not None:
            engine.close()
    told = changes(before, after)
    pipeline.write_lock(workspace, lock, after)
    if as_json:
        console.document(
            {"schema": "wsb.locked/1", "file": FILE, "platform": after.platform, "plan": after.plan, "changes": list(told)}
        )
    else:
        for line in told:
            console.product(line)
        console.line(f"{FILE}: {len(told)} changes" if told else f"{FILE}: nothing changed")
    return 0


def _check(workspace: Any, host: Any, lock: Any, reach: Any, accept_anaconda_terms: bool, as_json: bool) -> int:
    """Whether the lock answers wsb.yaml: a question, so its no is exit code 1."""
    from builder import pipeline
    from builder.cli import common
    from builder.errors import ExitCode, WsbError
    from builder.lock.text import FILE
    from builder.ui.console import error_document

    console = common.console()
    try:
        pipeline.decide_locked(workspace, host, lock, reach=reach, accept_anaconda_terms=accept_anaconda_terms)
    except WsbError as error:
        if error.code not in ("lock-outdated", "no-such-file"):
            raise
        if as_json:
            console.document(error_document(error))
        else:
            console.error(error)
        return ExitCode.ANSWER_IS_NO
    if as_json:
        console.document({"schema": "wsb.locked/1", "file": FILE, "changes": []})
    else:
        console.line(f"{FILE} answers wsb.yaml")
    return ExitCode.DONE
