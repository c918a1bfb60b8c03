"""The sentence of the design as short functions: read, decide, render, build, prove.

Each takes what the last returned. Nothing here prints; long work tells its events to a listener.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder import __version__
from builder.errors import WsbError
from builder.model.files import FileSet
from builder.model.host import Host, Reach
from builder.model.plan import Plan
from builder.model.project import EMPTY_PROJECT, Project
from builder.model.spec import Spec
from builder.model.values import Location, Passthrough

if TYPE_CHECKING:
    from builder.engine.base import Engine

CONFIG = "wsb.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A project folder that was read. inputs_digest: sha256 over wsb.yaml and every file it led to."""

    directory: Path
    spec: Spec
    project: Project
    inputs_digest: str


def find_directory(start: Path) -> Path:
    """The folder at or above start that holds wsb.yaml. Raises WsbError no-such-file."""
    start = start.resolve()
    if not start.is_dir():
        raise WsbError("no-such-file", f"{start} is not a folder")
    for folder in (start, *start.parents):
        if (folder / CONFIG).is_file():
            return folder
    raise WsbError(
        "no-such-file",
        f"there is no {CONFIG} in {start} or above it",
        hints=[f"two lines are enough to begin with: `name: {_suggested_name(start)}` and `requirements: [requirements.txt]`"],
    )


def read(directory: Path) -> Workspace:
    """wsb.yaml and the files it points at. Raises Problems or WsbError with file, line and column."""
    from builder.config import read_spec

    seen: dict[str, bytes] = {}

    def read_file(path: str) -> bytes | None:
        try:
            seen[path] = (directory / path).read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None
        except OSError as error:
            raise WsbError("no-such-file", f"cannot read {path}: {error.strerror}", where=Location(file=path)) from error
        return seen[path]

    config = read_file(CONFIG)
    if config is None:
        raise WsbError("no-such-file", f"there is no {CONFIG} in {directory}")
    spec = read_spec(config, CONFIG)
    project = EMPTY_PROJECT
    if spec.environment is not None or spec.requirements:
        from builder.scan.project import read_project

        project = read_project(read_file, spec)
    return Workspace(directory=directory, spec=spec, project=project, inputs_digest=_digest(seen))


def decide(workspace: Workspace, host: Host, *, reach: Reach | None = None, accept_anaconda_terms: bool = False) -> Plan:
    """The plan for this project on that host. Raises WsbError when nothing fits."""
    from builder.catalog import load
    from builder.resolve import resolve

    return resolve(workspace.spec, workspace.project, load(), host, reach=reach, accept_anaconda_terms=accept_anaconda_terms)


def document(plan: Plan) -> dict[str, Any]:
    """The plan as JSON, as `wsb plan --json` prints it and the image carries it."""
    from builder.render import names
    from builder.resolve.document import plan_json

    return {
        **plan_json(plan),
        "environment": {
            "name": plan.name,
            "prefix": names.environment_prefix(plan.manager),
            "alias": names.environment_alias(plan),
            "python": names.interpreter(plan),
        },
        "image": names.image_tag(plan),
    }


def render(plan: Plan, *, inputs_digest: str = "") -> FileSet:
    """Every file the build needs besides the project's own."""
    from builder import assets
    from builder.render import names
    from builder.render.files import render_files
    from builder.verify.expect import GpuMode, expectations

    what = document(plan)
    gpu_mode: GpuMode = "none" if plan.passthrough is Passthrough.NONE else "auto"
    return render_files(
        plan,
        document=_json(what),
        expected=_json(expectations(what, None, None, names.WORKSPACE, gpu_mode)),
        templates=assets.dockerfile_templates(),
        probes=assets.probe_sources(),
        devcontainer=assets.devcontainer_parts(),
        version=__version__,
        inputs_digest=inputs_digest,
    )


def render_for_ides(plan: Plan, directory: Path) -> FileSet:
    """The files that IDEs read, for the programs that the project has."""
    from builder import assets
    from builder.folder import Folder
    from builder.render.ide_files import ide_files
    from builder.scan.entry_points import entry_points, is_candidate, is_test

    folder = Folder(directory)
    return ide_files(
        plan,
        entry_points(folder.texts(is_candidate)),
        has_tests=any(is_test(path) for path in folder.names()),
        parts=assets.devcontainer_parts(),
        templates=assets.devcontainer_templates(),
    )


def look_around(workspace: Workspace, environ: Mapping[str, str], engine: Engine | None, *, probes: bool) -> Reach:
    """What this machine can reach and already has. probes: also knock at the sources, as `--fallback` needs."""
    from builder.host.pip_config import read_pip_config

    wheels = read_pip_config(environ, Path.home()).wheels()
    folder = workspace.spec.sources.torch
    if folder is not None and "://" not in folder.value:
        local = workspace.directory / Path(folder.value).expanduser()
        wheels = tuple(sorted(local.glob("*.whl")))
    missing = _knock(workspace, environ) if probes else {}
    images = tuple(tag for image in engine.images("") for tag in image.tags) if engine and probes else ()
    return Reach(
        unreachable=tuple(sorted(missing.items())),
        local_images=images,
        local_wheels=tuple(wheel.name for wheel in wheels),
        wheel_dir=str(wheels[0].parent) if wheels else None,
        can_bootstrap=probes and _can_bootstrap(),
    )


def _can_bootstrap() -> bool:
    from builder.host import bootstrap

    return bootstrap.is_possible()


def _knock(workspace: Workspace, environ: Mapping[str, str]) -> dict[str, str]:
    from builder.host.local import ca_bundle
    from builder.host.reach import unreachable

    return unreachable(places(workspace), ca_bundle(environ))


def places(workspace: Workspace) -> dict[str, str]:
    """Where to knock: the sources wsb.yaml names, else their usual places."""
    from builder.host.reach import USUAL_PLACES

    sources = workspace.spec.sources
    named = {"conda": sources.conda, "miniconda": sources.miniconda, "torch": sources.torch, "pip": sources.pip}
    chosen = dict(USUAL_PLACES)
    for source, where in named.items():
        if where is None:
            continue
        if where.value.startswith(("http://", "https://")):
            chosen[source] = where.value.partition("#")[0]
        else:
            del chosen[source]  # a folder of this machine: there is nothing to knock at
    return chosen


def with_local_sources(plan: Plan, environ: Mapping[str, str]) -> Plan:
    """The plan with this machine's certificate authorities, where the project names none. Never part of the digest."""
    from builder.host.local import ca_bundle

    if plan.sources.ca is not None:
        return plan
    return replace(plan, sources=replace(plan.sources, ca=ca_bundle(environ)))


def _json(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _digest(contents: Mapping[str, bytes]) -> str:
    total = hashlib.sha256()
    for path in sorted(contents):
        total.update(f"{path}\0{len(contents[path])}\0".encode())
        total.update(contents[path])
    return f"sha256:{total.hexdigest()}"


def _suggested_name(folder: Path) -> str:
    name = "".join(character if character.isalnum() else "-" for character in folder.name.lower()).strip("-")
    return name or "project"
