"""File systems of machines that are not here, as far as wsb reads them: AMD, WSL, Jetson, NVIDIA without its driver.

Written after what the kernels' documentation and people's own listings of such machines show; no such machine was at hand.
A value that begins with "-> " is a symbolic link.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

PCI_IDS = """\
# the lines that these machines need
1002  Advanced Micro Devices, Inc. [AMD/ATI]
\t740f  Aldebaran/MI200 [Instinct MI210]
\t\t1002 0c34  Instinct MI210
\t74a1  Aqua Vanjaram [Instinct MI300X]
10de  NVIDIA Corporation
\t2204  GA102 [GeForce RTX 3090]
\t\t10de 147d  Founders Edition
\t2330  GH100 [H100 SXM5 80GB]
8086  Intel Corporation
\t56a0  DG2 [Arc A770]
C 03  Display controller
"""


def pci(address: str, kind: str, vendor: str, device: str, driver: str | None = None) -> dict[str, str]:
    """One device of the bus."""
    folder = f"sys/bus/pci/devices/{address}"
    files = {f"{folder}/class": f"0x{kind}\n", f"{folder}/vendor": f"0x{vendor}\n", f"{folder}/device": f"0x{device}\n"}
    return files | ({f"{folder}/driver": f"-> ../../../bus/pci/drivers/{driver}"} if driver else {})


def kfd_node(number: int, **facts: int) -> dict[str, str]:
    text = "".join(f"{name} {value}\n" for name, value in facts.items())
    return {f"sys/class/kfd/kfd/topology/nodes/{number}/properties": text}


def kfd_bank(number: int, heap_type: int, size_bytes: int) -> dict[str, str]:
    text = f"heap_type {heap_type}\nsize_in_bytes {size_bytes}\nflags 0\nwidth 4096\nmem_clk_max 1600\n"
    return {f"sys/class/kfd/kfd/topology/nodes/{number}/mem_banks/0/properties": text}


MATROX = pci("0000:03:00.0", "030000", "102b", "0536", "mgag200")  # a server's console
AMD_SERVER = {
    "usr/share/misc/pci.ids": PCI_IDS,
    **MATROX,
    **pci("0000:31:00.0", "038000", "1002", "740f", "amdgpu"),
    **pci("0000:b1:00.0", "038000", "1002", "740f", "amdgpu"),
    **kfd_node(0, cpu_cores_count=64, simd_count=0, gfx_target_version=0),
    **kfd_bank(0, 0, 270000000000),
    **kfd_node(1, simd_count=416, gfx_target_version=90010, location_id=0x3100, domain=0, unique_id=2411541834131741183),
    **kfd_bank(1, 1, 68702699520),
    **kfd_node(2, simd_count=416, gfx_target_version=90010, location_id=0xB100, domain=0, unique_id=11129466043187470371),
    **kfd_bank(2, 1, 68702699520),
    "opt/rocm/.info/version": "6.4.1-83\n",
    "dev/kfd": "",
    "dev/dri/renderD128": "",
    "dev/dri/renderD129": "",
}
AMD_NAMELESS = {  # no table of names: the machine code says what it is
    **pci("0000:0c:00.0", "030000", "1002", "744c", "amdgpu"),
    **kfd_node(1, simd_count=192, gfx_target_version=110000, location_id=0x0C00, domain=0),
}
WSL_WITHOUT_DRIVER = {
    "proc/sys/kernel/osrelease": "5.15.153.1-microsoft-standard-WSL2\n",
    **pci("8c2b:00:00.0", "030200", "1414", "008e", "dxgkrnl"),
    "dev/dxg": "",
}
JETSON = {
    "proc/device-tree/model": "NVIDIA Jetson AGX Orin Developer Kit\0",
    "etc/nv_tegra_release": "# R36 (release), REVISION: 3.0, GCID: 36923193, BOARD: generic, EABI: aarch64\n",
    "dev/nvmap": "",
    "dev/nvhost-gpu": "",
}
NOUVEAU = {
    "usr/share/misc/pci.ids": PCI_IDS,
    **pci("0000:00:02.0", "030000", "8086", "56a0", "i915"),
    **pci("0000:01:00.0", "030000", "10de", "2204", "nouveau"),
    **pci("0000:01:00.1", "040300", "10de", "1aef", "snd_hda_intel"),
}
KERNEL_ONLY = {  # the module is loaded; NVML is not installed
    **pci("0000:1b:00.0", "030200", "10de", "2330", "nvidia"),
    "proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.161.08  Sat Feb 24 22:55:03 UTC 2024\n",
    "proc/driver/nvidia/gpus/0000:1b:00.0/information": (
        "Model: \t\t NVIDIA H100 80GB HBM3\nIRQ:   \t\t 16\nGPU UUID: \t GPU-11112222-3333-4444-8555-666677778888\n"
        "Bus Type: \t PCIe\nBus Location: \t 0000:1b:00.0\nDevice Minor: \t 0\n"
    ),
}


def plant(root: Path, tree: Mapping[str, str]) -> Path:
    """The files below root, which is returned."""
    for name, content in tree.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content.startswith("-> "):
            path.symlink_to(content.removeprefix("-> "))
        else:
            path.write_text(content)
    return root
