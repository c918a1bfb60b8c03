"""Four kinds of host that people really have, for the mock NVML."""

from __future__ import annotations

from pathlib import Path

from tests.support.mock_nvml import LOST, MISMATCH, Card, Slice, write_host

A100, A100_BUSY = "GPU-6d1a1d2e-55ab-4b49-a06e-a1a0b1c2d301", "GPU-6d1a1d2e-55ab-4b49-a06e-a1a0b1c2d302"
SLICE_0, SLICE_1 = "MIG-0a0b0c0d-1111-5222-8333-444455556601", "MIG-0a0b0c0d-1111-5222-8333-444455556602"


def workstation(path: Path) -> Path:
    """One gaming card: no ECC, no MIG, no NVLink."""
    card = Card(name="NVIDIA GeForce RTX 3090", uuid="GPU-3090aaaa-0000-4000-8000-000000000001", pci="00000000:01:00.0")
    return write_host(path, [card])


def server(path: Path) -> Path:
    """Four data-centre cards: one idle, one busy, one cut into slices, one lost."""
    common = {"memory_mib": 81920, "capability": "8.0", "ecc_mode": 1, "nvlinks": 12}
    cards = [
        Card(name="NVIDIA A100-SXM4-80GB", uuid=A100, pci="00000000:07:00.0", ecc_errors=0, mig_mode=0, **common),  # type: ignore[arg-type]
        Card(
            name="NVIDIA A100-SXM4-80GB",
            uuid=A100_BUSY,
            pci="00000000:0A:00.0",
            used_mib=40000,
            busy=97,
            processes=2,
            ecc_errors=3,
            mig_mode=0,
            **common,  # type: ignore[arg-type]
        ),
        Card(
            name="NVIDIA A100-SXM4-80GB",
            uuid="GPU-6d1a1d2e-55ab-4b49-a06e-a1a0b1c2d303",
            pci="00000000:47:00.0",
            busy=None,  # a card that is cut up has no counter of its own
            mig_mode=1,
            ecc_errors=0,
            slices=(
                Slice(name="NVIDIA A100-SXM4-80GB MIG 3g.40gb", uuid=SLICE_0, memory_mib=40192),
                Slice(name="NVIDIA A100-SXM4-80GB MIG 3g.40gb", uuid=SLICE_1, memory_mib=40192),
            ),
            **common,  # type: ignore[arg-type]
        ),
        Card(name="NVIDIA A100-SXM4-80GB", uuid="GPU-lost", errors={"handle": LOST}, **common),  # type: ignore[arg-type]
    ]
    return write_host(path, cards, driver="535.161.08", cuda=12020)


def upgraded(path: Path) -> Path:
    """The driver's packages were upgraded and the machine was not restarted."""
    return write_host(path, init=MISMATCH)


def hung(path: Path) -> Path:
    """A GPU that hangs: the driver never answers."""
    path.write_text("hang 1\n")
    return path


def wsl(path: Path) -> Path:
    """Windows' driver: what it does not count is not told."""
    card = Card(
        name="NVIDIA GeForce RTX 4090 Laptop GPU",
        uuid="GPU-4090aaaa-0000-4000-8000-000000000001",
        capability="8.9",
        memory_mib=16376,
        processes=None,
        persistence=None,
        compute_mode=None,
    )
    return write_host(path, [card], driver="551.61", cuda=12040)


HOSTS = {"workstation": workstation, "server": server, "upgraded": upgraded, "wsl": wsl}
