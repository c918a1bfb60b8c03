"""The first links of the chain: the card, the kernel's driver for it, and NVML.

A check looks at the facts of one link and says what it found. Further links are not judged where an earlier one explains
them: without a driver, nothing is said of NVML.
"""

from __future__ import annotations

from collections.abc import Iterator

from builder.doctor import wording
from builder.doctor.facts import Facts
from builder.doctor.says import error, fine, warning
from builder.model.host import BusGpu, Gpu, HostDetails
from builder.model.report import Finding
from builder.model.values import DriverVersion, Unknown


def gpu(facts: Facts) -> Iterator[Finding]:
    """Whether the machine has a GPU at all, and whether each answers."""
    details, gpus = facts.host.details, facts.host.gpus
    if isinstance(gpus, Unknown):
        yield warning("gpu-unknown", "gpu", f"the GPUs are not known: {gpus.because}", "tell them: `--gpu`, `--driver`")
    elif gpus:
        yield fine("gpu", "gpu", _counted(gpus))
    elif details and details.flavour == "mac":
        yield fine(
            "no-gpu", "gpu", "a Mac: containers run in a virtual machine that no GPU is handed into; builds are for the CPU"
        )
    elif facts.has_nvidia or facts.has_amd:
        yield fine("gpu", "gpu", _on_bus(details))
    else:
        yield fine("no-gpu", "gpu", "none on this machine: builds are for the CPU, which is no fault")
    for sentence in details.lost if details else ():
        yield error("gpu-lost", "gpu", sentence, "restart the machine; if it comes again: power, cooling, the card's seat")
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
    if details is None or details.flavour in ("mac", "jetson") or not facts.has_nvidia or not is_loaded(facts):
        return
    said = f": {details.nvml_said}" if details.nvml_said else ""
    where = facts.distribution
    if details.nvml == "works":
        yield fine("nvml", "nvml", "answers")
    elif details.nvml == "absent":
        remedy = wording.install_driver(where, is_wsl=details.flavour == "wsl")
        yield error(
            "nvml-missing", "nvml", "the kernel has the driver, but its library libnvidia-ml.so.1 is not installed", remedy
        )
    elif details.nvml == "mismatch":
        remedy = "restart the machine; then `nvidia-ctk cdi generate` again where CDI is used"
        message = "the driver's packages were updated, and the old kernel module still runs: its libraries and it do not fit"
        yield error("nvml-mismatch", "nvml", message, remedy)
    elif details.nvml == "driver-not-loaded":
        yield error("driver-not-loaded", "nvml", f"NVML finds no loaded driver{said}", wording.load_driver(where))
    elif details.nvml == "no-permission":
        remedy = "add this user to the group that owns /dev/nvidia* (`ls -l /dev/nvidia0`), or see NVreg_DeviceFileMode"
        yield error("nvml-no-permission", "nvml", "this user may not open the GPU's device files", remedy)
    elif details.nvml == "other":
        yield error("nvml-broken", "nvml", f"NVML does not start{said}", "restart the machine; else install the driver anew")
    files = {path for path, _ in details.nodes}
    if details.nvml == "works" and details.flavour == "plain" and "/dev/nvidia0" in files and "/dev/nvidia-uvm" not in files:
        message = "/dev/nvidia-uvm is missing: CUDA will not start (unknown error)"
        remedy = "`sudo modprobe nvidia-uvm`, or `sudo nvidia-modprobe -u -c 0`"
        yield error("uvm-missing", "nvml", message, remedy, fix=(("modprobe", "nvidia-uvm"),))


def is_loaded(facts: Facts) -> bool:
    """Whether the kernel has NVIDIA's driver; without it the links behind play no part."""
    details = facts.host.details
    return facts.host.driver is not None or (details is not None and details.flavour == "jetson")


# --- what the links are made of


def _nvidia_driver(facts: Facts, details: HostDetails) -> Iterator[Finding]:
    known, is_wsl = facts.host.driver, details.flavour == "wsl"
    if details.flavour == "jetson":
        yield fine("driver", "driver", "a Jetson's own, part of its L4T release")
    elif isinstance(known, DriverVersion):
        cuda = f", which offers CUDA {facts.host.driver_cuda}" if facts.host.driver_cuda else ""
        yield fine("driver", "driver", f"NVIDIA {known}{cuda}")
    elif is_wsl:
        yield error(
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
        return error("nouveau", "driver", message, f"{remedy} (NVIDIA's packages switch {held[0]} off)")
    if held == ["vfio-pci"]:
        return error(
            "vfio",
            "driver",
            "the card is set apart for a virtual machine (vfio-pci)",
            "use it there, or give it back to nvidia",
        )
    if held and held[0].startswith("nvidia"):
        return error(
            "driver-not-loaded",
            "driver",
            "the driver has the card, but does not answer",
            wording.load_driver(facts.distribution),
        )
    return error(
        "driver-missing", "driver", "an NVIDIA card is there, and no driver is loaded", wording.load_driver(facts.distribution)
    )


def _amd_driver(details: HostDetails) -> Iterator[Finding]:
    files = {path for path, _ in details.nodes}
    release = f", ROCm {details.rocm}" if details.rocm else ""
    if "/dev/kfd" in files:
        yield fine("amdgpu", "driver", f"amdgpu with /dev/kfd{release}")
    elif any(card.vendor == "amd" and card.kernel_driver for card in _cards(details)):
        message = "the kernel drives AMD's card, but /dev/kfd is missing: it shows pictures and does not compute"
        yield warning("kfd-missing", "driver", message, "a card that ROCm supports, and amdgpu-dkms from AMD's repository")
    else:
        yield error("amdgpu-missing", "driver", "an AMD card is there, and amdgpu is not loaded", "`sudo modprobe amdgpu`")


def _state(one: Gpu) -> Iterator[Finding]:
    state, name = one.state, f"GPU {one.index} ({one.name})"
    if state is None:
        return
    if state.ecc_errors:
        message = f"{name} counts {state.ecc_errors} memory errors that could not be corrected"
        yield warning(
            "gpu-ecc", "gpu", message, "restart; if they come again (`nvidia-smi -q -d ECC`), the card is to be replaced"
        )
    if state.compute_mode == "prohibited":
        remedy = "`sudo nvidia-smi -c DEFAULT`"
        yield error("gpu-prohibited", "gpu", f"{name} is in compute mode prohibited: no program may use it", remedy)
    elif state.compute_mode == "exclusive" and state.processes:
        message = f"{name} is in exclusive mode, and a program has it"
        yield warning("gpu-exclusive", "gpu", message, "wait, take another (`--gpus`), or `sudo nvidia-smi -c DEFAULT`")
    if state.is_mig_on and not state.mig:
        remedy = "`sudo nvidia-smi mig -cgi 0 -C` makes one, `sudo nvidia-smi -mig 0` ends MIG"
        yield error("mig-empty", "gpu", f"{name} is in MIG mode without an instance: it has nothing to compute on", remedy)


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
