"""What the build of torch has to run on: a CPU, the NVIDIA GPUs of this host, an AMD GPU, or a machine nobody described."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal

from builder.model.frozen import frozen
from builder.model.host import Gpu, Host, OperatingSystem
from builder.model.values import CPU, CudaVersion, DriverVersion, Located, Unknown, Variant
from builder.resolve.given import Given, listed
from builder.resolve.ground import Ground
from builder.resolve.notes import Notes, rejected
from builder.resolve.wants import Wants

Kind = Literal["cpu", "cuda", "rocm", "xpu"]
_AMD = r"(?i)\b(AMD|Radeon|Instinct)\b"
_AMD_COMPUTE = r"(?i)Instinct|\bMI\d{2,3}|Radeon (RX (7900|9070)|PRO [WV]\d|AI PRO)"


@frozen
class Target:
    """kind: which builds come into question. gpus: cards that all must be served; () when there are none, or unknown.

    driver: None when unknown or of no importance. named: the build that must be taken.
    trusts_index: whether a build that the default index serves is preferred.
    lifted_to: the CUDA that cuda-compat in the base makes an older driver of data-centre cards run; None without it.
    """

    kind: Kind
    os: OperatingSystem
    gpus: tuple[Gpu, ...] = ()
    driver: DriverVersion | None = None
    named: Located[Variant] | None = None
    trusts_index: bool = True
    lifted_to: CudaVersion | None = None

    @property
    def gpu_names(self) -> str:
        return listed(dict.fromkeys(short(gpu.name) for gpu in self.gpus))


def choose_target(given: Given, wants: Wants, ground: Ground, notes: Notes) -> Target:
    """What to decide for. Adds a decision on the accelerator, and warnings where the host leaves a question open."""
    target = _target(given, wants, notes)
    _warn_of_strangers(given, target, notes)
    image = re.search(r"(?:^|/)nvidia/cuda:(\d+\.\d+)", ground.value) if ground.kind == "image" else None
    if image and target.gpus and all(is_data_center(given, gpu) for gpu in target.gpus):
        return replace(target, lifted_to=CudaVersion.parse(image[1]))
    return target


def _warn_of_strangers(given: Given, target: Target, notes: Notes) -> None:
    """A driver that does not know the card it is told with: too old for it, or made after it was dropped."""
    for gpu in target.gpus:
        row = given.catalog.architecture(gpu.compute_capability) if gpu.compute_capability else None
        if row is None or target.driver is None:
            continue
        first = given.catalog.toolkit_driver(row.first_cuda, target.os)
        last = int(row.last_driver.lstrip("R")) if row.last_driver else None
        if first is not None and target.driver < first:
            known = f"the {short(gpu.name)} ({row.name}) is known to drivers from {first} on; this machine has {target.driver}"
            notes.warn("driver-unknown-to-gpu", known)
        elif last is not None and target.driver.parts[0] > last:
            known = f"the {short(gpu.name)} ({row.name}) is known to drivers up to R{last}; this machine has {target.driver}"
            notes.warn("driver-unknown-to-gpu", known)


def is_data_center(given: Given, gpu: Gpu) -> bool:
    """Whether NVIDIA's cuda-compat package works with this card."""
    model = given.catalog.gpu(gpu.name)
    return model is not None and model.is_data_center


def _target(given: Given, wants: Wants, notes: Notes) -> Target:
    asked = given.spec.accelerator.value.kind if given.spec.accelerator else "auto"
    if wants.named is not None:
        asked = _kind_of(wants.named.value)
    host = given.host
    trusts = host.os != "windows"
    if asked in ("cpu", "rocm", "xpu"):
        notes.decide("accelerator", asked, "wsb.yaml asks for it")
        return Target(kind=_kind(asked), os=host.os, named=wants.named, trusts_index=trusts)
    if host.os == "macos" and asked == "auto":
        reason = "no GPU of a Mac can be reached from a Linux container, so the build for the processor is taken"
        notes.decide("accelerator", "cpu", reason + _beyond_the_mac(given))
        return Target(kind="cpu", os=host.os)
    cards = _with_capability(given, notes)
    if asked == "auto" and wants.declared and wants.declared.value == CPU:
        return _declared_processor(host, cards, wants.declared, notes)
    if asked == "auto":
        return _automatic(given, cards, wants, notes, trusts)
    target = Target(kind="cuda", os=host.os, named=wants.named, trusts_index=trusts)
    if cards and isinstance(host.driver, DriverVersion):
        notes.decide("accelerator", "cuda", f"wsb.yaml asks for it; this machine has {_cards(cards)}, driver {host.driver}")
        return replace(target, gpus=cards, driver=host.driver)
    notes.decide("accelerator", "cuda", "wsb.yaml asks for it, though this machine does not tell of an NVIDIA GPU")
    driver = host.driver if isinstance(host.driver, DriverVersion) else None
    return replace(target, gpus=cards, driver=driver)


def _beyond_the_mac(given: Given) -> str:
    """What the container changes on a Mac with an Intel processor, for which torch itself has ended."""
    last = next((one for one in given.catalog.releases if one.python_of("macos_x86_64")), None)
    if given.host.arch != "x86_64" or last is None:
        return ""
    return f" (without a container torch ends at {last.version} on Macs with an Intel processor; in one it does not)"


def _declared_processor(host: Host, cards: tuple[Gpu, ...], declared: Located[Variant], notes: Notes) -> Target:
    """The project itself asks for the build for the processor: cpuonly, torch==2.1.0+cpu, …/whl/cpu."""
    notes.decide("accelerator", "cpu", f"the project itself asks for the build for the processor ({declared.where})")
    if cards and isinstance(host.driver, DriverVersion):
        reason = f"{declared.where} asks for the build for the processor, though this machine has {_cards(cards)}"
        notes.warn("declared-cpu", f"{reason}; `accelerator: cuda` in wsb.yaml uses it.")
    return Target(kind="cpu", os=host.os)


def _automatic(given: Given, cards: tuple[Gpu, ...], wants: Wants, notes: Notes, trusts: bool) -> Target:
    """`accelerator: auto`: what this host has, else the processor."""
    host = given.host
    if isinstance(host.driver, DriverVersion) and cards:
        notes.decide("accelerator", "cuda", f"this machine has {_cards(cards)} with driver {host.driver}")
        return Target(kind="cuda", os=host.os, gpus=cards, driver=host.driver, trusts_index=trusts)
    if isinstance(host.driver, DriverVersion) and (strangers := _strangers(given)):
        reason = f"this machine has an NVIDIA driver ({host.driver}) and {listed(strangers)}, which no table knows yet"
        notes.decide("accelerator", "cuda", reason)
        return Target(kind="cuda", os=host.os, driver=host.driver, trusts_index=trusts)
    if isinstance(host.driver, DriverVersion) and isinstance(host.gpus, Unknown):
        notes.decide("accelerator", "cuda", f"this machine has an NVIDIA driver ({host.driver}); which GPU is not known")
        notes.warn(
            "host-unknown",
            f"which GPU this machine has is {host.gpus}; whether the build has code for it was not checked. "
            "Tell it with --gpu NAME.",
        )
        return Target(kind="cuda", os=host.os, driver=host.driver, trusts_index=trusts)
    if cards and isinstance(host.driver, Unknown):
        notes.decide("accelerator", "cuda", f"this machine has {_cards(cards)}; its driver is not known")
        return Target(kind="cuda", os=host.os, gpus=cards, trusts_index=trusts)
    found = _amd(given, notes)
    if found is not None:
        return found
    _tell_of_intel(given, notes)
    return _processor(given, cards, wants, notes)


def _processor(given: Given, cards: tuple[Gpu, ...], wants: Wants, notes: Notes) -> Target:
    host = given.host
    declared = wants.declared.value if wants.declared and wants.declared.value.cuda else None
    also = f" The project itself declares {declared}; `accelerator: cuda` takes it." if declared else ""
    if cards:
        reason = f"this machine has {_cards(cards)} but no NVIDIA driver, and nothing reaches a GPU without one"
        notes.warn("driver-missing", f"{reason}: install the driver, then plan again.")
    elif isinstance(host.driver, Unknown) or isinstance(host.gpus, Unknown):
        unknown = host.driver if isinstance(host.driver, Unknown) else host.gpus
        reason = "nothing is known of the GPU it will run on, and the build for the processor runs everywhere"
        notes.warn(
            "host-unknown",
            f"driver and GPU are {unknown}, so torch is planned for the processor. "
            f"Tell them with --driver and --gpu, with --host FILE, or set `accelerator: cuda`.{also}",
        )
    else:
        reason = "this machine has no NVIDIA GPU"
        if declared:
            notes.warn("declared-cuda-not-taken", f"{reason}, so the build for the processor is taken.{also}")
    others = [rejected(declared, reason)] if declared else []
    notes.decide("accelerator", "cpu", reason, others)
    return Target(kind="cpu", os=host.os)


def _amd(given: Given, notes: Notes) -> Target | None:
    """A host with AMD cards made for computing takes ROCm; others are told how to ask for it."""
    gpus = given.host.gpus
    if isinstance(gpus, Unknown) or given.platform != "linux/amd64" or given.host.os != "linux":
        return None
    amd = [gpu for gpu in gpus if gpu.compute_capability is None and re.search(_AMD, gpu.name)]
    if not amd:
        return None
    if all(re.search(_AMD_COMPUTE, gpu.name) for gpu in amd):
        notes.decide("accelerator", "rocm", f"this machine has {listed(gpu.name for gpu in amd)}, which ROCm drives")
        return Target(kind="rocm", os=given.host.os)
    notes.warn(
        "amd-not-taken",
        f"whether ROCm drives {listed(gpu.name for gpu in amd)} is not known here; set `accelerator: rocm` to try it.",
    )
    return None


def _tell_of_intel(given: Given, notes: Notes) -> None:
    gpus = given.host.gpus
    if isinstance(gpus, Unknown) or given.platform != "linux/amd64" or given.host.os != "linux":
        return
    intel = [gpu.name for gpu in gpus if re.search(r"\bIntel\b.*\b(Arc|Max|Flex)\b", gpu.name, re.IGNORECASE)]
    if intel:
        notes.warn("intel-not-taken", f"torch has builds for Intel GPUs; set `accelerator: xpu` to use the {listed(intel)}.")


def _with_capability(given: Given, notes: Notes) -> tuple[Gpu, ...]:
    """The NVIDIA cards of the host, those without a compute capability looked up by name."""
    if isinstance(given.host.gpus, Unknown):
        return ()
    cards = []
    for gpu in given.host.gpus:
        if gpu.compute_capability is not None:
            cards.append(gpu)
        elif model := (None if re.search(_AMD, gpu.name) else given.catalog.gpu(gpu.name)):
            cards.append(replace(gpu, compute_capability=model.compute_capability))
            if model.unverified:
                notes.warn("unverified", f"the compute capability of {gpu.name} is {model.unverified}")
        elif _is_stranger(gpu):
            notes.warn(
                "gpu-unknown",
                f"{gpu.name} is not in the tables, so whether a build has code for it was not checked; "
                "give its compute_capability in a --host file.",
            )
    return tuple(cards)


def _is_stranger(gpu: Gpu) -> bool:
    """Whether it can only be an NVIDIA card, though no table knows it."""
    return not re.search(_AMD, gpu.name) and not re.search(r"\b(Intel|Apple)\b", gpu.name, re.IGNORECASE)


def _strangers(given: Given) -> tuple[str, ...]:
    """Cards that no table knows, so that no compute capability can be told for them."""
    gpus = given.host.gpus
    if isinstance(gpus, Unknown):
        return ()
    unknown = (gpu for gpu in gpus if gpu.compute_capability is None and _is_stranger(gpu))
    return tuple(dict.fromkeys(gpu.name for gpu in unknown if given.catalog.gpu(gpu.name) is None))


def _kind(text: str) -> Kind:
    return {"cpu": "cpu", "rocm": "rocm", "xpu": "xpu"}.get(text, "cuda")  # type: ignore[return-value]


def _kind_of(variant: Variant) -> Kind:
    if variant == CPU:
        return "cpu"
    if variant.is_rocm:
        return "rocm"
    return "xpu" if variant.name == "xpu" else "cuda"


def short(name: str) -> str:
    """A card's name without the maker's: RTX 3090."""
    return re.sub(r"^(NVIDIA )?((GeForce|Tesla) )?", "", name.strip()) or name


def article(name: str) -> str:
    """The article before a card's name, as it is read aloud: an RTX 3090, an A100, a GTX 1080."""
    return "an" if re.match(r"[AEFHILMNORSX](?=[A-Z]|\d)|[AEIO]", name) else "a"


def _cards(cards: tuple[Gpu, ...]) -> str:
    counts: dict[str, int] = {}
    for card in cards:
        counts[short(card.name)] = counts.get(short(card.name), 0) + 1
    return listed(f"{count}× {name}" if count > 1 else f"{article(name)} {name}" for name, count in counts.items())
