"""The links from the engine to a kernel that runs: toolkit, engine, the way in, the container, torch's build."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from builder import catalog
from builder.doctor import wording
from builder.doctor.card import is_loaded
from builder.doctor.facts import Facts, Trouble
from builder.doctor.says import error, fine, warning
from builder.model.engine import EngineInfo
from builder.model.report import Check, Finding, Report, Status
from builder.model.values import DriverVersion, Unknown
from builder.resolve.passthrough import Handing, choose_passthrough

_GENERATE: Final = ("nvidia-ctk", "cdi", "generate", "--output=/etc/cdi/nvidia.yaml")
_ARRIVAL: Final = ("gpu.request", "gpu.wiring", "gpu.nvml", "gpu.cuda", "gpu.compat")
_BROKEN_WAYS: Final = ("container-toolkit-missing", "cdi-spec-missing", "podman-too-old-for-gpu", "desktop-has-no-gpu")


def toolkit(facts: Facts) -> Iterator[Finding]:
    """Whether the NVIDIA Container Toolkit is installed where the engine runs."""
    engine, details = facts.engine, facts.host.details
    if not facts.has_nvidia or details is None or details.flavour == "mac" or not is_loaded(facts):
        return
    if isinstance(engine, EngineInfo) and (engine.is_remote or engine.is_desktop):
        return  # its programs are not on this PATH
    found = sorted(facts.tools & {"nvidia-ctk", "nvidia-container-runtime", "nvidia-container-runtime-hook", "nvidia-cdi-hook"})
    if found:
        yield fine("toolkit", "toolkit", f"installed ({', '.join(found)})")
    elif isinstance(engine, EngineInfo) and ("nvidia" in engine.runtimes or engine.cdi_names("nvidia.com/gpu")):
        yield fine("toolkit", "toolkit", "not on PATH; the engine has what it needs of it")
    else:
        message = "the NVIDIA Container Toolkit is not installed: no container gets the GPU"
        yield error("toolkit-missing", "toolkit", message, wording.install_toolkit(facts.distribution))


def engine(facts: Facts) -> Iterator[Finding]:
    """Whether an engine answers."""
    if isinstance(facts.engine, Trouble):
        yield _unusable(facts, facts.engine)
        return
    found = facts.engine
    kind = {"docker": "Docker", "podman": "Podman"}[found.kind]
    traits = [word for word, holds in (("rootless", found.is_rootless), ("Desktop", found.is_desktop)) if holds]
    where = f" at {found.endpoint}" if found.endpoint else ""
    yield fine("engine", "engine", f"{kind} {found.version}{where}{''.join(f', {trait}' for trait in traits)}")
    if found.os and found.os != "linux":
        remedy = "Docker Desktop: switch to Linux containers"
        yield error("engine-not-linux", "engine", f"it runs {found.os} containers, and a workspace is a Linux one", remedy)


def passthrough(facts: Facts) -> Iterator[Finding]:
    """Whether the engine can hand the GPU into a container."""
    if isinstance(facts.engine, Trouble) or not (facts.has_nvidia or facts.has_amd):
        return
    if facts.has_nvidia and not is_loaded(facts):
        return
    way = choose_passthrough("cuda" if facts.has_nvidia else "rocm", facts.host)
    broken = [warned for warned in way.warnings if warned.code in _BROKEN_WAYS]
    if not broken:
        yield fine("passthrough", "passthrough", f"{way.mode.value}: {way.because}")
    for warned in way.warnings:
        if warned.code == "container-toolkit-missing" and not facts.tools & {"nvidia-ctk"}:
            continue  # said by the link before
        make = error if warned in broken else warning
        fix = (("mkdir", "-p", "/etc/cdi"), _GENERATE) if _is_generated(facts, way) else ()
        yield make(warned.code, "passthrough", warned.message, _register(facts, warned.code), fix=fix)


def container(facts: Facts) -> Iterator[Finding]:
    """Whether a container sees the device."""
    if isinstance(facts.inside, Unknown):
        yield warning("container-not-asked", "container", f"not looked into: {facts.inside.because}", "`wsb build`, then again")
    elif isinstance(facts.inside, Trouble):
        message = f"none starts with the GPU: {facts.inside.message}"
        yield error("container-refused", "container", message, "; ".join(facts.inside.hints) or "`wsb test` says more")
    elif facts.inside is not None:
        arrived = [check for check in facts.inside.checks if check.id in _ARRIVAL]
        yield from _answered("container", "the GPU is in it", arrived)


def torch(facts: Facts) -> Iterator[Finding]:
    """Whether the torch of this project's image is built for this machine."""
    if facts.built is None or facts.built.torch is None or facts.built.variant is None:
        return
    built, variant, known = facts.built, facts.built.variant, facts.host.driver
    named = f"{built.image} has torch {built.torch}"
    if variant.cuda is None:
        if facts.has_nvidia and is_loaded(facts) and variant.name == "cpu":
            remedy = "`accelerator: auto` or `cuda` in wsb.yaml, then `wsb build`"
            yield warning("torch-is-cpu", "torch", f"{named}, a CPU build, on a machine with a GPU", remedy)
        else:
            yield fine("torch", "torch", named)
        return
    floor = catalog.load().driver_floor(variant, facts.host.os)
    if known is None and not facts.has_nvidia:
        yield fine("torch", "torch", f"{named}; there is no GPU for it here")
    elif isinstance(known, DriverVersion) and floor is not None and known < floor:
        remedy = f"`wsb build` takes a build that driver {known} runs; or a driver from {floor} on"
        yield error("driver-too-old", "torch", f"{named}, which needs driver {floor}, and {known} is loaded", remedy)
    else:
        yield fine("torch", "torch", named)
    if isinstance(facts.inside, Report):
        yield from _failed("torch", [check for check in facts.inside.checks if check.group == "torch"])


def kernel(facts: Facts) -> Iterator[Finding]:
    """Whether a kernel really ran."""
    if not isinstance(facts.inside, Report):
        return
    ran = [check for check in facts.inside.checks if check.id in ("gpu.visible", "gpu.add.exact", "gpu.matmul.fp32")]
    if facts.inside.device == "mock":
        yield fine("kernel", "kernel", "not run: the device is a mock; wiring pass, compute not run")
    else:
        yield from _answered("kernel", f"computed on {facts.inside.device}", ran)


# --- what the links are made of


def _unusable(facts: Facts, trouble: Trouble) -> Finding:
    """By what was seen of it: forbidden, not installed, not started, or somewhere else."""
    is_wsl = facts.host.details is not None and facts.host.details.flavour == "wsl"
    where, message = facts.distribution, trouble.message
    others = "; ".join(hint for hint in trouble.hints if "DOCKER_HOST=" in hint)
    is_usual = "/var/run/docker.sock" in message
    if trouble.code != "engine-unreachable":
        return error(trouble.code, "engine", message, "; ".join(trouble.hints))
    if "may not open" in message:
        remedy = "`sudo usermod -aG docker $USER`, then log in again; or rootless Docker"
        return error("engine-denied", "engine", message, remedy)
    if others:
        return error("engine-elsewhere", "engine", message, others)
    if not is_usual:
        remedy = "start that engine, or unset DOCKER_HOST and DOCKER_CONTEXT (`docker context use default`)"
        return error("engine-unreachable", "engine", message, remedy)
    if "does not exist" in message and not facts.tools & {"dockerd", "docker", "podman"}:
        return error("engine-missing", "engine", message, wording.install_engine(where, is_wsl=is_wsl))
    fix = (("systemctl", "start", "docker"),) if {"dockerd", "systemctl"} <= facts.tools else ()
    return error("engine-unreachable", "engine", message, wording.start_engine(where, is_wsl=is_wsl), fix=fix)


def _register(facts: Facts, code: str) -> str:
    if code == "container-toolkit-missing":
        return f"`sudo nvidia-ctk runtime configure --runtime=docker`, then {wording.restart(facts.distribution)}"
    if code == "cdi-spec-missing":
        return f"`sudo {' '.join(_GENERATE)}`"
    return "`wsb plan` says which way would be taken"


def _is_generated(facts: Facts, way: Handing) -> bool:
    """Whether a CDI file would mend it, and can be written here."""
    is_here = isinstance(facts.engine, EngineInfo) and not facts.engine.is_remote
    return is_here and "nvidia-ctk" in facts.tools and any(warned.code == "cdi-spec-missing" for warned in way.warnings)


def _answered(link: str, well: str, checks: list[Check]) -> Iterator[Finding]:
    failed = list(_failed(link, checks))
    yield from failed
    if not failed and any(check.status is Status.PASS for check in checks):
        yield fine(link, link, well)


def _failed(link: str, checks: list[Check]) -> Iterator[Finding]:
    for check in checks:
        if check.status is Status.FAIL:
            message = f"{check.id}: {check.measured}" if check.measured is not None else check.id
            yield error(check.id, link, message, check.hint or "`wsb test` says more")
