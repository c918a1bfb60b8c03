"""`wsb torch-image`: the image of torch and all below it, which every project with the same choice stands on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from builder.cli.build_options import Wanted, build_options
from builder.cli.buildx_options import Remote, buildx_options
from builder.cli.host_options import Machine, host_options

if TYPE_CHECKING:
    from builder.engine.base import Engine, ImageInfo, Pushed
    from builder.making import Shared
    from builder.pipeline import Workspace
    from builder.ui.console import Console


@click.command("torch-image")
@host_options
@build_options
@buildx_options
@click.pass_obj
def command(
    directory: str,
    machine: Machine,
    wanted: Wanted,
    remote: Remote,
) -> int:
    """Make the torch image that this project stands on, or find it. Prints its name; with --push its reference and digest.

    Its name ends in a digest over all that makes it. A machine whose `wsb build --pull-first REGISTRY` comes to the same name
    takes it from there instead of building it, and a workspace that is pushed beside it sends no layer of torch again. The
    base is part of that digest, by its layers: a base that was bootstrapped from packages of another day gives another name.
    """
    from builder import pipeline
    from builder.cli import common

    console = common.console()
    workspace = pipeline.read(pipeline.find_directory(Path(directory)))
    host = remote.planned_for(machine.host())
    platforms = remote.platform_list
    if remote.compression == "estargz":
        raise click.UsageError(
            "estargz changes the layers themselves, so nothing that is built would stand on this torch image: "
            "pack the workspace so, with `wsb build --push REGISTRY --compression estargz`"
        )
    engine = remote.connect("wsb/torch")
    try:
        _check(engine, remote, platforms)
        shared, image = _made(console, engine, workspace, host, wanted)
        image = _packed(console, engine, shared.name) if remote.compression else image
        pushed = _pushed(console, engine, shared.name, image, remote.push) if remote.push else None
    finally:
        engine.close()
    if wanted.as_json:
        console.document(_document(shared, image, pushed))
    else:
        console.product(f"{pushed.reference}@{pushed.digest}" if pushed else shared.name)
    return 0


def _check(engine: Engine, remote: Remote, platforms: tuple[str, ...]) -> None:
    """Raises WsbError tool-missing for a builder whose images the engine does not hold."""
    from builder.errors import WsbError

    if not engine.sees_images:
        raise WsbError(
            "tool-missing",
            f"the builder {remote.builder or 'in use'} has a store of its own, and the torch image is one of the engine's",
            hints=["`--builder default` is the engine's own builder", "`docker buildx ls` lists all of them"],
        )
    remote.check_own_builder(platforms, engine, is_only_one=True)


def _made(console: Console, engine: Engine, workspace: Workspace, host: Any, wanted: Wanted) -> tuple[Shared, ImageInfo]:
    from builder import pipeline
    from builder.cli.building import decided, making_of
    from builder.errors import WsbError
    from builder.model.values import Location

    reach = pipeline.look_around(workspace, os.environ, engine, probes=wanted.fallback)
    lock = pipeline.read_lock(workspace) if wanted.locked else None
    plan, locked = decided(
        console,
        workspace,
        host,
        reach,
        lock,
        is_locked=wanted.locked,
        accept_anaconda_terms=wanted.accept_anaconda_terms,
    )
    if plan.torch is None:
        raise WsbError(
            "bad-value",
            f"{plan.name} has no torch, so there is no torch image to share",
            where=Location(file=pipeline.CONFIG),
            hints=["`torch: latest` in wsb.yaml asks for one; `wsb explain torch` says why there is none"],
        )
    plan = pipeline.with_local_sources(plan, os.environ)
    files = pipeline.render(plan, inputs_digest=workspace.inputs_digest, locked=locked)
    with making_of(
        console,
        engine,
        f"torch-image-{plan.name}",
        network=wanted.network,
        use_cache=not wanted.no_cache,
        registry=wanted.pull_first or "",
    ) as maker:
        shared = maker.torch_image(plan, files, locked=locked)
    image = engine.image(shared.name)
    assert image is not None
    how = "built" if shared.was_new else f"took from {shared.pulled_from}" if shared.pulled_from else "found"
    console.line(f"{how} {shared.name}")
    return shared, image


def _packed(console: Console, engine: Engine, name: str) -> ImageInfo:
    """The same image with its layers packed as was asked for: those that were here, or came from a registry, too."""
    from builder.engine.base import BuildRequest
    from builder.engine.context import build_context
    from builder.model.files import File, FileSet
    from builder.ui.progress import Progress

    dockerfile = FileSet((File(path="Dockerfile", content=f"FROM {name}\n".encode()),))
    with Progress(console) as progress:
        return engine.build(BuildRequest(tag=name, context=build_context(dockerfile)), progress)


def _pushed(console: Console, engine: Engine, name: str, image: ImageInfo, registry: str) -> Pushed:
    from builder.cli.building import tell_pushed
    from builder.sharing import elsewhere, push_as
    from builder.ui.progress import Progress

    with Progress(console) as progress:
        done = push_as(engine, image, elsewhere(registry, name), progress)
    tell_pushed(console, done)
    return done


def _document(shared: Shared, image: ImageInfo, pushed: Pushed | None) -> dict[str, Any]:
    from dataclasses import asdict

    document: dict[str, Any] = {
        "schema": "wsb.torch-image/1",
        "image": shared.name,
        "id": image.id,
        "layers": list(image.layers),
        "size_bytes": image.size_bytes,
        "built": shared.was_new,
    }
    if shared.pulled_from:
        document["pulled_from"] = shared.pulled_from
    if pushed:
        document["pushed"] = asdict(pushed)
    return document
