"""Facts of the machine wsb runs on."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from builder.errors import WsbError
from builder.host import amd, bus, nvidia
from builder.model.host import Architecture, BusGpu, Gpu, Host, HostDetails, OperatingSystem
from builder.model.values import DriverVersion, Unknown


def local_host(root: Path = Path("/")) -> Host:
    """This machine, with the details behind its facts. root: of the file system, for tests."""
    return _host(nvidia.probe(), root)


def tree_host(root: Path) -> Host:
    """The machine whose kernel's files lie below root; its NVML cannot be asked from here."""
    return _host(nvidia.Nvidia(answer="not-asked"), root)


def _host(nvml: nvidia.Nvidia, root: Path) -> Host:
    os_name = _os(root)
    if os_name == "macos":
        return Host(os="macos", arch=_arch(), driver=None, gpus=(), details=_MAC)
    flavour = _flavour(os_name, root)
    seen = bus.bus_gpus(root)
    details = HostDetails(
        flavour=flavour,
        nvml=nvml.answer,
        nvml_said=nvml.said,
        kernel_module=bus.kernel_module(root),
        bus=seen,
        nodes=bus.nodes(root),
        lost=nvml.lost,
        rocm=amd.release(root),
    )
    driver, gpus = _driver(nvml, details), _gpus(nvml, details, root)
    return Host(os=os_name, arch=_arch(), driver=driver, gpus=gpus, driver_cuda=nvml.cuda, details=details)


def _driver(nvml: nvidia.Nvidia, details: HostDetails) -> DriverVersion | Unknown | None:
    """NVML's answer; without one, the kernel's own."""
    if nvml.answer == "works":
        return nvml.driver
    if isinstance(details.kernel_module, DriverVersion):
        return details.kernel_module
    if nvml.answer in _WITHOUT_NVML and details.flavour == "wsl":
        return Unknown(_NO_WSL_DRIVER)
    if nvml.answer in _WITHOUT_NVML and details.flavour == "jetson":
        return Unknown("a Jetson's driver comes with its L4T release, which has no version of its own here")
    return nvml.driver


def _gpus(nvml: nvidia.Nvidia, details: HostDetails, root: Path) -> tuple[Gpu, ...] | Unknown:
    """NVML's GPUs and AMD's; without NVML, what the kernel driver or the bus shows of NVIDIA's."""
    others = amd.gpus(root, details.bus)
    if nvml.answer == "works":
        return nvml.gpus if isinstance(nvml.gpus, Unknown) else (*nvml.gpus, *others)
    if details.flavour == "jetson":
        return (Gpu(name=_jetson(root), index=0),)
    shown = bus.kernel_gpus(root) or _on_the_bus(details)
    if shown or others:
        return (*shown, *others)
    if isinstance(nvml.gpus, Unknown):
        return nvml.gpus
    return Unknown(_NO_WSL_DRIVER) if details.flavour == "wsl" else ()


# on the chip and not on a bus; told so that it can be said that no container reaches it
_APPLE = BusGpu(address="on the chip", vendor="apple", vendor_id="106b", device_id="", name="Apple's own GPU")
_MAC = HostDetails(flavour="mac", nvml="absent", bus=(_APPLE,))
_WITHOUT_NVML = ("absent", "not-asked")
_NO_WSL_DRIVER = "this is WSL, and NVML is not there; is the Windows driver installed?"


def _on_the_bus(details: HostDetails) -> tuple[Gpu, ...]:
    if isinstance(details.bus, Unknown):
        return ()
    return tuple(Gpu(name=bus.marketed(gpu)) for gpu in details.bus if gpu.vendor == "nvidia")


def _os(root: Path = Path("/")) -> OperatingSystem:
    if platform.system() == "Darwin":
        return "macos"
    if platform.system() == "Windows" or _is_wsl(root):
        return "windows"
    return "linux"


def _is_wsl(root: Path) -> bool:
    try:
        release = (root / "proc/sys/kernel/osrelease").read_text("utf-8", "replace")
    except OSError:
        release = platform.release()
    return "microsoft" in release.lower()


def _flavour(os_name: OperatingSystem, root: Path) -> Literal["plain", "wsl", "jetson"]:
    if os_name == "windows":
        return "wsl"
    return "jetson" if _jetson(root) else "plain"


def _jetson(root: Path) -> str:
    """The name of the module, such as NVIDIA Jetson AGX Orin; "" on any other machine."""
    try:
        model = (root / "proc/device-tree/model").read_text("utf-8", "replace").strip("\0 \n")
    except OSError:
        model = ""
    if "jetson" in model.lower():
        return model.removesuffix(" Developer Kit")
    return "NVIDIA Jetson" if (root / "etc/nv_tegra_release").exists() else ""


def _arch() -> Architecture:
    return "aarch64" if platform.machine().lower() in ("aarch64", "arm64") else "x86_64"


CA_VARIABLES = ("WSB_CA", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT")


def ca_bundle(environ: Mapping[str, str]) -> str | None:
    """The file of certificate authorities this machine's own tools are told to trust, if the environment names one."""
    for name in CA_VARIABLES:
        path = environ.get(name)
        if path and Path(path).is_file():
            return path
    return None


PROXY_NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")


def proxies_to_keep(environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Proxy settings that may stay in an image. Raises WsbError for one that holds a password."""
    found = proxies(environ)
    for name, address in found.items():
        if "@" in address and name.lower() != "no_proxy":
            raise WsbError(
                "bad-value",
                f"{name} holds a login, which `sources: {{keep_proxies: true}}` would leave in the image",
                hints=["take the login out of the address, or keep_proxies out of wsb.yaml: builds use the proxy without it"],
            )
    return tuple(sorted(found.items()))


def proxies(environ: Mapping[str, str]) -> dict[str, str]:
    """Proxy settings as build arguments. Docker predefines these names: they stay neither in the image nor in its history."""
    found = {}
    for name in PROXY_NAMES:
        for spelling in (name, name.lower()):
            if environ.get(spelling):
                found[spelling] = environ[spelling]
    return found
