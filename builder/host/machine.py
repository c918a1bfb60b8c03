"""Facts of this machine beside its GPU: what it calls itself, its disks and memory, the programs it has."""

from __future__ import annotations

import os
import platform
import re
import shutil
import ssl
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, Literal

from builder.host.local import CA_VARIABLES
from builder.model.machine import Certificates, Distribution, Family, Memory, Volume

_FAMILIES: Final[tuple[Family, ...]] = ("ubuntu", "debian", "rhel", "fedora", "arch", "suse", "alpine", "nixos")
_ALSO: Final[dict[str, Family]] = {
    "centos": "rhel",
    "rocky": "rhel",
    "almalinux": "rhel",
    "ol": "rhel",
    "amzn": "rhel",
    "opensuse": "suse",
    "sles": "suse",
    "linuxmint": "ubuntu",
    "pop": "ubuntu",
    "raspbian": "debian",
    "manjaro": "arch",
}


def distribution(root: Path = Path("/")) -> Distribution:
    """From os-release: its own id first, then what it says it is like."""
    if platform.system() == "Darwin" and root == Path("/"):
        return Distribution(family="macos", name=f"macOS {platform.mac_ver()[0]}")
    for name in ("etc/os-release", "usr/lib/os-release"):
        try:
            text = (root / name).read_text("utf-8", "replace")
        except OSError:
            continue
        told = dict(re.findall(r"^(\w+)=[\"']?([^\"'\n]*)", text, re.MULTILINE))
        words = [told.get("ID", ""), *told.get("ID_LIKE", "").split()]
        return Distribution(family=_family(words), name=told.get("PRETTY_NAME") or told.get("NAME") or "Linux")
    return Distribution(family="other", name=platform.system())


def _family(words: Iterable[str]) -> Family:
    for word in words:
        for family in _FAMILIES:
            if word == family:
                return family
        for start, family in _ALSO.items():
            if word.startswith(start):
                return family
    return "other"


def memory(root: Path = Path("/")) -> Memory | None:
    """None where the kernel has no /proc/meminfo."""
    try:
        text = (root / "proc/meminfo").read_text("ascii", "replace")
    except OSError:
        return None
    told = {name: int(number) * 1024 for name, number in re.findall(r"^(\w+):\s+(\d+) kB", text, re.MULTILINE)}
    if "MemTotal" not in told:
        return None
    return Memory(total_bytes=told["MemTotal"], available_bytes=told.get("MemAvailable", told["MemTotal"]))


def volume(path: str, role: Literal["engine", "project", "temporary"]) -> Volume | None:
    """The disk under a path, of which the part that exists counts; None where it cannot be looked at."""
    for place in (Path(path), *Path(path).parents):
        try:
            usage = shutil.disk_usage(place)
        except OSError:  # not there yet, or not to be seen by this user
            continue
        return Volume(path=path, role=role, free_bytes=usage.free, total_bytes=usage.total)
    return None


def shm_bytes() -> int | None:
    try:
        return shutil.disk_usage("/dev/shm").total
    except OSError:
        return None


def tools(names: Iterable[str], environ: Mapping[str, str]) -> frozenset[str]:
    """Those of the programs that are on PATH, or where administrators' programs lie."""
    path = os.pathsep.join(filter(None, (environ.get("PATH"), "/usr/local/sbin", "/usr/sbin", "/sbin")))
    return frozenset(name for name in names if shutil.which(name, path=path))


def certificates(environ: Mapping[str, str]) -> Certificates | None:
    """The certificate authorities the environment names; None where it names none."""
    for variable in CA_VARIABLES:
        path = environ.get(variable)
        if not path:
            continue
        if not Path(path).is_file():
            return Certificates(variable=variable, path=path, trouble="does not exist")
        try:
            ssl.create_default_context(cafile=path)
        except (ssl.SSLError, OSError):
            return Certificates(variable=variable, path=path, trouble="holds no certificate that can be read")
        return Certificates(variable=variable, path=path)
    return None
