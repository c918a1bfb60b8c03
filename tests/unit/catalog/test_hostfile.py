"""Host facts from a file and from the command line."""

from __future__ import annotations

import json

import pytest

from builder.catalog import load
from builder.catalog.hostfile import parse_host, told
from builder.errors import Problems, WsbError
from builder.model.engine import EngineInfo
from builder.model.host import Host
from builder.model.values import ComputeCapability, DriverVersion, Unknown

CATALOG = load()
DESIGN = """{"schema": "wsb.host/1", "os": "linux", "arch": "x86_64", "driver": "550.54.15",
 "gpus": [{"name": "NVIDIA GeForce RTX 3090", "compute_capability": "8.6", "memory_mib": 24576}]}"""
HERE = Host(os="linux", arch="x86_64", driver=None, gpus=())


def test_the_example_of_the_design_is_read() -> None:
    host = parse_host(DESIGN, "host.json", CATALOG)
    assert host.driver == DriverVersion.parse("550.54.15")
    assert not isinstance(host.gpus, Unknown)
    assert host.gpus[0].compute_capability == ComputeCapability(8, 6)
    assert host.gpus[0].memory_mib == 24576


def test_what_doctor_prints_is_read_as_well() -> None:
    assert parse_host(json.dumps({"host": json.loads(DESIGN)}), "-", CATALOG) == parse_host(DESIGN, "-", CATALOG)


def test_null_and_empty_mean_none_and_left_out_means_unknown() -> None:
    none = parse_host('{"driver": null, "gpus": []}', "h", CATALOG)
    assert (none.driver, none.gpus) == (None, ())
    unknown = parse_host("{}", "h", CATALOG)
    assert isinstance(unknown.driver, Unknown)
    assert isinstance(unknown.gpus, Unknown)


def test_a_gpu_without_its_capability_is_looked_up() -> None:
    host = parse_host('{"driver": "580.65.06", "gpus": [{"name": "Tesla V100-SXM2-32GB"}]}', "h", CATALOG)
    assert not isinstance(host.gpus, Unknown)
    assert host.gpus[0].compute_capability == ComputeCapability(7, 0)


def test_every_wrong_value_is_told_at_once_with_its_place() -> None:
    text = '{"os": "plan9",\n "arch": "riscv",\n "driver": 550.54,\n "gpus": [{"name": "x", "compute_capability": 8.6}]}'
    with pytest.raises(Problems) as caught:
        parse_host(text, "host.json", CATALOG)
    places = [(error.code, error.where.line if error.where else 0) for error in caught.value.errors]
    assert places == [("bad-value", 1), ("bad-value", 2), ("bad-value", 3), ("bad-value", 4)]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", '"x"', '{"gpus": 3}', '{"gpus": [3]}', '{"gpus": [{}]}', '{"driver": []}']
)
def test_text_that_is_no_host_is_refused_with_an_error_of_ours(text: str) -> None:
    with pytest.raises((WsbError, Problems)):
        parse_host(text, "host.json", CATALOG)


def test_driver_and_gpu_can_be_told_on_the_command_line() -> None:
    host = told(HERE, CATALOG, driver="550.54.15", gpus=("RTX 3090", "A100"))
    assert host.driver == DriverVersion.parse("550.54.15")
    assert not isinstance(host.gpus, Unknown)
    assert [str(gpu.compute_capability) for gpu in host.gpus] == ["8.6", "8.0"]


def test_what_is_not_told_is_unknown_when_planning_for_another_machine() -> None:
    assert isinstance(told(HERE, CATALOG, driver="550.54.15", gpus=()).gpus, Unknown)
    assert isinstance(told(HERE, CATALOG, driver=None, gpus=("8.9",)).driver, Unknown)


def test_none_can_be_told_too() -> None:
    there = told(HERE, CATALOG, driver="550.54.15", gpus=("T4",))
    assert told(there, CATALOG, driver=None, gpus=("none",)).gpus == ()
    assert told(there, CATALOG, driver="none", gpus=()).driver is None


def test_a_gpu_in_no_table_is_refused_with_similar_names() -> None:
    with pytest.raises(WsbError) as caught:
        told(HERE, CATALOG, driver=None, gpus=("RTX 3095",))
    assert "RTX" in caught.value.hints[0]


def test_a_name_of_several_gpus_asks_which() -> None:
    with pytest.raises(WsbError) as caught:
        told(HERE, CATALOG, driver=None, gpus=("RTX 6000",))
    assert "several" in caught.value.message
    assert "Quadro RTX 6000 (7.5)" in caught.value.hints[0]
    assert "RTX 6000 Ada (8.9)" in caught.value.hints[0]


@pytest.mark.parametrize(("spoken", "driver"), [("550.54.x", None), ("12.4 CUDA", None)])
def test_a_driver_that_is_no_version_is_refused(spoken: str, driver: None) -> None:
    with pytest.raises(WsbError):
        told(HERE, CATALOG, driver=spoken, gpus=())


def test_an_engine_in_the_file_is_what_passthrough_is_decided_by() -> None:
    text = json.dumps(
        {"driver": "550.54.15", "gpus": [], "engine": {"version": "28.3.0", "cdi_devices": ["nvidia.com/gpu=all"]}}
    )
    engine = parse_host(text, "host.json", load()).engine
    assert isinstance(engine, EngineInfo)
    assert (engine.kind, engine.cdi_names("nvidia.com/gpu")) == ("docker", ("all",))


@pytest.mark.parametrize("engine", ["docker", {"kind": "rkt"}, {"runtimes": "nvidia"}, {"cdi_devices": [1]}])
def test_what_is_no_engine_is_refused(engine: object) -> None:
    with pytest.raises(Problems):
        parse_host(json.dumps({"engine": engine}), "host.json", load())
