"""Machines without NVML: what the kernel shows of AMD, WSL, Jetson, and of NVIDIA's cards without their driver."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.catalog import load
from builder.host import nvidia
from builder.host.local import local_host
from builder.model.host import Host
from builder.model.values import DriverVersion, Unknown
from tests.support import host_trees
from tests.support.host_trees import plant


@pytest.fixture(autouse=True)
def without_nvml(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvidia, "_LIBRARIES", ("no-such-library-of-wsb.so",))


def seen(tmp_path: Path, tree: dict[str, str]) -> Host:
    host = local_host(plant(tmp_path, tree))
    assert host.details is not None
    return host


def test_amd_cards_have_their_names_memory_and_ids(tmp_path: Path) -> None:
    host = seen(tmp_path, host_trees.AMD_SERVER)
    assert host.driver is None
    assert not isinstance(host.gpus, Unknown)
    assert [(gpu.name, gpu.memory_mib, gpu.index) for gpu in host.gpus] == [
        ("AMD Instinct MI210", 65520, 0),
        ("AMD Instinct MI210", 65520, 1),
    ]
    assert host.gpus[0].uuid == f"GPU-{2411541834131741183:016x}"


def test_amd_details_are_the_nodes_and_the_rocm_release(tmp_path: Path) -> None:
    details = seen(tmp_path, host_trees.AMD_SERVER).details
    assert details is not None
    assert details.rocm == "6.4.1"
    assert [path for path, _ in details.nodes] == ["/dev/kfd", "/dev/dri/renderD128", "/dev/dri/renderD129"]
    assert [one.vendor for one in details.bus] == ["other", "amd", "amd"]  # type: ignore[union-attr]


def test_an_amd_card_in_no_table_of_names_is_called_by_its_machine_code(tmp_path: Path) -> None:
    (gpu,) = seen(tmp_path, host_trees.AMD_NAMELESS).gpus  # type: ignore[misc]
    assert gpu.name == "AMD gfx1100"


def test_wsl_without_the_windows_driver_is_unknown_and_says_so(tmp_path: Path) -> None:
    host = seen(tmp_path, host_trees.WSL_WITHOUT_DRIVER)
    assert host.os == "windows"
    assert isinstance(host.driver, Unknown)
    assert "Windows driver" in host.driver.because
    assert isinstance(host.gpus, Unknown)


def test_a_jetson_is_known_by_its_device_tree(tmp_path: Path) -> None:
    host = seen(tmp_path, host_trees.JETSON)
    assert host.details is not None
    assert host.details.flavour == "jetson"
    assert [gpu.name for gpu in host.gpus] == ["NVIDIA Jetson AGX Orin"]  # type: ignore[union-attr]


def test_a_card_without_its_driver_is_seen_on_the_bus(tmp_path: Path) -> None:
    host = seen(tmp_path, host_trees.NOUVEAU)
    assert host.driver is None
    assert [gpu.name for gpu in host.gpus] == ["NVIDIA GeForce RTX 3090"]  # type: ignore[union-attr]
    assert load().gpu("NVIDIA GeForce RTX 3090") is not None  # so that what it needs can be looked up
    assert [(one.vendor, one.kernel_driver) for one in host.details.bus] == [("intel", "i915"), ("nvidia", "nouveau")]  # type: ignore[union-attr]


def test_the_kernels_driver_tells_version_and_cards_without_nvml(tmp_path: Path) -> None:
    host = seen(tmp_path, host_trees.KERNEL_ONLY)
    assert host.driver == DriverVersion.parse("535.161.08")
    (gpu,) = host.gpus  # type: ignore[misc]
    assert (gpu.name, gpu.uuid) == ("NVIDIA H100 80GB HBM3", "GPU-11112222-3333-4444-8555-666677778888")


def test_a_machine_without_a_bus_is_unknown_on_the_bus_and_has_no_gpu(tmp_path: Path) -> None:
    host = seen(tmp_path, {})
    assert (host.driver, host.gpus) == (None, ())
    assert host.details is not None
    assert isinstance(host.details.bus, Unknown)


def test_a_console_of_a_server_is_no_gpu_of_the_host(tmp_path: Path) -> None:
    assert seen(tmp_path, host_trees.MATROX).gpus == ()
