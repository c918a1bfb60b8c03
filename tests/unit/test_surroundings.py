"""Whose driver and GPUs count: this machine's, or, where the engine stands elsewhere, that machine's."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from builder import surroundings
from builder.host import nvidia
from builder.model.host import Host
from builder.model.values import DriverVersion, Unknown
from builder.resolve.passthrough import choose_passthrough
from tests.fakes.engine import INFO, FakeEngine, Ran
from tests.support import host_trees
from tests.support.host_trees import plant

REMOTE = replace(INFO, is_remote=True, endpoint="ssh://gpu-server", runtimes=("nvidia", "runc"))


@pytest.fixture(autouse=True)
def without_nvml(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvidia, "_LIBRARIES", ("no-such-library-of-wsb.so",))


def printed(tree: dict[str, str], root: Path) -> bytes:
    """What the script prints on a machine with these files: run by a real shell, on paths below root."""
    plant(root, {name: content for name, content in tree.items() if not name.startswith("dev/")})
    script = surroundings._PRINT.replace("/proc/", f"{root}/proc/").replace("/sys/", f"{root}/sys/")
    shell = shutil.which("dash") or "sh"
    done = subprocess.run([shell, "-c", script], capture_output=True, check=True)
    return done.stdout.replace(str(root).encode(), b"")


def elsewhere(tree: dict[str, str], root: Path, code: int = 0) -> Host:
    engine = FakeEngine(runs=[Ran(stdout=printed(tree, root), code=code)])
    engine.hold("some/image:1")
    return surroundings.host_of(engine, REMOTE)


def test_a_remote_engine_tells_of_its_own_machine(tmp_path: Path) -> None:
    host = elsewhere(host_trees.KERNEL_ONLY, tmp_path)
    assert host.driver == DriverVersion.parse("535.161.08")
    assert [gpu.name for gpu in host.gpus] == ["NVIDIA H100 80GB HBM3"]  # type: ignore[union-attr]
    assert host.engine == REMOTE
    assert choose_passthrough("cuda", host).mode.value == "gpus"


def test_amd_is_seen_there_too(tmp_path: Path) -> None:
    host = elsewhere(host_trees.AMD_SERVER, tmp_path)
    assert [gpu.memory_mib for gpu in host.gpus] == [65520, 65520]  # type: ignore[union-attr]
    assert host.driver is None


def test_a_machine_without_a_gpu_is_known_to_have_none(tmp_path: Path) -> None:
    host = elsewhere(host_trees.MATROX, tmp_path)
    assert (host.driver, host.gpus) == (None, ())


def test_an_engine_without_any_image_cannot_be_asked_and_that_is_said() -> None:
    host = surroundings.host_of(FakeEngine(), REMOTE)
    assert isinstance(host.driver, Unknown)
    assert "ssh://gpu-server" in host.driver.because


def test_a_container_that_fails_leaves_the_facts_unknown(tmp_path: Path) -> None:
    host = elsewhere(host_trees.KERNEL_ONLY, tmp_path, code=127)
    assert isinstance(host.gpus, Unknown)
    assert "127" in host.gpus.because


def test_a_path_that_climbs_out_is_not_planted(tmp_path: Path) -> None:
    version = b"wsb-file /proc/driver/nvidia/version\nNVRM version: NVIDIA UNIX x86_64 Kernel Module  535.1 x\n"
    text = b"wsb-file /../../escaped\nx\n" + version
    engine = FakeEngine(runs=[Ran(stdout=text)])
    engine.hold("some/image:1")
    assert surroundings.host_of(engine, REMOTE).driver == DriverVersion.parse("535.1")


def test_a_local_engine_means_this_machine() -> None:
    here = Host(os="linux", arch="x86_64", driver=None, gpus=())
    engine = FakeEngine()
    assert surroundings.host_of(engine, INFO, here) == replace(here, engine=INFO)
    assert engine.asked == []


def test_a_machine_without_a_gpu_does_not_wait_for_an_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "local_host", lambda: Host(os="linux", arch="x86_64", driver=None, gpus=()))
    assert surroundings.host_to_plan_for({"DOCKER_HOST": "unix:///nowhere.sock"}).engine is None


def test_an_engine_that_does_not_answer_is_unknown_and_the_plan_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "local_host", lambda: Host(os="linux", arch="x86_64", driver=None, gpus=()))
    host = surroundings.host_to_plan_for({"DOCKER_HOST": "tcp://127.0.0.1:1"})
    assert isinstance(host.engine, Unknown)
