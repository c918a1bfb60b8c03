"""`wsb doctor` on a real engine that hands in a mock device, on a machine whose NVML is a mock as well."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from builder.engine.docker_sdk import DockerEngine
from tests.engine.workspaces import Ran, wsb
from tests.support import mock_nvml
from tests.support.mock_workspace import mock_workspace
from tests.support.private_engine import PrivateEngine, mock_spec

pytestmark = pytest.mark.engine

CARDS = tuple(
    mock_nvml.Card(name="NVIDIA GeForce RTX 3090", uuid=f"GPU-{letter * 8}-1111-2222-3333-444444444444") for letter in "ab"
)


@pytest.fixture(scope="module")
def folder(cdi_engine: PrivateEngine, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    engine = DockerEngine.connect(cdi_engine.environ)
    try:
        return mock_workspace(engine, tmp_path_factory.mktemp("doctor") / "project", request.config.rootpath / ".cache")
    finally:
        engine.close()


@pytest.fixture(scope="module")
def nvml(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a machine with two cards."""
    place = tmp_path_factory.mktemp("nvml")
    try:
        library = mock_nvml.build(place)
    except mock_nvml.NoCompiler as error:
        pytest.skip(str(error))
    return mock_nvml.environment(library, mock_nvml.write_host(place / "host", CARDS, driver="570.86.15", cuda=12080))


def doctor(engine: PrivateEngine, folder: Path, nvml: dict[str, str]) -> tuple[Ran, dict[str, list[dict[str, Any]]]]:
    """(what it printed, its findings by link)."""
    ran = wsb(folder, "doctor", "--json", DOCKER_HOST=engine.host, **nvml)
    links: dict[str, list[dict[str, Any]]] = {}
    for finding in ran.document["findings"]:
        links.setdefault(finding["link"], []).append(finding)
    return ran, links


def test_a_mock_device_goes_the_whole_way_and_is_never_called_a_working_gpu(
    cdi_engine: PrivateEngine, folder: Path, nvml: dict[str, str]
) -> None:
    cdi_engine.write_spec("mock", mock_spec())
    try:
        ran, links = doctor(cdi_engine, folder, nvml)
    finally:
        cdi_engine.remove_spec("mock")
    chain = ("gpu", "driver", "nvml", "toolkit", "engine", "passthrough", "container", "kernel")
    assert {link: [one["severity"] for one in links[link]] for link in chain} == {link: ["info"] for link in chain}, ran.out
    assert links["gpu"][0]["message"] == "2 × NVIDIA GeForce RTX 3090 (24 GB)"
    assert links["kernel"][0]["message"] == "not run: the device is a mock; wiring pass, compute not run"
    assert ran.document["host"]["driver"] == "570.86.15"


def test_without_a_way_in_the_toolkit_is_what_is_missing(cdi_engine: PrivateEngine, folder: Path, nvml: dict[str, str]) -> None:
    ran, links = doctor(cdi_engine, folder, nvml)
    assert ran.code == 1
    assert [one["id"] for one in links["toolkit"]] == ["toolkit-missing"]
    assert "container" not in links
