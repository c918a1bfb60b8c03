"""What the checks say of a driver: NVML and libcuda are libraries of our own at the real interface, broken in each way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support import mock_nvml
from tests.support.mock_nvml import LOST, MISMATCH, UNKNOWN, Card, write_host
from tests.unit.verify.conftest import PROBES

SCRIPT = Path(__file__).parents[2] / "support" / "gpu_driver_probe.py"
ONE = Card(name="NVIDIA H100 80GB HBM3", uuid="GPU-1", capability="9.0", ecc_mode=1, ecc_errors=0)


@pytest.fixture(scope="session")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both."""
    folder = tmp_path_factory.mktemp("driver")
    try:
        mock_nvml.build(folder)
        mock_nvml.build(folder, "libcuda.so.1", mock_nvml.CUDA_SOURCE)
    except mock_nvml.NoCompiler as error:
        pytest.skip(str(error))
    return folder


def answer(check: str, folder: Path | None, environ: dict[str, str] | None = None, **told: Any) -> dict[str, Any]:
    """The check's answer where the loader finds the libraries of this folder."""
    env = {**os.environ, **({"LD_LIBRARY_PATH": str(folder)} if folder else {}), **(environ or {})}
    command = [sys.executable, str(SCRIPT), str(PROBES), json.dumps({"checks": [check], **told})]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)[check]
    assert isinstance(found, dict)
    return found


def nvml(libraries: Path, tmp_path: Path, *cards: Card, init: int = 0, **told: Any) -> dict[str, Any]:
    file = write_host(tmp_path / "host", cards, init=init)
    return answer("nvml", libraries, {"WSB_MOCK_NVML": str(file)}, **told)


def test_the_gpus_that_were_asked_for_are_here(libraries: Path, tmp_path: Path) -> None:
    found = nvml(libraries, tmp_path, ONE, expect={"uuids": ["GPU-1"], "count": 1})
    assert found["status"] == "pass", found
    assert found["measured"]["driver"] == "550.54.15"
    assert found["measured"]["cards"][0]["name"] == "NVIDIA H100 80GB HBM3"


def test_another_gpu_than_the_one_asked_for_fails(libraries: Path, tmp_path: Path) -> None:
    found = nvml(libraries, tmp_path, ONE, expect={"uuids": ["GPU-2"]})
    assert found["status"] == "fail"
    assert "GPU-2" in found["hint"]


def test_fewer_than_asked_for_fail(libraries: Path, tmp_path: Path) -> None:
    assert nvml(libraries, tmp_path, ONE, expect={"count": 2})["status"] == "fail"


def test_a_driver_without_a_gpu_in_this_container_fails(libraries: Path, tmp_path: Path) -> None:
    assert nvml(libraries, tmp_path)["status"] == "fail"


def test_a_lost_gpu_fails_and_is_named(libraries: Path, tmp_path: Path) -> None:
    found = nvml(libraries, tmp_path, ONE, Card(name="x", uuid="GPU-2", errors={"handle": LOST}))
    assert found["status"] == "fail"
    assert found["measured"]["lost"] == ["GPU 1 does not answer: GPU is lost"]


def test_memory_errors_are_told_and_do_not_fail(libraries: Path, tmp_path: Path) -> None:
    found = nvml(libraries, tmp_path, Card(name="NVIDIA A100", uuid="GPU-1", ecc_mode=1, ecc_errors=2))
    assert (found["status"], "NVIDIA A100: 2" in found["hint"]) == ("pass", True)


@pytest.mark.parametrize(("code", "word"), [(MISMATCH, "restart"), (UNKNOWN, "daemon-reload")])
def test_nvml_that_does_not_start_is_explained(libraries: Path, tmp_path: Path, code: int, word: str) -> None:
    found = nvml(libraries, tmp_path, init=code)
    assert found["status"] == "fail"
    assert word in found["hint"]


def test_device_files_without_the_drivers_libraries_fail() -> None:
    assert "utility" in answer("nvml", None)["hint"]
    assert "compute" in answer("cuda", None)["hint"]


def test_with_a_mock_device_missing_libraries_are_no_failure_and_no_success() -> None:
    for check in ("nvml", "cuda"):
        assert answer(check, None, is_mock=True)["status"] == "skip"


def test_cuda_that_starts_and_counts_passes(libraries: Path) -> None:
    found = answer("cuda", libraries)
    assert (found["status"], found["measured"]) == ("pass", {"devices_counted": 1, "cuda": "12.4"})


@pytest.mark.parametrize(
    ("told", "word"),
    [
        ("802 1 12040", "fabricmanager"),
        ("803 1 12040", "gpu.compat"),
        ("804 1 12040", "cuda-compat"),
        ("100 1 12040", "nvidia-uvm"),
        ("0 0 12040", "CUDA_VISIBLE_DEVICES"),
    ],
)
def test_cuda_that_does_not_start_is_explained(libraries: Path, told: str, word: str) -> None:
    found = answer("cuda", libraries, {"WSB_MOCK_CUDA": told})
    assert found["status"] == "fail"
    assert word in found["hint"]


def test_a_compat_library_that_shadows_the_drivers_is_told(libraries: Path, tmp_path: Path) -> None:
    shadow = mock_nvml.build(tmp_path / "compat", "libcuda.so.1", mock_nvml.CUDA_SOURCE)
    assert "shadows" in answer("compat", shadow.parent)["hint"]
    assert answer("compat", libraries)["hint"] == ""


def test_a_libcuda_of_another_driver_than_the_kernels_fails(libraries: Path, tmp_path: Path) -> None:
    built = mock_nvml.build(tmp_path, "libcuda.so.1", mock_nvml.CUDA_SOURCE)
    built.rename(tmp_path / "libcuda.so.535.54.03")
    built.symlink_to("libcuda.so.535.54.03")
    assert answer("compat", tmp_path, kernel="550.54.15")["status"] == "fail"
    assert answer("compat", tmp_path, kernel="535.54.03")["status"] == "pass"


@pytest.mark.parametrize(
    ("built", "offered", "status"),
    [
        ("12.6", 12040, "pass"),  # minor versions are compatible
        ("12.6", 13000, "pass"),
        ("13.0", 12080, "fail"),
        ("10.2", 10010, "fail"),  # not so before 11
        (None, 12040, "skip"),
    ],
)
def test_the_driver_must_offer_the_major_that_torch_was_built_with(
    libraries: Path, built: str | None, offered: int, status: str
) -> None:
    found = answer("driver", libraries, {"WSB_MOCK_CUDA": f"0 1 {offered}"}, torch={"cuda": built})
    assert found["status"] == status, found


def test_wiring_tells_what_is_missing() -> None:
    assert answer("wiring", None, nodes=[])["status"] == "fail"
    assert answer("wiring", None, nodes=["/dev/nvidia0", "/dev/nvidiactl"])["hint"].startswith("/dev/nvidia-uvm is missing")
    assert answer("wiring", None, expect={"count": 2})["status"] == "fail"
    assert answer("wiring", None)["status"] == "pass"


def test_machine_code_runs_on_its_major_and_newer_minors_or_is_compiled() -> None:
    code = f"import sys; sys.path.insert(0, {str(PROBES)!r}); from check_gpu import runs\n"
    cases = {
        "runs(['sm_80'], (8, 6))": True,
        "runs(['sm_86'], (8, 0))": False,
        "runs(['sm_80'], (9, 0))": False,
        "runs(['sm_80', 'compute_80'], (9, 0))": True,
        "runs(['sm_90a'], (9, 0))": True,
        "runs(['sm_90a'], (9, 1))": False,
        "runs(['sm_100f'], (10, 3))": True,
        "runs(['sm_120'], (12, 0))": True,
        "runs(['gfx942'], (9, 0))": False,
        "runs([], (9, 0))": False,
    }
    asked = [sys.executable, "-B", "-c", f"{code}print([{', '.join(cases)}])"]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(list(cases.values()))
