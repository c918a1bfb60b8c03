"""The chain of a running program, IDE → interpreter → packages → processor → CUDA and driver → GPU, for one plan.

Each link says what it is here and whether it holds. A plan that cannot be made has its chain too, with the link that breaks.
"""

from __future__ import annotations

from typing import Any, Literal

from builder.catalog import Catalog
from builder.errors import WsbError
from builder.model.frozen import frozen
from builder.model.host import Gpu, Host
from builder.model.plan import Plan
from builder.model.values import ComputeCapability, DriverVersion, Ide, Unknown

State = Literal["holds", "broken", "unknown", "unused"]
NAMES = ("IDE", "interpreter", "packages", "processor", "CUDA and driver", "GPU")
_IDES = {Ide.VSCODE: "VS Code", Ide.PYCHARM: "PyCharm", Ide.JUPYTER: "Jupyter"}
# What lies behind an error, for someone who meets these words for the first time.
_IN_PLAIN_WORDS = {
    "gpu-not-supported": (
        "PyTorch comes with ready-made machine code for certain generations of GPUs. A release without code for the generation "
        "of this card cannot compute on it, whatever the driver"
    ),
    "driver-too-old": (
        "The driver belongs to the machine and not to the container. It decides how new the CUDA inside PyTorch may be"
    ),
    "python-not-supported": "PyTorch is compiled for each Python anew, and there is no file for this combination",
    "glibc-too-old": "A program needs a C library as new as the one it was compiled with, and the base brings it",
    "no-such-torch": "Only what was published can be installed",
}
_MEANING = "that number is NVIDIA's name for a generation of GPUs"
_BROKEN_BY = {
    "python-not-supported": "interpreter",
    "no-such-torch": "packages",
    "glibc-too-old": "packages",
    "platform-not-supported": "processor",
    "driver-too-old": "CUDA and driver",
    "no-such-base": "CUDA and driver",
    "gpu-not-supported": "GPU",
}


@frozen
class Link:
    """name: one of NAMES. what: what it is here. because: why it holds, breaks, or plays no part."""

    name: str
    what: str
    state: State
    because: str


def chain_of(plan: Plan, host: Host, catalog: Catalog) -> tuple[Link, ...]:
    """The links of a plan on a host, from the one people see to the one that computes."""
    return (*_software(plan), _processor(plan, host), _driver(plan, host, catalog), _gpu(plan, host, catalog))


def chain_of_error(error: WsbError, host: Host) -> tuple[Link, ...]:
    """The chain of a plan that could not be made: links before the broken one are left open, it says why it breaks."""
    broken = _BROKEN_BY.get(error.code)
    here = {"processor": host.arch, "CUDA and driver": _driver_text(host), "GPU": _gpu_text(host)}
    plain = _IN_PLAIN_WORDS.get(error.code)
    because = f"{error.message}. {plain}" if plain else error.message
    return tuple(
        Link(name=name, what=here.get(name, "asked for as wsb.yaml says"), state="broken", because=because)
        if name == broken
        else Link(name=name, what=here.get(name, "not decided"), state="unknown", because="")
        for name in NAMES
    )


def broken_link(chain: tuple[Link, ...]) -> Link | None:
    """The first link that does not hold."""
    return next((link for link in chain if link.state == "broken"), None)


def chain_json(chain: tuple[Link, ...]) -> list[dict[str, Any]]:
    return [{"name": link.name, "what": link.what, "state": link.state, "because": link.because} for link in chain]


def _software(plan: Plan) -> tuple[Link, ...]:
    ides = ", ".join(_IDES[ide] for ide in plan.ide) or "none"
    environment = f"Python {plan.python} of the environment {plan.name} ({plan.manager.value}, on {plan.base.image})"
    count = len(plan.packages.pip) + len(plan.packages.conda)
    others = f" and {count} more" if count else ""
    torch = f"torch {plan.torch.local}{others}" if plan.torch else f"no torch; {count} packages"
    return (
        Link(name="IDE", what=ides, state="holds", because="it is told which interpreter to use"),
        Link(
            name="interpreter", what=environment, state="holds", because="it lives in the image, so it is the same everywhere"
        ),
        Link(name="packages", what=torch, state="holds", because="made for this Python and for each other"),
    )


def _processor(plan: Plan, host: Host) -> Link:
    where = {"macos": "in Docker's Linux machine on this Mac", "windows": "in WSL on this Windows machine"}
    because = where.get(host.os, "the container uses this machine's processor directly")
    return Link(name="processor", what=plan.platform, state="holds", because=because)


def _driver(plan: Plan, host: Host, catalog: Catalog) -> Link:
    name, torch = "CUDA and driver", plan.torch
    if torch is None or torch.variant.cuda is None:
        missing = isinstance(host.gpus, tuple) and any(g.vendor == "nvidia" for g in host.gpus) and host.driver is None
        if missing and host.os != "macos":
            return Link(
                name=name, what="no driver", state="broken", because="there is an NVIDIA GPU, but no driver to reach it"
            )
        kind = f"{torch.variant} build" if torch else "no torch"
        return Link(name=name, what=kind, state="unused", because="this build needs neither CUDA nor an NVIDIA driver")
    floor = catalog.driver_floor(torch.variant, host.os)
    what = f"CUDA {torch.variant.cuda} (inside the wheel), {_driver_text(host)}"
    if not isinstance(host.driver, DriverVersion):
        return Link(name=name, what=what, state="unknown", because=f"driver {floor} or newer is needed where it will run")
    if floor is not None and host.driver < floor and not any(warned.code == "cuda-compat" for warned in plan.warnings):
        return Link(name=name, what=what, state="broken", because=f"driver {floor} or newer is needed")
    return Link(
        name=name,
        what=what,
        state="holds",
        because=f"CUDA {torch.variant.cuda} needs driver {floor} or newer on the machine itself",
    )


def _gpu(plan: Plan, host: Host, catalog: Catalog) -> Link:
    torch = plan.torch
    if host.os == "macos":
        return Link(name="GPU", what="the Mac's own", state="unused", because="no GPU of a Mac reaches a Linux container")
    if torch is None or torch.variant.cuda is None:
        rocm = torch is not None and torch.variant.is_rocm
        if rocm:
            return Link(
                name="GPU", what=_gpu_text(host), state="unknown", because="whether ROCm drives this card is not checked"
            )
        return Link(name="GPU", what=_gpu_text(host), state="unused", because="everything is computed by the processor")
    if isinstance(host.gpus, Unknown) or not host.gpus:
        return Link(name="GPU", what=_gpu_text(host), state="unknown", because="whether it runs this build was not checked")
    release = catalog.release(torch.version)
    like = release.known_as if release else catalog.newest.version
    platform = "linux_aarch64" if plan.platform == "linux/arm64" else "linux_x86_64"
    code = catalog.code(like, platform, torch.variant)
    cards = [(gpu, gpu.compute_capability or _by_name(gpu, catalog)) for gpu in host.gpus]
    known = [(gpu, capability) for gpu, capability in cards if capability is not None]
    served = [gpu for gpu, capability in known if code and catalog.runs(code, capability, torch.variant.cuda)]
    if code is None or not known:
        return Link(name="GPU", what=_gpu_text(host), state="unknown", because="whether it runs this build was not checked")
    if not served:
        return Link(name="GPU", what=_gpu_text(host), state="broken", because="this build holds no machine code for it")
    held = f"this build holds machine code for compute capability {code.sm[0]} to {code.sm[-1]}; {_MEANING}"
    left = [gpu.name for gpu, _ in known if gpu not in served]
    also = f"; {', '.join(left)} cannot run it and is left out" if left else ""
    return Link(name="GPU", what=_gpu_text(host), state="holds", because=held + also)


def _by_name(gpu: Gpu, catalog: Catalog) -> ComputeCapability | None:
    model = catalog.gpu(gpu.name)
    return model.compute_capability if model else None


def _driver_text(host: Host) -> str:
    if isinstance(host.driver, Unknown):
        return "driver unknown"
    return f"driver {host.driver}" if host.driver else "no driver"


def _gpu_text(host: Host) -> str:
    if isinstance(host.gpus, Unknown):
        return "unknown"
    return ", ".join(_one_gpu(gpu) for gpu in host.gpus) or "none"


def _one_gpu(gpu: Gpu) -> str:
    return f"{gpu.name} (compute capability {gpu.compute_capability})" if gpu.compute_capability else gpu.name
