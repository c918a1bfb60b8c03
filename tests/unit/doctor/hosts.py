"""Machines for the tests of doctor, each as the facts that would be gathered on it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from builder.doctor.facts import Facts, Trouble
from builder.host.local import tree_host
from builder.model.engine import EngineInfo
from builder.model.host import BusGpu, Gpu, GpuState, Host, HostDetails
from builder.model.machine import Distribution, Memory, Place, Volume
from builder.model.values import ComputeCapability, CudaVersion, DriverVersion
from tests.support.host_trees import plant

GB = 1000**3
DEBIAN = Distribution(family="debian", name="Debian GNU/Linux 12 (bookworm)")
UBUNTU = Distribution(family="ubuntu", name="Ubuntu 24.04.1 LTS")
FEDORA = Distribution(family="fedora", name="Fedora Linux 42")
DOCKER = EngineInfo(
    kind="docker",
    version="28.3.0",
    api_version="1.51",
    os="linux",
    arch="amd64",
    runtimes=("runc",),
    cdi_spec_dirs=("/etc/cdi", "/var/run/cdi"),
    root_dir="/var/lib/docker",
    endpoint="unix:///var/run/docker.sock",
)
STOPPED = Trouble(
    code="engine-unreachable",
    message="no container engine answers at unix:///var/run/docker.sock; nobody listens there: the engine is not running",
    hints=("not running? …",),
)
PLACES = tuple(
    Place(source=source, url=f"https://{source}.example", seconds=0.2, bytes_per_s=20_000_000, clock_ahead_s=0.4)
    for source in ("registry", "conda", "miniconda", "torch", "pip")
)


def card(index: int, name: str = "NVIDIA H100 80GB HBM3", **state: Any) -> Gpu:
    return Gpu(
        name=name,
        compute_capability=ComputeCapability(9, 0),
        memory_mib=81559,
        uuid=f"GPU-0000000{index}-1111-2222-3333-444444444444",
        index=index,
        state=GpuState(**{"processes": 0, "compute_mode": "default", **state}),
    )


def nvidia_host(*cards: Gpu, **details: Any) -> Host:
    nodes = (*((f"/dev/nvidia{one.index}", 0) for one in cards), ("/dev/nvidiactl", 0), ("/dev/nvidia-uvm", 0))
    bus = tuple(
        BusGpu(address=f"0000:{one.index}b:00.0", vendor="nvidia", vendor_id="10de", device_id="2330", kernel_driver="nvidia")
        for one in cards
    )
    told = {
        "flavour": "plain",
        "nvml": "works",
        "kernel_module": DriverVersion.parse("570.86.15"),
        "bus": bus,
        "nodes": nodes,
        **details,
    }
    return Host(
        os="linux",
        arch="x86_64",
        driver=DriverVersion.parse("570.86.15"),
        gpus=cards,
        driver_cuda=CudaVersion(12, 8),
        details=HostDetails(**told),
    )


def facts(host: Host, engine: EngineInfo | Trouble = DOCKER, **more: Any) -> Facts:
    """A machine where all else is well."""
    given = {
        "distribution": UBUNTU,
        "volumes": (Volume(path="/var/lib/docker", role="engine", free_bytes=200 * GB, total_bytes=500 * GB),),
        "memory": Memory(total_bytes=64 * GB, available_bytes=50 * GB),
        "shm_bytes": 32 * GB,
        "places": PLACES,
        "tools": frozenset({"docker", "dockerd", "systemctl"}),
        **more,
    }
    told = engine if isinstance(engine, EngineInfo) else None
    return Facts(host=replace(host, engine=told), engine=engine, **given)


def from_tree(folder: Path, tree: dict[str, str], engine: EngineInfo | Trouble = DOCKER, **more: Any) -> Facts:
    """A machine whose kernel's files are these."""
    return facts(tree_host(plant(folder, tree)), engine, **more)
