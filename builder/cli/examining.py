"""Gathering what `wsb doctor` looks at: every question at once and each with its limit, then the one that needs a container."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from builder import making, pipeline
from builder.cli import common
from builder.doctor.checks import may_ask_a_container
from builder.doctor.facts import Built, Facts, Trouble
from builder.doctor.together import Question, ask_together
from builder.engine.base import EngineInfo, ImageInfo
from builder.errors import Problems, WsbError
from builder.host import bootstrap, machine
from builder.host.local import PROXY_NAMES, ca_bundle, local_host
from builder.host.pip_config import read_pip_config
from builder.host.reach import TELLING_PLACES, USUAL_PLACES, measured
from builder.model.frozen import frozen
from builder.model.host import Host
from builder.model.machine import Place
from builder.model.report import Report
from builder.model.values import Unknown, Variant

_HOST_S: Final = 5.0
_ENGINE_S: Final = 10.0
_SOURCE_S: Final = 2.5
_ELSEWHERE_S: Final = 30.0
_INSIDE_S: Final = 60.0
_ASKED_INSIDE: Final = (
    *("gpu.wiring", "gpu.nvml", "gpu.cuda", "gpu.compat", "gpu.visible", "gpu.add.exact", "gpu.matmul.fp32"),
    "torch.variant",
)
_DEBIAN: Final = "http://deb.debian.org/debian/dists/bookworm/InRelease"  # the default base's own packages
_TOOLS: Final = (
    *("nvidia-smi", "nvidia-ctk", "nvidia-container-runtime", "nvidia-container-runtime-hook", "nvidia-cdi-hook"),
    *("docker", "dockerd", "podman", "systemctl", "timedatectl", "modprobe", "mmdebstrap", "sudo"),
)


@frozen
class _Answered:
    """What the engine told in one visit. image: the one to look into a container with."""

    info: EngineInfo
    built: Built | None
    image: ImageInfo | None
    has_base: bool


def gather(directory: str, environ: Mapping[str, str]) -> Facts:
    """The facts of this machine, its engine and its network. Never raises: what cannot be had is told as such."""
    workspace = _workspace(directory)
    places = _places(workspace, environ)
    ca = ca_bundle(environ)
    questions = {
        "host": Question(ask=local_host, limit_s=_HOST_S),
        "engine": Question(ask=partial(_visit, environ, workspace), limit_s=_ENGINE_S),
        **{
            source: Question(ask=partial(measured, source, url, ca, _SOURCE_S), limit_s=_SOURCE_S + 0.3)
            for source, url in places.items()
        },
    }
    answers = ask_together(questions)
    host, visited = _host(answers["host"]), answers["engine"]
    engine = visited.info if isinstance(visited, _Answered) else _trouble(visited)
    host = replace(host, engine=visited.info if isinstance(visited, _Answered) else Unknown(_trouble(visited).message))
    if isinstance(engine, EngineInfo) and engine.is_remote:
        host = _elsewhere(environ, engine, host)
    root = engine.root_dir if isinstance(engine, EngineInfo) and not (engine.is_remote or engine.is_desktop) else ""
    volumes = (
        machine.volume(root, "engine") if root else None,
        machine.volume(str(Path(directory).resolve()), "project"),
        machine.volume(tempfile.gettempdir(), "temporary"),
    )
    facts = Facts(
        host=host,
        distribution=machine.distribution(),
        engine=engine,
        tools=machine.tools(_TOOLS, environ),
        volumes=tuple(one for one in volumes if one is not None),
        memory=machine.memory(),
        shm_bytes=machine.shm_bytes(),
        proxies=tuple((name, environ[name]) for name in _proxy_names() if environ.get(name)),
        certificates=machine.certificates(environ),
        places=tuple(_place(source, url, answers[source]) for source, url in places.items()),
        can_bootstrap=bootstrap.is_possible(),
        has_base=isinstance(visited, _Answered) and visited.has_base,
        built=visited.built if isinstance(visited, _Answered) else None,
    )
    return replace(facts, inside=_inside(facts, visited, environ))


def _proxy_names() -> tuple[str, ...]:
    return tuple(spelling for name in PROXY_NAMES for spelling in (name, name.lower()))


def _workspace(directory: str) -> pipeline.Workspace | None:
    """The project wsb was started in, where there is one that can be read."""
    try:
        return pipeline.read(pipeline.find_directory(Path(directory)))
    except (WsbError, Problems):
        return None


def _places(workspace: pipeline.Workspace | None, environ: Mapping[str, str]) -> dict[str, str]:
    """The sources of this project, else the usual ones; pip's own index where it is told one."""
    chosen = pipeline.places(workspace) if workspace else dict(USUAL_PLACES)
    index = read_pip_config(environ, Path.home()).index_url
    if index and chosen.get("pip") == USUAL_PLACES["pip"]:
        chosen["pip"] = f"{index.rstrip('/')}/numpy/"
    mirror = workspace.spec.sources.apt if workspace else None
    chosen["apt"] = mirror.value if mirror else _DEBIAN
    return {source: TELLING_PLACES[source] if url == USUAL_PLACES.get(source) else url for source, url in chosen.items()}


def _place(source: str, url: str, answer: Place | Unknown) -> Place:
    return answer if isinstance(answer, Place) else Place(source=source, url=url, why_not=answer.because)


def _host(answer: Host | Unknown) -> Host:
    if isinstance(answer, Host):
        return answer
    return Host(os="linux", arch="x86_64", driver=answer, gpus=answer)


def _visit(environ: Mapping[str, str], workspace: pipeline.Workspace | None) -> _Answered | Trouble:
    """One connection to the engine, and all that is asked of it."""
    from builder.engine.docker_sdk import DockerEngine

    try:
        engine = DockerEngine.connect(environ)
        try:
            built = engine.tags("dev.wsb.plan.digest")
            own = engine.image(f"{workspace.spec.name.value}:latest") if workspace else None
            own = own if own is not None and "dev.wsb.plan.digest" in own.labels else None
            return _Answered(
                info=common.engine_info(engine),
                built=_built(own) if own else None,
                image=own or (engine.image(built[0]) if built else None),
                has_base=bool(built) or any(engine.image(name) for name in _bases(workspace)),
            )
        finally:
            engine.close()
    except WsbError as error:
        seen = "; ".join([error.message, *error.details])
        return Trouble(code=error.code, message=seen, hints=tuple(error.hints))


def _bases(workspace: pipeline.Workspace | None) -> tuple[str, ...]:
    """Images a workspace may stand on, which then need no registry."""
    from builder import catalog

    named = workspace.spec.base if workspace else None
    asked = getattr(getattr(named, "value", None), "image", None)
    return tuple(filter(None, (asked if isinstance(asked, str) else None, catalog.load().default_base, "wsb/base:bookworm")))


def _built(image: ImageInfo) -> Built:
    """From its label, which is 2.6.0+cu126, or none."""
    version, _, name = image.labels.get("dev.wsb.torch", "none").partition("+")
    try:
        variant = Variant.parse(name) if name else None
    except ValueError:
        variant = None
    return Built(image=next(iter(image.tags), image.id), torch=None if version == "none" else version, variant=variant)


def _trouble(answer: Any) -> Trouble:
    if isinstance(answer, Trouble):
        return answer
    return Trouble(
        code="engine-silent", message=f"the engine: {answer.because}", hints=("restart it; is the machine very busy?",)
    )


def _elsewhere(environ: Mapping[str, str], info: EngineInfo, here: Host) -> Host:
    """The engine's own machine, looked at by a container there."""
    from builder.engine.docker_sdk import DockerEngine
    from builder.surroundings import host_of

    def look() -> Host:
        engine = DockerEngine.connect(environ)
        try:
            return host_of(engine, info, here)
        finally:
            engine.close()

    found = ask_together({"host": Question(ask=look, limit_s=_ELSEWHERE_S)})["host"]
    return found if isinstance(found, Host) else replace(here, driver=found, gpus=found, details=None)


def _inside(facts: Facts, visited: Any, environ: Mapping[str, str]) -> Report | Trouble | Unknown | None:
    """What a container on this engine sees of the GPU; None where there is none to see, or a link before is broken."""
    if not isinstance(visited, _Answered) or not may_ask_a_container(facts):
        return None
    if not (facts.has_nvidia or facts.has_amd or visited.info.cdi_names("nvidia.com/gpu")):
        return None
    if visited.image is None:
        return Unknown("no workspace is built on this engine yet")
    look = partial(_look_inside, visited.image, environ)
    answer = ask_together({"container": Question(ask=look, limit_s=_INSIDE_S)})["container"]
    return answer if isinstance(answer, Report | Trouble | Unknown) else None


def _look_inside(image: ImageInfo, environ: Mapping[str, str]) -> Report | Trouble:
    """The few questions that tell whether the GPU arrives and computes, in the words of `wsb test`."""
    from builder.cli.asking import ask
    from builder.engine.docker_sdk import DockerEngine
    from builder.ui.console import Console

    engine = DockerEngine.connect(environ)
    silent = Console(io.StringIO(), io.StringIO(), {}, False)
    try:
        document = json.loads(engine.files_from_image(image.id, [common.PLAN_IN_IMAGE])[common.PLAN_IN_IMAGE])
        with tempfile.TemporaryDirectory(prefix="wsb-doctor-") as empty:
            questions = making.Questions(gpu="required", checks=_ASKED_INSIDE)
            return ask(silent, engine, document, Path(empty), image, questions)
    except WsbError as error:
        return Trouble(code=error.code, message="; ".join([error.message, *error.details]), hints=tuple(error.hints))
    finally:
        engine.close()
