"""Which way a GPU is handed in, for the engines that people have."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builder.model.engine import EngineInfo
from builder.model.host import Host, HostDetails
from builder.model.values import Passthrough, Unknown
from builder.resolve.passthrough import Handing, choose_passthrough
from tests.support.specs import host

RTX = host(("NVIDIA GeForce RTX 3090", "8.6"), driver="550.54.15")
NVIDIA = ("nvidia.com/gpu=0", "nvidia.com/gpu=all")


def docker(version: str, **more: Any) -> EngineInfo:
    return EngineInfo(kind="docker", version=version, api_version="", os="linux", arch="amd64", **more)


def podman(version: str, **more: Any) -> EngineInfo:
    return EngineInfo(kind="podman", version=version, api_version="", os="linux", arch="amd64", **more)


def handing(engine: EngineInfo | Unknown | None, there: Host = RTX, accelerator: Any = "cuda") -> Handing:
    return choose_passthrough(accelerator, replace(there, engine=engine))


WITH_HOOK = {"runtimes": ("nvidia", "runc")}
WITH_CDI = {"cdi_spec_dirs": ("/etc/cdi",), "cdi_devices": NVIDIA}

CASES: list[tuple[str, EngineInfo | None, Host, Passthrough]] = [
    ("nobody asked", None, RTX, Passthrough.GPUS),
    ("an old Docker with the toolkit", docker("20.10.24+dfsg1", **WITH_HOOK), RTX, Passthrough.GPUS),
    (
        "a Docker too old for the specs that lie about",
        docker("24.0.7", cdi_devices=NVIDIA, **WITH_HOOK),
        RTX,
        Passthrough.GPUS,
    ),
    ("Docker 26 with CDI off", docker("26.1.5", **WITH_HOOK), RTX, Passthrough.GPUS),
    ("Docker 26 with CDI on", docker("26.1.5", **WITH_CDI), RTX, Passthrough.CDI),
    ("Docker 28.3 with both", docker("28.3.0", **WITH_HOOK, **WITH_CDI), RTX, Passthrough.CDI),
    ("Docker 29 with CDI and no spec", docker("29.2.0", cdi_spec_dirs=("/etc/cdi",), **WITH_HOOK), RTX, Passthrough.GPUS),
    ("rootless Docker with specs", docker("29.2.0", is_rootless=True, **WITH_CDI), RTX, Passthrough.CDI),
    ("Podman with a spec", podman("5.8.2", cdi_devices=NVIDIA), RTX, Passthrough.CDI),
    ("Podman without one", podman("5.8.2"), RTX, Passthrough.CDI),
    ("Docker Desktop on Windows", docker("29.1.0", is_desktop=True), replace(RTX, os="windows"), Passthrough.GPUS),
    ("Docker Desktop on Linux", docker("29.1.0", is_desktop=True), RTX, Passthrough.NONE),
    ("Docker in WSL with a spec", docker("28.3.0", **WITH_CDI), replace(RTX, os="windows"), Passthrough.CDI),
    ("nothing of NVIDIA's there", docker("28.3.0", cdi_spec_dirs=("/etc/cdi",)), RTX, Passthrough.GPUS),
]


@pytest.mark.parametrize(("engine", "there", "mode"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_each_engine_has_its_way(engine: EngineInfo | None, there: Host, mode: Passthrough) -> None:
    assert handing(engine, there).mode is mode


@pytest.mark.parametrize("engine", [case[1] for case in CASES], ids=[case[0] for case in CASES])
def test_the_reason_is_a_sentence_and_the_way_is_never_among_the_rejected(engine: EngineInfo | None) -> None:
    chosen = handing(engine)
    assert len(chosen.because) > 20
    assert chosen.mode.value not in [one.value for one in chosen.rejected]
    assert all(one.because for one in chosen.rejected)


@pytest.mark.parametrize(
    ("engine", "code"),
    [
        (docker("28.3.0"), "container-toolkit-missing"),
        (docker("27.0.0", is_rootless=True, **WITH_HOOK), "rootless-needs-no-cgroups"),
        (podman("5.8.2"), "cdi-spec-missing"),
        (podman("4.9.3", cdi_devices=NVIDIA), "podman-too-old-for-gpu"),
        (docker("29.1.0", is_desktop=True), "desktop-has-no-gpu"),
    ],
)
def test_what_will_go_wrong_is_warned_of(engine: EngineInfo, code: str) -> None:
    assert [warned.code for warned in handing(engine).warnings] == [code]


def test_cdi_that_is_switched_off_is_told_with_the_switch() -> None:
    (cdi, *_) = [one for one in handing(docker("26.1.5", **WITH_HOOK)).rejected if one.value == "cdi"]
    assert '"cdi": true' in cdi.because


def test_a_jetson_takes_the_runtime() -> None:
    there = replace(RTX, details=HostDetails(flavour="jetson", nvml="absent"))
    assert handing(docker("27.0.0", **WITH_HOOK), there).mode is Passthrough.RUNTIME


def test_amd_and_intel_have_ways_of_their_own() -> None:
    assert handing(docker("29.3.0", cdi_devices=("amd.com/gpu=all",)), accelerator="rocm").mode is Passthrough.ROCM
    assert "amd.com/gpu=all" in handing(docker("29.3.0", cdi_devices=("amd.com/gpu=all",)), accelerator="rocm").because
    assert "/dev/kfd" in handing(docker("27.0.0"), accelerator="rocm").because
    assert handing(docker("27.0.0"), accelerator="xpu").mode is Passthrough.XPU


def test_a_mac_and_the_processor_need_none() -> None:
    assert handing(docker("29.0.0"), replace(RTX, os="macos")).mode is Passthrough.NONE
    assert handing(docker("29.0.0", **WITH_CDI), accelerator="cpu").mode is Passthrough.NONE


def test_an_engine_that_did_not_answer_is_said_so() -> None:
    assert "refused" in handing(Unknown("its socket refused the connection")).because
