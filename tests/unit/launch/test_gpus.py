"""Which GPUs are taken, how the engine is asked for them, and what is said when that cannot be."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import replace
from typing import Any

import pytest

from builder.errors import WsbError
from builder.launch.arrival import watched
from builder.launch.container import every_gpu
from builder.launch.devices import handed_in
from builder.launch.gpus import ChosenGpus, GpuRequest, choose_gpus, parse_gpus
from builder.model.engine import EngineInfo
from builder.model.host import Gpu, GpuState, Host, HostDetails, MigInstance
from builder.model.values import Passthrough, Unknown

SLICE = MigInstance(index=0, uuid="MIG-aaaa", name="3g.40gb")


def card(index: int, **state: Any) -> Gpu:
    facts = {"memory_used_mib": 4, "busy_percent": 0, "processes": 0, **state}
    return Gpu(name="NVIDIA A100", memory_mib=81920, uuid=f"GPU-{index}", index=index, state=GpuState(**facts))


def machine(*gpus: Gpu, **more: Any) -> Host:
    return Host(os="linux", arch="x86_64", driver=None, gpus=gpus, **more)


IDLE, BUSY, CUT = card(0), card(1, processes=1, busy_percent=90), card(2, is_mig_on=True, mig=(SLICE,))
SERVER = machine(IDLE, BUSY, CUT)
STRANGER = replace(machine(), gpus=Unknown("nobody asked"))
DOCKER = EngineInfo(kind="docker", version="28.3.0", api_version="1.51", os="linux", arch="amd64")


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("all", GpuRequest(kind="all")),
        ("none", GpuRequest(kind="none")),
        ("0", GpuRequest(kind="some", names=("0",))),
        ("0,2", GpuRequest(kind="some", names=("0", "2"))),
        ("2, 0, 2", GpuRequest(kind="some", names=("2", "0"))),
        ("GPU-0", GpuRequest(kind="some", names=("GPU-0",))),
        ('"device=0,1"', GpuRequest(kind="some", names=("0", "1"))),  # as one writes it for docker
        ("1:0,MIG-aaaa", GpuRequest(kind="some", names=("1:0", "MIG-aaaa"))),
        ("free", GpuRequest(kind="free", count=1)),
        ("free:3", GpuRequest(kind="free", count=3)),
        ("wsb.test/gpu=all", GpuRequest(kind="cdi", names=("wsb.test/gpu=all",))),
    ],
)
def test_what_can_be_asked_for(text: str, request_: GpuRequest) -> None:
    assert parse_gpus(text) == request_


@pytest.mark.parametrize("text", ["", "some", "0,", "-1", "free:0", "free:x", "0;rm", "RTX 3090", "0,all"])
def test_what_is_not_understood_is_refused_with_the_spellings(text: str) -> None:
    with pytest.raises(WsbError) as raised:
        parse_gpus(text)
    assert raised.value.code == "bad-value"
    assert "free:2" in raised.value.hints[0]


def chosen(text: str, there: Host = SERVER) -> ChosenGpus:
    return choose_gpus(parse_gpus(text), there)


def test_named_ones_must_be_there_and_then_arrive() -> None:
    assert (chosen("0,GPU-1").count, chosen("0,GPU-1").uuids) == (2, ("GPU-0", "GPU-1"))


def test_one_named_twice_is_one() -> None:
    assert chosen("0,GPU-0").count == 1


def test_one_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(WsbError) as raised:
        chosen("0,7")
    assert raised.value.code == "no-such-gpu"
    assert "7" in raised.value.message
    assert "2 (NVIDIA A100, slices 2:0)" in raised.value.hints[0]


@pytest.mark.parametrize("name", ["2:0", "MIG-aaaa"])
def test_a_slice_is_known_by_both_its_names_and_counts_as_no_whole_card(name: str) -> None:
    assert chosen(name) == ChosenGpus(names=(name,))


def test_names_on_a_host_that_tells_nothing_are_handed_on() -> None:
    assert chosen("0,5", STRANGER) == ChosenGpus(names=("0", "5"))


def test_free_takes_the_idle_one_and_says_which_and_why_not_the_others() -> None:
    found = chosen("free:1")
    assert (found.names, found.uuids) == (("0",), ("GPU-0",))
    assert "0 (NVIDIA A100)" in found.said
    assert "GPU 1 (1 program computes on it)" in found.said
    assert "GPU 2 (cut into slices" in found.said


def test_free_takes_those_with_the_most_memory_left() -> None:
    assert chosen("free:2", machine(card(0, memory_used_mib=3000), card(1), card(2))).names == ("1", "2")


@pytest.mark.parametrize(
    "state",
    [
        {"processes": 2},
        {"busy_percent": 40},
        {"memory_used_mib": 60000},
        {"compute_mode": "prohibited"},
        {"memory_used_mib": None},
    ],
)
def test_nobodys_work_is_disturbed(state: dict[str, Any]) -> None:
    with pytest.raises(WsbError) as raised:
        chosen("free:1", machine(card(0, **state)))
    assert raised.value.code == "gpu-busy"
    assert raised.value.hints[0].startswith("GPU 0: ")


def test_more_idle_ones_than_there_are_is_refused_with_what_each_is_doing() -> None:
    with pytest.raises(WsbError, match="1 of 3 GPUs are idle, 2 were asked for"):
        chosen("free:2")


def test_which_are_idle_cannot_be_seen_where_nothing_is_told() -> None:
    with pytest.raises(WsbError, match="nobody asked"):
        chosen("free", STRANGER)


# --- in the engine's words ------------------------------------------------------------------------------------------


def names(mode: Passthrough, text: str, *devices: str, there: Host = SERVER) -> list[str]:
    engine = replace(DOCKER, cdi_devices=devices)
    (request,) = handed_in(mode, chosen(text, there), engine, there).requests
    found = request["DeviceIDs"]
    assert isinstance(found, list)
    return found


def test_gpus_are_asked_for_as_docker_words_it() -> None:
    (everything,) = handed_in(Passthrough.GPUS, ChosenGpus(), DOCKER, SERVER).requests
    assert everything == {"Driver": "", "Count": -1, "DeviceIDs": [], "Capabilities": [["gpu"]], "Options": {}}
    (some,) = handed_in(Passthrough.GPUS, chosen("0,1"), DOCKER, SERVER).requests
    assert (some["Count"], some["DeviceIDs"]) == (0, ["0", "1"])


def test_cdi_names_are_fully_qualified() -> None:
    there = ("nvidia.com/gpu=0", "nvidia.com/gpu=1", "nvidia.com/gpu=all")
    assert names(Passthrough.CDI, "0,1", *there) == ["nvidia.com/gpu=0", "nvidia.com/gpu=1"]
    assert names(Passthrough.CDI, "all", *there) == ["nvidia.com/gpu=all"]


def test_a_spec_that_names_by_uuid_is_met_by_index_and_the_other_way_round() -> None:
    assert names(Passthrough.CDI, "0", "nvidia.com/gpu=GPU-0") == ["nvidia.com/gpu=GPU-0"]
    assert names(Passthrough.CDI, "GPU-1", "nvidia.com/gpu=1") == ["nvidia.com/gpu=1"]
    assert names(Passthrough.CDI, "MIG-aaaa", "nvidia.com/gpu=2:0") == ["nvidia.com/gpu=2:0"]


def test_all_of_a_spec_without_all_is_every_device_of_it() -> None:
    assert names(Passthrough.CDI, "all", "nvidia.com/gpu=0", "nvidia.com/gpu=1") == ["nvidia.com/gpu=0", "nvidia.com/gpu=1"]


def test_one_card_of_wsls_spec_is_refused_with_what_it_has() -> None:
    with pytest.raises(WsbError) as raised:
        names(Passthrough.CDI, "0", "nvidia.com/gpu=all")
    assert "there are: all" in raised.value.hints


def test_a_cdi_name_goes_to_the_engine_as_it_stands() -> None:
    assert names(Passthrough.GPUS, "wsb.test/gpu=all") == ["wsb.test/gpu=all"]


def test_the_runtime_is_told_by_variables() -> None:
    found = handed_in(Passthrough.RUNTIME, chosen("0,1"), DOCKER, SERVER)
    assert (found.runtime, dict(found.env)["NVIDIA_VISIBLE_DEVICES"]) == ("nvidia", "0,1")
    assert found.requests == ()


def test_amds_device_files_come_with_the_groups_that_may_open_them() -> None:
    nodes = (("/dev/kfd", 109), ("/dev/dri/renderD128", 109), ("/dev/dri/card0", 44), ("/dev/nvidia0", 7))
    there = machine(details=HostDetails(flavour="plain", nvml="absent", nodes=nodes))
    found = handed_in(Passthrough.ROCM, ChosenGpus(names=("1",)), DOCKER, there)
    assert found.devices == ("/dev/kfd", "/dev/dri")
    assert found.groups == ("44", "109")
    assert dict(found.env) == {"ROCR_VISIBLE_DEVICES": "1"}


def test_amds_cdi_devices_are_taken_where_the_engine_knows_them() -> None:
    found = handed_in(Passthrough.ROCM, ChosenGpus(), replace(DOCKER, cdi_devices=("amd.com/gpu=all",)), machine())
    assert [request["DeviceIDs"] for request in found.requests] == [["amd.com/gpu=all"]]
    assert found.devices == ()


@pytest.mark.parametrize(
    ("variant", "mode"),
    [("cu126", Passthrough.GPUS), ("cpu", Passthrough.NONE), ("rocm6.4", Passthrough.ROCM), ("xpu", Passthrough.XPU)],
)
def test_what_the_plans_torch_computes_on_decides(variant: str, mode: Passthrough) -> None:
    assert every_gpu({"torch": {"variant": variant}}, DOCKER).handed.mode is mode
    assert every_gpu({}, DOCKER).handed.mode is Passthrough.NONE


# --- arrival --------------------------------------------------------------------------------------------------------


def started(count: int | None, *files: str) -> subprocess.CompletedProcess[str]:
    """The watched command, looking for these files instead of a GPU's."""
    command = list(watched(("echo", "a b", "$HOME"), Passthrough.CDI, ChosenGpus(count=count)))
    command[4] = " ".join([*map(shlex.quote, files), "/no-such-file-of-wsb*"])
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_command_begins_where_the_gpu_has_arrived_and_keeps_its_words() -> None:
    ran = started(None, "/dev/null")
    assert (ran.returncode, ran.stdout) == (0, "a b $HOME\n")


def test_a_request_that_was_ignored_is_a_failure_and_the_command_does_not_begin() -> None:
    ran = started(None)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "ignored it" in ran.stderr


def test_a_command_keeps_its_exit_code_and_one_that_is_missing_has_the_shells() -> None:
    for words, code in ((("sh", "-c", "exit 7"), 7), (("no-such-program",), 127)):
        command = list(watched(words, Passthrough.CDI, ChosenGpus()))
        command[4] = "/dev/null"
        assert subprocess.run(command, capture_output=True, check=False).returncode == code


def test_nothing_is_watched_where_nothing_is_handed_in() -> None:
    assert watched(("true",), Passthrough.NONE, ChosenGpus()) == ("true",)
    assert watched(("true",), Passthrough.CDI, ChosenGpus(cdi=("wsb.test/gpu=0",))) == ("true",)
