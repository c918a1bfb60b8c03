"""What the kernel shows without any driver's library: the PCI bus, the loaded NVIDIA module, device files.

Each takes the root of the file system, so that the tree of another machine can be read just as well.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from builder.model.host import BusGpu, Gpu, Vendor
from builder.model.values import DriverVersion, Unknown

_VENDORS: Final[dict[str, Vendor]] = {"10de": "nvidia", "1002": "amd", "8086": "intel", "106b": "apple"}
# display controllers, and the processing accelerators that data-centre cards call themselves
_CLASSES: Final = ("0300", "0302", "0380", "1200")
_NODES: Final = (
    "dev/nvidia[0-9]*",
    "dev/nvidiactl",
    "dev/nvidia-uvm",
    "dev/nvidia-modeset",
    "dev/nvidia-caps/*",
    "dev/nvmap",
    "dev/nvhost-gpu",
    "dev/dxg",
    "dev/kfd",
    "dev/dri/renderD*",
)
ID_TABLES: Final = ("usr/share/misc/pci.ids", "usr/share/hwdata/pci.ids", "usr/share/pci.ids")


def bus_gpus(root: Path = Path("/")) -> tuple[BusGpu, ...] | Unknown:
    """Display and compute devices on the PCI bus, by address. Virtual ones (a VM's console) are of vendor other."""
    folder = root / "sys/bus/pci/devices"
    try:
        devices = sorted(folder.iterdir())
    except OSError as error:
        return Unknown(f"/sys/bus/pci/devices cannot be read: {error.strerror}")
    found = [gpu for device in devices if (gpu := _bus_gpu(device)) is not None]
    names = _names(root, found) if found else {}
    return tuple(
        BusGpu(
            address=gpu.address,
            vendor=gpu.vendor,
            vendor_id=gpu.vendor_id,
            device_id=gpu.device_id,
            name=names.get((gpu.vendor_id, gpu.device_id), ""),
            kernel_driver=gpu.kernel_driver,
        )
        for gpu in found
    )


def _bus_gpu(device: Path) -> BusGpu | None:
    kind, vendor, model = (_read(device / name).removeprefix("0x") for name in ("class", "vendor", "device"))
    if kind[:4] not in _CLASSES or not vendor or not model:
        return None
    if kind[:4] == "1200" and vendor not in ("1002", "10de"):  # an NPU or a video encoder is no GPU
        return None
    link = device / "driver"
    return BusGpu(
        address=device.name,
        vendor=_VENDORS.get(vendor, "other"),
        vendor_id=vendor,
        device_id=model,
        kernel_driver=Path(link.readlink()).name if link.is_symlink() else None,
    )


def _names(root: Path, gpus: list[BusGpu]) -> dict[tuple[str, str], str]:
    """(vendor, device) → the name that lspci would print, from the table it reads."""
    wanted = {(gpu.vendor_id, gpu.device_id) for gpu in gpus if gpu.vendor != "other"}
    table = next((path for name in ID_TABLES if (path := root / name).is_file()), None)
    if not wanted or table is None:
        return {}
    names: dict[tuple[str, str], str] = {}
    vendor = ""
    with table.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line[:1] not in ("\t", "#", "\n"):
                vendor = line[:4]
            elif line[0] == "\t" and line[1:2] != "\t" and (vendor, line[1:5]) in wanted:
                names[vendor, line[1:5]] = line[5:].strip()
    return names


def marketed(gpu: BusGpu) -> str:
    """The name on the box: "GA102 [GeForce RTX 3090]" of NVIDIA is an NVIDIA GeForce RTX 3090."""
    maker = {"nvidia": "NVIDIA", "amd": "AMD", "intel": "Intel"}.get(gpu.vendor, "")
    boxed = re.search(r"\[([^\]]+)\]", gpu.name)
    name = boxed[1] if boxed else gpu.name
    return f"{maker} {name}".strip() if name else f"{maker} device {gpu.device_id}".strip()


def kernel_module(root: Path = Path("/")) -> DriverVersion | Unknown | None:
    """The NVIDIA kernel driver that is loaded; None when none is."""
    try:
        text = (root / "proc/driver/nvidia/version").read_text("utf-8", "replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        return Unknown(f"/proc/driver/nvidia/version cannot be read: {error.strerror}")
    found = re.search(r"Kernel Module(?: for \S+)?\s+(\d+\.\d+(?:\.\d+)?)", text)
    return DriverVersion.parse(found[1]) if found else Unknown(f"/proc/driver/nvidia/version says only {text[:80]!r}")


def kernel_gpus(root: Path = Path("/")) -> tuple[Gpu, ...]:
    """The GPUs that the kernel driver has taken, with name and UUID; () where it tells none."""
    found = []
    for information in sorted((root / "proc/driver/nvidia/gpus").glob("*/information")):
        facts = {
            key.strip(): value.strip() for key, _, value in (line.partition(":") for line in _read(information).splitlines())
        }
        if facts.get("Model") and facts["Model"] != "Unknown":
            uuid = facts.get("GPU UUID", "")
            found.append(Gpu(name=facts["Model"], uuid=uuid if re.fullmatch(r"GPU-[0-9a-f-]{36}", uuid) else None))
    return tuple(found)


def nodes(root: Path = Path("/")) -> tuple[tuple[str, int], ...]:
    """Device files for GPUs, each with the numeric id of its group."""
    found = []
    for pattern in _NODES:
        for path in sorted(root.glob(pattern)):
            try:
                found.append((f"/{path.relative_to(root).as_posix()}", path.stat().st_gid))
            except OSError:
                continue
    return tuple(found)


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""
