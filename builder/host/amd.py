"""AMD's GPUs, as the kernel's compute driver (kfd) shows them, and the ROCm release that is installed."""

from __future__ import annotations

from pathlib import Path

from builder.host.bus import marketed
from builder.model.host import BusGpu, Gpu
from builder.model.values import Unknown


def gpus(root: Path, bus: tuple[BusGpu, ...] | Unknown) -> tuple[Gpu, ...]:
    """The GPUs that kfd can compute on; () where it is not loaded. bus: gives their names."""
    found: list[Gpu] = []
    for node in sorted((root / "sys/class/kfd/kfd/topology/nodes").glob("*"), key=lambda path: path.name.zfill(4)):
        facts = _facts(node / "properties")
        if not facts.get("simd_count"):  # the processor is a node as well
            continue
        index, memory = len(found), _memory_mib(node)
        found.append(Gpu(name=_name(node, facts, bus), memory_mib=memory, uuid=_unique(facts), index=index))
    return tuple(found)


def release(root: Path) -> str | None:
    """The ROCm release on the host, such as 6.4.1; None without one."""
    for name in ("opt/rocm/.info/version", "opt/rocm/.info/version-rocm"):
        try:
            text = (root / name).read_text("utf-8", "replace").strip()
        except OSError:
            continue
        return text.partition("-")[0] or None
    return None


def _facts(path: Path) -> dict[str, int]:
    """Lines of a name and a number."""
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return {}
    pairs = (line.split() for line in lines)
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}


def _name(node: Path, facts: dict[str, int], bus: tuple[BusGpu, ...] | Unknown) -> str:
    """By its address on the bus; else the machine code it runs, such as gfx942."""
    location, domain = facts.get("location_id"), facts.get("domain", 0)
    if location is not None and not isinstance(bus, Unknown):
        address = f"{domain:04x}:{location >> 8 & 0xFF:02x}:{location >> 3 & 0x1F:02x}.{location & 7:x}"
        for gpu in bus:
            if gpu.address == address and gpu.name:
                return marketed(gpu)
    version = facts.get("gfx_target_version", 0)
    return f"AMD gfx{version // 10000}{version // 100 % 100:x}{version % 100:x}" if version else f"AMD GPU {node.name}"


def _memory_mib(node: Path) -> int | None:
    """The largest bank in the device's own memory; heap types 1 and 2 are that."""
    banks = [_facts(path) for path in node.glob("mem_banks/*/properties")]
    own = [bank.get("size_in_bytes", 0) for bank in banks if bank.get("heap_type") in (1, 2)]
    return sum(own) // 2**20 or None


def _unique(facts: dict[str, int]) -> str | None:
    """As rocm-smi and HIP_VISIBLE_DEVICES spell it."""
    number = facts.get("unique_id")
    return f"GPU-{number:016x}" if number else None
