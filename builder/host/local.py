"""Facts of the machine wsb runs on."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from pathlib import Path

from builder.host import nvidia
from builder.model.host import Architecture, Host, OperatingSystem
from builder.model.values import Unknown


def local_host() -> Host:
    """This machine. An architecture that no PyTorch wheel exists for is told as x86_64 never; see platform-not-supported."""
    os_name = _os()
    if os_name == "macos":
        return Host(os="macos", arch=_arch(), driver=None, gpus=())
    driver, gpus = nvidia.probe()
    if driver is None and Path("/dev/dxg").exists():
        because = "this is WSL, and NVML is not there; is the Windows driver installed?"
        return Host(os=os_name, arch=_arch(), driver=Unknown(because), gpus=Unknown(because))
    return Host(os=os_name, arch=_arch(), driver=driver, gpus=gpus)


def _os() -> OperatingSystem:
    if platform.system() == "Darwin":
        return "macos"
    if platform.system() == "Windows" or "microsoft" in platform.release().lower():
        return "windows"
    return "linux"


def _arch() -> Architecture:
    return "aarch64" if platform.machine().lower() in ("aarch64", "arm64") else "x86_64"


def ca_bundle(environ: Mapping[str, str]) -> str | None:
    """The file of certificate authorities this machine's own tools are told to trust, if the environment names one."""
    for name in ("WSB_CA", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT"):
        path = environ.get(name)
        if path and Path(path).is_file():
            return path
    return None


PROXY_NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")


def proxies(environ: Mapping[str, str]) -> dict[str, str]:
    """Proxy settings as build arguments. Docker predefines these names: they stay neither in the image nor in its history."""
    found = {}
    for name in PROXY_NAMES:
        for spelling in (name, name.lower()):
            if environ.get(spelling):
                found[spelling] = environ[spelling]
    return found
