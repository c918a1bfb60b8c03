"""The chain from the card to a kernel that runs, link by link: a check looks at the facts of one link and says what it found.

Further links are not judged where an earlier one explains them: without a driver, nothing is said of NVML.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from builder import catalog
from builder.doctor import wording
from builder.doctor.facts import Facts, Trouble
from builder.model.engine import EngineInfo
from builder.model.host import BusGpu, Gpu, HostDetails
from builder.model.report import Check, Finding, Report, Severity, Status
from builder.model.values import DriverVersion, Unknown
from builder.resolve.passthrough import Handing, choose_passthrough

_GENERATE: Final = ("nvidia-ctk", "cdi", "generate", "--output=/etc/cdi/nvidia.yaml")
_BROKEN_WAYS: Final = ("container-toolkit-missing", "cdi-spec-missing", "podman-too-old-for-gpu", "desktop-has-no-gpu")


def gpu(facts: Facts) -> Iterator[Finding]:
    """Whether the machine has a GPU at all, and whether each answers."""
    details, gpus = facts.host.details, facts.host.gpus
    if isinstance(gpus, Unknown):
        yield _warning("gpu-unknown", "gpu", f"the GPUs are not known: {gpus.because}", "tell them: `--gpu`, `--driver`")
    elif gpus:
        yield _fine("gpu", "gpu", _counted(gpus))
    elif details and details.flavour == "mac":
        yield _fine(
            "no-gpu", "gpu", "a Mac: containers run in a virtual machine that no GPU is handed into; builds are for the CPU"
        )
    elif facts.has_nvidia or facts.has_amd:
        yield _fine("gpu", "gpu", _on_bus(details))
    else:
        yield _fine("no-gpu", "gpu", "none on this machine: builds are for the CPU, which is no fault")
    for sentence in details.lost if details else ():
        yield _error("gpu-lost", "gpu", sentence, "restart the machine; if it comes again: power, cooling, the card's seat")
    for one in () if isinstance(gpus, Unknown) else gpus:
        yield from _state(one)


def driver(facts: Facts) -> Iterator[Finding]:
    """Whether the kernel has a driver for the card."""
    details = facts.host.details
    if details is None or details.flavour == "mac":
        return
    if facts.has_nvidia or details.flavour in ("wsl", "jetson"):
        yield from _nvidia_driver(facts, details)
    if facts.has_amd:
        yield from _amd_driver(details)


def nvml(facts: Facts) -> Iterator[Finding]:
    """Whether the driver's libraries answer, and its device files are there."""
    details = facts.host.details
    if details is None or details.flavour in ("mac", "jetson") or not facts.has_nvidia or not _is_loaded(facts):
        return
    said = f": {details.nvml_said}" if details.nvml_said else ""
    where = facts.distribution
    if details.nvml == "works":
        yield _fine("nvml", "nvml", "answers")
    elif details.nvml == "absent":
        remedy = wording.install_driver(where, is_wsl=details.flavour == "wsl")
        yield _error(
            "nvml-missing", "nvml", "the kernel has the driver, but its library libnvidia-ml.so.1 is not installed", remedy
        )
    elif details.nvml == "mismatch":
        remedy = "restart the machine; then `nvidia-ctk cdi generate` again where CDI is used"
        message = "the driver's packages were updated, and the old kernel module still runs: its libraries and it do not fit"
        yield _error("nvml-mismatch", "nvml", message, remedy)
    elif details.nvml == "driver-not-loaded":
        yield _error("driver-not-loaded", "nvml", f"NVML finds no loaded driver{said}", wording.load_driver(where))
    elif details.nvml == "no-permission":
        remedy = "add this user to the group that owns /dev/nvidia* (`ls -l /dev/nvidia0`), or see NVreg_DeviceFileMode"
        yield _error("nvml-no-permission", "nvml", "this user may not open the GPU's device files", remedy)
    elif details.nvml == "other":
        yield _error("nvml-broken", "nvml", f"NVML does not start{said}", "restart the machine; else install the driver anew")
    files = {path for path, _ in details.nodes}
    if details.nvml == "works" and details.flavour == "plain" and "/dev/nvidia0" in files and "/dev/nvidia-uvm" not in files:
        message = "/dev/nvidia-uvm is missing: CUDA will not start (unknown error)"
        remedy = "`sudo modprobe nvidia-uvm`, or `sudo nvidia-modprobe -u -c 0`"
        yield _error("uvm-missing", "nvml", message, remedy, fix=(("modprobe", "nvidia-uvm"),))


def toolkit(facts: Facts) -> Iterator[Finding]:
    """Whether the NVIDIA Container Toolkit is installed where the engine runs."""
    engine, details = facts.engine, facts.host.details
    if not facts.has_nvidia or details is None or details.flavour == "mac" or not _is_loaded(facts):
        return
    if isinstance(engine, EngineInfo) and (engine.is_remote or engine.is_desktop):
        return  # its programs are not on this PATH
    found = sorted(facts.tools & {"nvidia-ctk", "nvidia-container-runtime", "nvidia-container-runtime-hook", "nvidia-cdi-hook"})
    if found:
        yield _fine("toolkit", "toolkit", f"installed ({', '.join(found)})")
    elif isinstance(engine, EngineInfo) and ("nvidia" in engine.runtimes or engine.cdi_names("nvidia.com/gpu")):
        yield _fine("toolkit", "toolkit", "not on PATH; the engine has what it needs of it")
    else:
        message = "the NVIDIA Container Toolkit is not installed: no container gets the GPU"
        yield _error("toolkit-missing", "toolkit", message, wording.install_toolkit(facts.distribution))


def engine(facts: Facts) -> Iterator[Finding]:
    """Whether an engine answers."""
    if isinstance(facts.engine, Trouble):
        yield _unusable(facts, facts.engine)
        return
    found = facts.engine
    kind = {"docker": "Docker", "podman": "Podman"}[found.kind]
    traits = [word for word, holds in (("rootless", found.is_rootless), ("Desktop", found.is_desktop)) if holds]
    where = f" at {found.endpoint}" if found.endpoint else ""
    yield _fine("engine", "engine", f"{kind} {found.version}{where}{''.join(f', {trait}' for trait in traits)}")
    if found.os and found.os != "linux":
        remedy = "Docker Desktop: switch to Linux containers"
        yield _error("engine-not-linux", "engine", f"it runs {found.os} containers, and a workspace is a Linux one", remedy)


def passthrough(facts: Facts) -> Iterator[Finding]:
    """Whether the engine can hand the GPU into a container."""
    if isinstance(facts.engine, Trouble) or not (facts.has_nvidia or facts.has_amd):
        return
    if facts.has_nvidia and not _is_loaded(facts):
        return
    way = choose_passthrough("cuda" if facts.has_nvidia else "rocm", facts.host)
    broken = [warned for warned in way.warnings if warned.code in _BROKEN_WAYS]
    if not broken:
        yield _fine("passthrough", "passthrough", f"{way.mode.value}: {way.because}")
    for warned in way.warnings:
        if warned.code == "container-toolkit-missing" and not facts.tools & {"nvidia-ctk"}:
            continue  # said by the link before
        make = _error if warned in broken else _warning
        fix = (("mkdir", "-p", "/etc/cdi"), _GENERATE) if _is_generated(facts, way) else ()
        yield make(warned.code, "passthrough", warned.message, _register(facts, warned.code), fix=fix)


def container(facts: Facts) -> Iterator[Finding]:
    """Whether a container sees the device."""
    if isinstance(facts.inside, Unknown):
        yield _warning(
            "container-not-asked", "container", f"not looked into: {facts.inside.because}", "`wsb build`, then again"
        )
    elif facts.inside is not None:
        arrived = [check for check in facts.inside.checks if check.id in ("gpu.wiring", "gpu.nvml", "gpu.cuda", "gpu.compat")]
        yield from _answered("container", "the GPU is in it", arrived)


def torch(facts: Facts) -> Iterator[Finding]:
    """Whether the torch of this project's image is built for this machine."""
    if facts.built is None or facts.built.torch is None or facts.built.variant is None:
        return
    built, variant, known = facts.built, facts.built.variant, facts.host.driver
    named = f"{built.image} has torch {built.torch}"
    if variant.cuda is None:
        if facts.has_nvidia and _is_loaded(facts) and variant.name == "cpu":
            remedy = "`accelerator: auto` or `cuda` in wsb.yaml, then `wsb build`"
            yield _warning("torch-is-cpu", "torch", f"{named}, a CPU build, on a machine with a GPU", remedy)
        else:
            yield _fine("torch", "torch", named)
        return
    floor = catalog.load().driver_floor(variant, facts.host.os)
    if known is None and not facts.has_nvidia:
        yield _fine("torch", "torch", f"{named}; there is no GPU for it here")
    elif isinstance(known, DriverVersion) and floor is not None and known < floor:
        remedy = f"`wsb build` takes a build that driver {known} runs; or a driver from {floor} on"
        yield _error("driver-too-old", "torch", f"{named}, which needs driver {floor}, and {known} is loaded", remedy)
    else:
        yield _fine("torch", "torch", named)
    if isinstance(facts.inside, Report):
        yield from _failed("torch", [check for check in facts.inside.checks if check.group == "torch"])


def kernel(facts: Facts) -> Iterator[Finding]:
    """Whether a kernel really ran."""
    if not isinstance(facts.inside, Report):
        return
    ran = [check for check in facts.inside.checks if check.id in ("gpu.visible", "gpu.add.exact", "gpu.matmul.fp32")]
    if facts.inside.device == "mock":
        yield _fine("kernel", "kernel", "not run: the device is a mock; wiring pass, compute not run")
    else:
        yield from _answered("kernel", f"computed on {facts.inside.device}", ran)


# --- what the links are made of


def _nvidia_driver(facts: Facts, details: HostDetails) -> Iterator[Finding]:
    known, is_wsl = facts.host.driver, details.flavour == "wsl"
    if details.flavour == "jetson":
        yield _fine("driver", "driver", "a Jetson's own, part of its L4T release")
    elif isinstance(known, DriverVersion):
        cuda = f", which offers CUDA {facts.host.driver_cuda}" if facts.host.driver_cuda else ""
        yield _fine("driver", "driver", f"NVIDIA {known}{cuda}")
    elif is_wsl:
        yield _error(
            "driver-missing",
            "driver",
            "WSL, and Windows hands no GPU into it",
            wording.install_driver(facts.distribution, is_wsl=True),
        )
    elif isinstance(known, Unknown):
        pass  # NVML says why, the next link
    else:
        yield _without_driver(facts, [one for one in _cards(details) if one.vendor == "nvidia"])


def _without_driver(facts: Facts, cards: list[BusGpu]) -> Finding:
    held = sorted({card.kernel_driver for card in cards if card.kernel_driver})
    remedy = wording.install_driver(facts.distribution)
    if held == ["nouveau"] or held == ["nova_core"]:
        message = f"the card is driven by {held[0]}, which has no CUDA"
        return _error("nouveau", "driver", message, f"{remedy} (NVIDIA's packages switch {held[0]} off)")
    if held == ["vfio-pci"]:
        return _error(
            "vfio",
            "driver",
            "the card is set apart for a virtual machine (vfio-pci)",
            "use it there, or give it back to nvidia",
        )
    if held and held[0].startswith("nvidia"):
        return _error(
            "driver-not-loaded",
            "driver",
            "the driver has the card, but does not answer",
            wording.load_driver(facts.distribution),
        )
    return _error(
        "driver-missing", "driver", "an NVIDIA card is there, and no driver is loaded", wording.load_driver(facts.distribution)
    )


def _amd_driver(details: HostDetails) -> Iterator[Finding]:
    files = {path for path, _ in details.nodes}
    release = f", ROCm {details.rocm}" if details.rocm else ""
    if "/dev/kfd" in files:
        yield _fine("amdgpu", "driver", f"amdgpu with /dev/kfd{release}")
    elif any(card.vendor == "amd" and card.kernel_driver for card in _cards(details)):
        message = "the kernel drives AMD's card, but /dev/kfd is missing: it shows pictures and does not compute"
        yield _warning("kfd-missing", "driver", message, "a card that ROCm supports, and amdgpu-dkms from AMD's repository")
    else:
        yield _error("amdgpu-missing", "driver", "an AMD card is there, and amdgpu is not loaded", "`sudo modprobe amdgpu`")


def _unusable(facts: Facts, trouble: Trouble) -> Finding:
    """By what was seen of it: forbidden, not installed, not started, or somewhere else."""
    is_wsl = facts.host.details is not None and facts.host.details.flavour == "wsl"
    where, message = facts.distribution, trouble.message
    others = "; ".join(hint for hint in trouble.hints if "DOCKER_HOST=" in hint)
    is_usual = "/var/run/docker.sock" in message
    if trouble.code != "engine-unreachable":
        return _error(trouble.code, "engine", message, "; ".join(trouble.hints))
    if "may not open" in message:
        remedy = "`sudo usermod -aG docker $USER`, then log in again; or rootless Docker"
        return _error("engine-denied", "engine", message, remedy)
    if others:
        return _error("engine-elsewhere", "engine", message, others)
    if not is_usual:
        remedy = "start that engine, or unset DOCKER_HOST and DOCKER_CONTEXT (`docker context use default`)"
        return _error("engine-unreachable", "engine", message, remedy)
    if "does not exist" in message and not facts.tools & {"dockerd", "docker", "podman"}:
        return _error("engine-missing", "engine", message, wording.install_engine(where, is_wsl=is_wsl))
    fix = (("systemctl", "start", "docker"),) if {"dockerd", "systemctl"} <= facts.tools else ()
    return _error("engine-unreachable", "engine", message, wording.start_engine(where, is_wsl=is_wsl), fix=fix)


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


def _state(one: Gpu) -> Iterator[Finding]:
    state, name = one.state, f"GPU {one.index} ({one.name})"
    if state is None:
        return
    if state.ecc_errors:
        message = f"{name} counts {state.ecc_errors} memory errors that could not be corrected"
        yield _warning(
            "gpu-ecc", "gpu", message, "restart; if they come again (`nvidia-smi -q -d ECC`), the card is to be replaced"
        )
    if state.compute_mode == "prohibited":
        remedy = "`sudo nvidia-smi -c DEFAULT`"
        yield _error("gpu-prohibited", "gpu", f"{name} is in compute mode prohibited: no program may use it", remedy)
    elif state.compute_mode == "exclusive" and state.processes:
        message = f"{name} is in exclusive mode, and a program has it"
        yield _warning("gpu-exclusive", "gpu", message, "wait, take another (`--gpus`), or `sudo nvidia-smi -c DEFAULT`")
    if state.is_mig_on and not state.mig:
        remedy = "`sudo nvidia-smi mig -cgi 0 -C` makes one, `sudo nvidia-smi -mig 0` ends MIG"
        yield _error("mig-empty", "gpu", f"{name} is in MIG mode without an instance: it has nothing to compute on", remedy)


def _answered(link: str, well: str, checks: list[Check]) -> Iterator[Finding]:
    failed = list(_failed(link, checks))
    yield from failed
    if not failed and any(check.status is Status.PASS for check in checks):
        yield _fine(link, link, well)


def _failed(link: str, checks: list[Check]) -> Iterator[Finding]:
    for check in checks:
        if check.status is Status.FAIL:
            message = f"{check.id}: {check.measured}" if check.measured is not None else check.id
            yield _error(check.id, link, message, check.hint or "`wsb test` says more")


def _is_loaded(facts: Facts) -> bool:
    details = facts.host.details
    return facts.host.driver is not None or (details is not None and details.flavour == "jetson")


def _cards(details: HostDetails) -> tuple[BusGpu, ...]:
    return () if isinstance(details.bus, Unknown) else details.bus


def _on_bus(details: HostDetails | None) -> str:
    cards = _cards(details) if details else ()
    named = [card.name or f"{card.vendor} {card.device_id}" for card in cards if card.vendor in ("nvidia", "amd", "intel")]
    return ", ".join(named) + ", on the bus" if named else "told by its driver"


def _counted(gpus: tuple[Gpu, ...]) -> str:
    """ "2 × NVIDIA H100 80GB HBM3 (80 GB)"."""
    kinds: dict[str, int] = {}
    for one in gpus:
        memory = f" ({round(one.memory_mib / 1024)} GB)" if one.memory_mib else ""
        kinds[one.name + memory] = kinds.get(one.name + memory, 0) + 1
    return ", ".join(f"{count} × {name}" if count > 1 else name for name, count in kinds.items())


def _fine(id: str, link: str, message: str) -> Finding:
    return Finding(id=id, severity=Severity.INFO, message=message, link=link)


def _warning(id: str, link: str, message: str, remedy: str, fix: tuple[tuple[str, ...], ...] = ()) -> Finding:
    return Finding(id=id, severity=Severity.WARNING, message=message, remedy=remedy, link=link, fix=fix)


def _error(id: str, link: str, message: str, remedy: str, fix: tuple[tuple[str, ...], ...] = ()) -> Finding:
    return Finding(id=id, severity=Severity.ERROR, message=message, remedy=remedy, link=link, fix=fix)
