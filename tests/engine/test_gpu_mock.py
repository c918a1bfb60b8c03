"""From the command line through a real engine to a device that is none: what is asked for, what arrives, what is claimed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from builder.engine.docker_sdk import DockerEngine
from tests.engine.workspaces import Ran, wsb
from tests.support import mock_nvml
from tests.support.mock_nvml import hosts
from tests.support.mock_workspace import mock_workspace
from tests.support.private_engine import PrivateEngine, mock_spec

pytestmark = pytest.mark.engine

UUIDS = (hosts.A100, hosts.A100_BUSY)


@pytest.fixture(scope="module")
def folder(cdi_engine: PrivateEngine, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    engine = DockerEngine.connect(cdi_engine.environ)
    try:
        return mock_workspace(engine, tmp_path_factory.mktemp("mock") / "project", request.config.rootpath / ".cache")
    finally:
        engine.close()


@pytest.fixture
def spec(cdi_engine: PrivateEngine) -> Iterator[PrivateEngine]:
    """Two GPUs that are /dev/null."""
    cdi_engine.write_spec("mock", mock_spec())
    yield cdi_engine
    cdi_engine.remove_spec("mock")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return mock_nvml.build(tmp_path_factory.mktemp("nvml"))
    except mock_nvml.NoCompiler as error:
        pytest.skip(str(error))


def on(engine: PrivateEngine, folder: Path, *words: str, **environment: str) -> Ran:
    environ = {name: value for name, value in engine.environ.items() if os.environ.get(name) != value}
    return wsb(folder, *words, **environ, **environment)


def checks(ran: Ran) -> dict[str, Any]:
    return {check["id"]: check for check in ran.document["checks"]}


@pytest.fixture(scope="module")
def required(cdi_engine: PrivateEngine, folder: Path) -> Ran:
    """Every check, a GPU required, on a mock device."""
    cdi_engine.write_spec("mock", mock_spec())
    try:
        return on(cdi_engine, folder, "test", "--gpu", "required", "--json")
    finally:
        cdi_engine.remove_spec("mock")


def test_a_mock_device_is_wiring_pass_and_compute_not_run(required: Ran) -> None:
    found = checks(required)
    assert (required.code, required.document["device"]) == (0, "mock"), required.err
    assert "GPU: wiring pass, compute not run (mock device)" in required.err
    assert found["gpu.wiring"]["status"] == "pass"
    assert found["gpu.wiring"]["measured"]["way"] == "cdi"
    assert found["gpu.wiring"]["measured"]["nodes"] == ["/dev/nvidia-uvm", "/dev/nvidia0", "/dev/nvidia1", "/dev/nvidiactl"]
    others = {id: check["status"] for id, check in found.items() if check["group"] == "gpu"}
    del others["gpu.wiring"], others["gpu.control"]
    assert set(others.values()) == {"skip"}


def test_the_same_image_without_the_device_does_not_pass(required: Ran) -> None:
    control = checks(required)["gpu.control"]
    assert (control["status"], control["measured"]) == ("pass", {"passed_without_the_device": []})


def test_without_the_device_a_required_gpu_fails(cdi_engine: PrivateEngine, folder: Path) -> None:
    ran = on(cdi_engine, folder, "test", "--gpu", "required", "--json")
    found = checks(ran)
    assert (ran.code, ran.document["device"]) == (1, "none")
    assert found["gpu.request"]["status"] == "fail"
    assert "could not select device driver" in found["gpu.request"]["measured"]
    assert found["gpu.wiring"]["status"] == "fail"
    assert found["environment.python"]["status"] == "pass"


def test_no_gpu_asked_for_says_nothing_of_one(spec: PrivateEngine, folder: Path) -> None:
    ran = on(spec, folder, "test", "--gpu", "none", "--json")
    assert (ran.code, ran.document["device"]) == (0, "none")
    assert {check["status"] for check in ran.document["checks"] if check["group"] == "gpu"} == {"skip"}


def test_one_of_two_is_handed_in_alone(spec: PrivateEngine, folder: Path) -> None:
    ran = on(spec, folder, "run", "--gpus", "1", "--", "sh", "-c", "ls /dev/nvidia[0-9]*")
    assert (ran.code, ran.out) == (0, "/dev/nvidia1\n"), ran.err


def test_none_is_handed_in_where_the_plan_has_no_use_for_one(spec: PrivateEngine, folder: Path) -> None:
    ran = on(spec, folder, "run", "--", "sh", "-c", 'echo "[$NVIDIA_VISIBLE_DEVICES]"')
    assert (ran.code, ran.out) == (0, "[]\n")


def test_one_that_no_spec_has_is_refused_with_those_that_are_there(spec: PrivateEngine, folder: Path) -> None:
    ran = on(spec, folder, "run", "--gpus", "5", "--", "true")
    assert ran.code == 1
    assert "there are: 0, 1, all" in ran.err


def test_a_request_that_brings_nothing_is_a_failure(cdi_engine: PrivateEngine, folder: Path) -> None:
    """A spec whose devices have no files stands for an engine that takes the request and does nothing."""
    empty = {
        "cdiVersion": "0.5.0",
        "kind": "nvidia.com/gpu",
        "devices": [{"name": "all", "containerEdits": {"env": ["EMPTY=1"]}}],
    }
    cdi_engine.write_spec("empty", empty)
    try:
        ran = on(cdi_engine, folder, "run", "--gpus", "all", "--", "echo", "trained")
        tested = on(cdi_engine, folder, "test", "--gpu", "auto", "--gpus", "all", "--quick", "--json")
    finally:
        cdi_engine.remove_spec("empty")
    assert (ran.code, ran.out) == (1, "")
    assert "ignored it" in ran.err
    assert checks(tested)["gpu.wiring"]["status"] == "fail"
    assert tested.code == 1


def test_a_device_of_another_kind_is_asked_for_by_its_own_name(cdi_engine: PrivateEngine, folder: Path) -> None:
    cdi_engine.write_spec("other", mock_spec("wsb.test/gpu", ["0", "all"]))
    try:
        ran = on(cdi_engine, folder, "run", "--gpus", "wsb.test/gpu=0", "--", "printenv", "WSB_CDI_MOCK")
        tested = on(cdi_engine, folder, "test", "--gpu", "required", "--quick", "--json")
    finally:
        cdi_engine.remove_spec("other")
    assert (ran.code, ran.out) == (0, "1\n"), ran.err
    assert (tested.code, tested.document["device"]) == (0, "mock"), tested.err


def test_idle_ones_are_found_by_nvml_taken_and_named(
    cdi_engine: PrivateEngine, folder: Path, tmp_path: Path, library: Path
) -> None:
    cdi_engine.write_spec("mock", mock_spec(names=["0", "1", "2", "all"]))
    environ = mock_nvml.environment(library, hosts.server(tmp_path / "host"))
    try:
        one = on(cdi_engine, folder, "run", "--gpus", "free:1", "--", "sh", "-c", "ls /dev/nvidia[0-9]*", **environ)
        two = on(cdi_engine, folder, "run", "--gpus", "free:2", "--", "true", **environ)
    finally:
        cdi_engine.remove_spec("mock")
    assert (one.code, one.out) == (0, "/dev/nvidia0\n"), one.err
    assert "idle, and taken: 0 (NVIDIA A100-SXM4-80GB)" in one.err
    assert "GPU 1 (2 programs compute on it)" in one.err
    assert two.code == 1
    assert "1 of 3 GPUs are idle, 2 were asked for" in two.err


def test_a_plan_for_this_host_and_engine_says_cdi_and_why(
    cdi_engine: PrivateEngine, tmp_path: Path, library: Path, spec: PrivateEngine
) -> None:
    (tmp_path / "wsb.yaml").write_text("name: planned\ntorch: '2.6'\n")
    environ = mock_nvml.environment(library, hosts.workstation(tmp_path / "host"))
    plan = on(spec, tmp_path, "plan", "--json", **environ).document
    assert (plan["torch"]["variant"], plan["passthrough"]) == ("cu124", "cdi")
    (decision,) = [one for one in plan["decisions"] if one["field"] == "passthrough"]
    assert "nvidia.com/gpu=all" in decision["because"]
    assert [one["value"] for one in decision["rejected"]] == ["gpus"]


def test_nvml_inside_is_held_against_the_hosts_gpus(
    cdi_engine: PrivateEngine, folder: Path, tmp_path: Path, library: Path
) -> None:
    """The mock NVML on both sides: inside it shows other cards than those that were asked for."""
    outside = mock_nvml.write_host(tmp_path / "outside", [mock_nvml.Card(name="NVIDIA A100", uuid=uuid) for uuid in UUIDS])
    inside = mock_nvml.write_host(tmp_path / "inside", [mock_nvml.Card(name="NVIDIA A100", uuid=uuid) for uuid in UUIDS])
    mounts = {str(library): "/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1", str(inside): "/etc/wsb-mock-nvml"}
    cdi_engine.write_spec("mock", mock_spec(mounts=mounts))
    environ = mock_nvml.environment(library, outside)
    words = ("test", "--gpu", "required", "--check", "gpu.nvml", "--check", "gpu.wiring", "--json")
    try:
        same = on(cdi_engine, folder, *words, **environ)
        mock_nvml.write_host(inside, [mock_nvml.Card(name="NVIDIA A100", uuid=hosts.A100)])
        fewer = on(cdi_engine, folder, *words, **environ)
    finally:
        cdi_engine.remove_spec("mock")
    assert [card["uuid"] for card in checks(same)["gpu.nvml"]["measured"]["cards"]] == list(UUIDS), same.err
    assert (same.code, same.document["device"]) == (0, "mock")
    assert checks(fewer)["gpu.nvml"]["status"] == "fail"
    assert hosts.A100_BUSY in checks(fewer)["gpu.nvml"]["hint"]
