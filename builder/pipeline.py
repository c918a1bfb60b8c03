"""The sentence of the design as short functions: read, decide, render, build, prove.

Each takes what the last returned. Nothing here prints; long work tells its events to a listener.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder import __version__
from builder.errors import Problems, WsbError
from builder.model.files import FileSet
from builder.model.frozen import frozen
from builder.model.host import Host, Reach
from builder.model.plan import Plan
from builder.model.project import EMPTY_PROJECT, Project
from builder.model.spec import Spec
from builder.model.values import Location, Passthrough

if TYPE_CHECKING:
    from builder.engine.base import Engine
    from builder.locking import Renderer
    from builder.model.lock import Lock, LockedPlatform

CONFIG = "wsb.yaml"


@frozen
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


def platform_of(host: Host) -> str:
    """The platform of containers on this host."""
    return "linux/arm64" if host.arch == "aarch64" else "linux/amd64"


def read_lock(workspace: Workspace) -> Lock | None:
    """The project's wsb.lock; None where there is none. Raises WsbError bad-value for one that cannot be understood."""
    from builder.lock.text import FILE, parse

    try:
        return parse((workspace.directory / FILE).read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise WsbError("bad-value", f"cannot read {FILE}: {error}", where=Location(file=FILE)) from error


def decide_locked(
    workspace: Workspace, host: Host, lock: Lock | None, *, reach: Reach | None = None, accept_anaconda_terms: bool = False
) -> tuple[Plan, LockedPlatform]:
    """The plan that the lock was made for, checked against wsb.yaml and this host. What wsb.yaml leaves open is the lock's.

    Raises WsbError lock-outdated with every disagreement, and what `decide` raises when this host cannot run it.
    """
    from builder.lock import agree

    platform = platform_of(host)
    locked = lock.of(platform) if lock else None
    if locked is None:
        raise agree.missing(platform, tuple(one.platform for one in lock.platforms) if lock else ())
    pinned = replace(workspace, spec=agree.pinned(workspace.spec, locked))
    try:
        plan = decide(pinned, host, reach=reach, accept_anaconda_terms=accept_anaconda_terms)
    except WsbError as error:
        if error.code not in ("python-not-supported", "no-such-torch"):
            raise  # this host cannot run what is locked
        # what wsb.yaml says now does not go with the rest of the lock; by itself it may go well
        plan = decide(workspace, host, reach=reach, accept_anaconda_terms=accept_anaconda_terms)
    differences = agree.disagreements(plan, locked)
    if differences:
        raise agree.outdated(differences)
    return plan, locked


def decide_again(
    workspace: Workspace, host: Host, lock: Lock | None, *, reach: Reach | None = None, accept_anaconda_terms: bool = False
) -> Plan:
    """The plan to lock: what the last lock decided stays, where wsb.yaml and this host still allow it."""
    from builder.lock import agree

    platform = platform_of(host)
    locked = lock.of(platform) if lock else None
    if locked is not None:
        pinned = replace(workspace, spec=agree.pinned(workspace.spec, locked))
        with suppress(WsbError, Problems):
            return decide(pinned, host, reach=reach, accept_anaconda_terms=accept_anaconda_terms)
    return decide(workspace, host, reach=reach, accept_anaconda_terms=accept_anaconda_terms)


def write_lock(workspace: Workspace, lock: Lock | None, locked: LockedPlatform) -> None:
    """Put one platform into wsb.lock and leave the others in it. A lock of the same content keeps its bytes."""
    from builder.lock.text import FILE, dump
    from builder.model.lock import Lock
    from builder.store import write_file

    others = tuple(one for one in lock.platforms if one.platform != locked.platform) if lock else ()
    if lock is None or lock.of(locked.platform) != locked:
        text = dump(Lock(version=__version__, platforms=(*others, locked)))
        write_file(workspace.directory / FILE, text.encode("utf-8"))


def renderer(workspace: Workspace) -> Renderer:
    """What `locking.solve` renders with."""
    from builder import assets
    from builder.locking import Renderer

    return Renderer(
        render=lambda plan, locked: render(plan, locked=locked),
        templates=assets.dockerfile_templates(),
        version=__version__,
        project=workspace.directory,
    )


def render(plan: Plan, *, inputs_digest: str = "", locked: LockedPlatform | None = None) -> FileSet:
    """Every file the build needs besides the project's own. locked: to install exactly this."""
    from builder import assets
    from builder.render import names
    from builder.render.files import render_files
    from builder.verify.expect import GpuMode, expectations

    what = document(plan)
    if locked:  # reasons tell of the machine that plans; an image from a lock is the same from all of them
        what = {key: value for key, value in what.items() if key not in ("decisions", "warnings", "fallbacks", "sources")}
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
        locked=locked,
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
    images = engine.tags("") if engine and probes else ()
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
    """The plan with what this machine adds where the project is silent: certificate authorities, and the user's own mirrors.

    Never part of the digest, and of no document. Proxies are added where the project wants them in its image; one with a
    password is refused then (WsbError bad-value).
    """
    from builder.host.local import ca_bundle, proxies_to_keep
    from builder.resolve.sources import index_below

    ca = plan.sources.ca if plan.sources.ca is not None else ca_bundle(environ)
    found = machine_sources(environ)
    if plan.torch is None or plan.torch.index_url is None or plan.torch.wheel is not None:
        found.pop("torch", None)
    elif "torch" in found:
        found["torch"] = index_below(found["torch"], str(plan.torch.variant))
    proxies = proxies_to_keep(environ) if plan.sources.keep_proxies else ()
    return replace(plan, sources=replace(plan.sources, ca=ca, of_machine=tuple(sorted(found.items())), proxies=proxies))


def machine_sources(environ: Mapping[str, str]) -> dict[str, str]:
    """Kind → address, from the user's own configuration file. Raises Problems and WsbError with places in it."""
    from builder.catalog import load
    from builder.config.machine import read_machine
    from builder.resolve.sources import addresses

    path = machine_config(environ)
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise WsbError("no-such-file", f"cannot read {path}: {error}", where=Location(file=str(path))) from error
    return addresses(read_machine(text, str(path)), load())


def machine_config(environ: Mapping[str, str]) -> Path:
    """Where the user's own settings lie: WSB_CONFIG, else wsb/config.yaml in the folder for configuration."""
    if environ.get("WSB_CONFIG"):
        return Path(environ["WSB_CONFIG"])
    home = Path(environ.get("HOME") or Path.home())
    return Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "wsb" / "config.yaml"


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
