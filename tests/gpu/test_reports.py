"""Reports recorded on real GPUs (tests/gpu/record.py), held against the figures of the cards; one made here, if it can be."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.gpu.record import REPORTS, record

FIGURES = Path(__file__).resolve().parents[2] / "builder/verify/probes/probe_figures.py"
KEPT = sorted(REPORTS.glob("*.json"))


def figures() -> Any:
    found = importlib.util.spec_from_file_location("probe_figures", FIGURES)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def holds(report: dict[str, Any]) -> None:
    """A real device, nothing failed, and speeds that a sound card of its kind has."""
    assert report["device"] not in ("none", "mock")
    assert {check["id"]: check["measured"] for check in report["checks"] if check["status"] == "fail"} == {}
    measured = {check["id"]: check["measured"] for check in report["checks"] if check["status"] == "pass"}
    card = figures().figures(report["device"])
    if card is None:
        return
    assert measured["gpu.bandwidth"]["on_device_gbs"] > 0.5 * card.bandwidth
    assert max(value for key, value in measured["gpu.tflops"].items() if key.endswith("16_tflops")) > 0.5 * card.tflops


@pytest.mark.parametrize("path", KEPT or [None], ids=lambda path: path.stem if path else "none")
def test_a_kept_report_is_of_a_sound_card(path: Path | None) -> None:
    if path is None:
        pytest.skip("no report was ever recorded on a GPU: tests/gpu/record.py makes one where there is one")
    report = json.loads(path.read_text())
    assert report["date"] == path.stem[:10]
    holds(report)


@pytest.mark.gpu
def test_every_probe_on_the_gpu_of_this_machine() -> None:
    if not Path("/dev/nvidiactl").exists():
        pytest.skip("needs a machine with an NVIDIA GPU")
    holds(record(os.environ.get("WSB_TEST_TORCH_PYTHON", sys.executable)))


def test_the_more_special_card_comes_first() -> None:
    table = figures()
    for name, bandwidth in {
        "NVIDIA H200": 4800,
        "NVIDIA H100 80GB HBM3": 3350,
        "NVIDIA H100 PCIe": 2000,
        "NVIDIA A100 80GB PCIe": 1935,
        "NVIDIA A100-SXM4-80GB": 2039,
        "NVIDIA A100-SXM4-40GB": 1555,
        "NVIDIA GH200 480GB": 4000,
        "NVIDIA L40S": 864,
        "NVIDIA L4": 300,
        "Tesla T4": 320,
        "NVIDIA GeForce RTX 4090": 1008,
        "NVIDIA GeForce RTX 4090 Laptop GPU": 576,
        "AMD Instinct MI300X": 5300,
    }.items():
        assert table.figures(name).bandwidth == bandwidth, name
    assert table.figures("NVIDIA A100-SXM4-80GB MIG 1g.10gb") is None
    assert table.figures("NVIDIA GeForce GT 710") is None
