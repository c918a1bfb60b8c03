"""`wsb build`: decide, render, build with live progress, tag, and ask the image the quick questions."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from builder.cli.build_options import Wanted, build_options
from builder.cli.buildx_options import Remote, buildx_options
from builder.cli.host_options import Machine, host_options

if TYPE_CHECKING:
    from builder.engine.base import ImageInfo
    from builder.engine.buildx import BuildxEngine
    from builder.ui.console import Console


@click.command("build")
@host_options
@build_options
@click.option("--bundle", metavar="DIR", help="Build without any network from what `wsb bundle` wrote; implies --locked.")
@click.option("--if-needed", is_flag=True, help="Only where wsb.yaml or a file it names changed since the last build.")
@click.option("--no-test", is_flag=True, help="Do not ask the image the quick questions afterwards.")
@click.pass_obj
@buildx_options
def command(
    directory: str,
    machine: Machine,
    wanted: Wanted,
    bundle: str | None,
    if_needed: bool,
    no_test: bool,
    remote: Remote,
) -> int:
    """Build the workspace's image and prove it. Prints the image's name.

    --platform, --builder, --cache-from, --cache-to, --secret, --ssh, --attest and --compression are done by docker buildx, all
    else by the engine itself.
    """
    from builder import bundling, pipeline
    from builder.cli import common
    from builder.cli.building import How, build, decided, push, push_platforms, quick_proof

    console = common.console()
    workspace = pipeline.read(pipeline.find_directory(Path(directory)))
    host = remote.planned_for(machine.host())
    platforms = remote.platform_list
    name = workspace.spec.name.value
    engine = remote.connect(name)
    with ExitStack() as stack:
        stack.callback(engine.close)
        if remote.push and not engine.sees_images:
            elsewhere = cast("BuildxEngine", engine)  # no other engine builds where it sees no images
            return push_platforms(console, elsewhere, workspace, host, platforms, remote.options(name).push_to, wanted)
        remote.check_own_builder(platforms, engine)
        if if_needed and (image := common.up_to_date_image(engine, workspace)):
            return _nothing_to_do(console, image, name, wanted.as_json)
        carried = stack.enter_context(bundling.opened(Path(bundle))) if bundle else None
        reach = pipeline.look_around(workspace, os.environ, engine, probes=wanted.fallback)
        plan, exactly = decided(
            console,
            workspace,
            host,
            reach,
            carried.lock if carried else pipeline.read_lock(workspace) if wanted.locked else None,
            is_locked=wanted.locked or carried is not None,
            accept_anaconda_terms=wanted.accept_anaconda_terms,
        )
        if carried and exactly:
            bundling.check_same(exactly, pipeline.read_lock(workspace))
        how = How(
            network="none" if carried else wanted.network,
            use_cache=not wanted.no_cache,
            locked=exactly,
            bundle=carried,
            registry=wanted.pull_first or "",
        )
        done = build(console, engine, plan, workspace, how)
        report = None if no_test else quick_proof(console, engine, plan, workspace, done.built.image)
        if remote.push and (report is None or report.has_passed):
            push(console, engine, done.built.image, remote.push, name)
    name = pipeline.document(plan)["image"]
    if wanted.as_json:
        console.document(_document(name, plan.digest, done, report))
    else:
        console.product(name)
    return 0 if report is None or report.has_passed else 1


def _nothing_to_do(console: Console, image: ImageInfo, project: str, as_json: bool) -> int:
    name = f"{project}:latest"
    if as_json:
        digest = image.labels["dev.wsb.plan.digest"]
        console.document(
            {"schema": "wsb.build/1", "image": name, "id": image.id, "plan_digest": digest, "seconds": 0.0, "steps": []}
        )
    else:
        console.product(name)
    return 0


def _document(name: str, digest: str, done: Any, report: Any) -> dict[str, Any]:
    from builder.ui.report_json import report_document

    document = {
        "schema": "wsb.build/1",
        "image": name,
        "id": done.built.image.id,
        "plan_digest": digest,
        "seconds": round(done.seconds, 2),
        "steps": [{"name": step.name, "cached": step.is_cached, "seconds": round(step.seconds, 2)} for step in done.steps],
    }
    if done.built.torch_image:
        document["torch_image"] = done.built.torch_image
    if done.built.torch_from:
        document["torch_pulled_from"] = done.built.torch_from
    if done.pulled_from:
        document["pulled_from"] = done.pulled_from
    if report is not None:
        document["report"] = report_document(report)
    return document
