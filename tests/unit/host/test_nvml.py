"""What wsb learns of NVIDIA hosts, through the real nvidia-ml-py and a library at NVML's own binary interface."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.support import mock_nvml
from tests.support.mock_nvml import LOST, NO_PERMISSION, NOT_LOADED, UNKNOWN, Card, hosts, write_host
from tests.unit.host.conftest import Seen

See = Callable[..., Seen]
CARD = Card(name="NVIDIA H100 80GB HBM3", uuid="GPU-h100", capability="9.0")


def with_cards(*cards: Card) -> Callable[[Path], Path]:
    return partial(write_host, cards=cards)


def test_driver_cuda_and_card_are_told(see: See) -> None:
    host = see(hosts.workstation)
    assert (host["driver"], host["driver_cuda"]) == ("550.54.15", "12.4")
    (gpu,) = host["gpus"]
    assert {key: gpu[key] for key in ("name", "compute_capability", "memory_mib", "index")} == {
        "name": "NVIDIA GeForce RTX 3090",
        "compute_capability": "8.6",
        "memory_mib": 24576,
        "index": 0,
    }
    assert gpu["state"]["pci"] == "00000000:01:00.0"


def test_what_a_card_does_not_have_is_left_out(see: See) -> None:
    (gpu,) = see(hosts.workstation)["gpus"]
    assert {"is_ecc_on", "ecc_errors", "is_mig_on", "nvlinks"}.isdisjoint(gpu["state"])


def test_cards_of_one_server_each_have_their_own_state(see: See) -> None:
    idle, busy, cut = see(hosts.server)["gpus"]
    assert (idle["uuid"], idle["state"]["processes"], idle["state"]["busy_percent"]) == (hosts.A100, 0, 0)
    assert (busy["state"]["processes"], busy["state"]["busy_percent"], busy["state"]["memory_used_mib"]) == (2, 97, 40000)
    assert busy["state"]["ecc_errors"] == 3
    assert idle["state"]["nvlinks"] == 12
    assert idle["state"]["is_ecc_on"] is True
    assert "busy_percent" not in cut["state"]


def test_mig_instances_are_listed_with_their_uuids(see: See) -> None:
    idle, _, cut = see(hosts.server)["gpus"]
    assert idle["state"]["is_mig_on"] is False
    assert cut["state"]["is_mig_on"] is True
    assert [(one["index"], one["uuid"], one["memory_mib"]) for one in cut["state"]["mig"]] == [
        (0, hosts.SLICE_0, 40192),
        (1, hosts.SLICE_1, 40192),
    ]


def test_a_lost_gpu_is_named_and_the_others_are_still_told(see: See) -> None:
    host = see(hosts.server)
    assert len(host["gpus"]) == 3
    assert host["details"]["lost"] == ["GPU 3 does not answer: GPU is lost"]


def test_a_gpu_that_is_lost_while_it_is_asked_is_named_too(see: See) -> None:
    host = see(with_cards(CARD, Card(name="NVIDIA H100 80GB HBM3", uuid="GPU-2", errors={"nvmlDeviceGetMemoryInfo": LOST})))
    assert [gpu["uuid"] for gpu in host["gpus"]] == ["GPU-h100"]
    assert host["details"]["lost"] == ["GPU 1 does not answer: GPU is lost"]


@pytest.mark.parametrize("function", ["nvmlDeviceGetCudaComputeCapability", "nvmlDeviceGetMemoryInfo", "nvmlDeviceGetMigMode"])
def test_a_call_that_fails_costs_its_own_value_only(see: See, function: str) -> None:
    (gpu,) = see(with_cards(Card(name="NVIDIA T4", uuid="GPU-t4", errors={function: UNKNOWN})))["gpus"]
    assert gpu["name"] == "NVIDIA T4"


def test_a_driver_that_was_upgraded_without_a_restart_is_a_mismatch(see: See) -> None:
    host = see(hosts.upgraded)
    assert host["details"]["nvml"] == "mismatch"
    assert "mismatch" in host["driver"]["unknown"]


def test_with_a_mismatch_the_kernels_own_version_is_the_driver(see: See, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "proc/driver/nvidia").mkdir(parents=True)
    (root / "proc/driver/nvidia/version").write_text(
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.133.07  Release Build  (dvs-builder@U22)  Fri Mar 14\n"
        "GCC version:  gcc version 12.2.0\n"
    )
    host = see(hosts.upgraded, root)
    assert host["driver"] == host["details"]["kernel_module"] == "570.133.07"


@pytest.mark.parametrize(
    ("code", "answer"), [(NOT_LOADED, "driver-not-loaded"), (NO_PERMISSION, "no-permission"), (UNKNOWN, "other")]
)
def test_each_way_not_to_start_has_its_own_answer(see: See, code: int, answer: str) -> None:
    assert see(partial(write_host, init=code))["details"]["nvml"] == answer


def test_a_library_without_a_driver_means_known_to_have_none(see: See) -> None:
    host = see(partial(write_host, init=NOT_LOADED))
    assert (host["driver"], host["gpus"]) == (None, [])


def test_a_refusal_is_unknown_and_says_why(see: See) -> None:
    host = see(partial(write_host, init=NO_PERMISSION))
    assert "Permission" in host["driver"]["unknown"]


def test_a_driver_without_cards_has_no_gpus(see: See) -> None:
    host = see(with_cards())
    assert (host["driver"], host["gpus"]) == ("550.54.15", [])


def test_wsl_tells_less_and_that_is_no_error(see: See) -> None:
    (gpu,) = see(hosts.wsl)["gpus"]
    assert gpu["compute_capability"] == "8.9"
    assert "processes" not in gpu["state"]


def test_a_driver_that_never_answers_is_unknown_and_nobody_waits_for_it(library: Path, tmp_path: Path) -> None:
    ask = "from builder.host import nvidia; print(nvidia.probe(limit_s=0.5).driver)"
    environ = {**os.environ, **mock_nvml.environment(library, hosts.hung(tmp_path / "host"))}
    done = subprocess.run([sys.executable, "-c", ask], env=environ, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.startswith("unknown, because NVML did not answer within 0.5 s")
