"""The dev container's files on an engine with a mock CDI device: gpu/ brings it in, cpu/ does not. No GPU is claimed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from builder import assets
from builder.engine.docker_sdk import DockerEngine
from builder.model.values import Ide, Passthrough
from builder.render.ide_files import ide_files
from builder.store import write
from tests.engine.devcontainers import *  # noqa: F403
from tests.support.devcontainer_cli import DevcontainerCli
from tests.support.private_engine import PrivateEngine, mock_spec
from tests.support.tiny_image import tiny_image
from tests.unit.render.test_devcontainer import plan

pytestmark = pytest.mark.engine

NAME = "wsbtest-gpu"
# variables of a CDI spec reach a container's own process, not the commands an IDE starts beside it: nodes reach both
SEEN = "ls /dev | grep nvidia; test -w /dev/nvidia0 && echo writable; id -u"
NODES = ["nvidia-uvm", "nvidia0", "nvidia1", "nvidiactl", "writable"]


@pytest.fixture(scope="module")
def project(cdi_engine: PrivateEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project whose plan hands the GPU in by CDI, on an engine that has the device; its image is two megabytes."""
    cdi_engine.write_spec("mock", mock_spec())
    engine = DockerEngine.connect(cdi_engine.environ)
    engine.tag(tiny_image(engine), f"{NAME}:latest")
    engine.close()
    folder = tmp_path_factory.mktemp("gpu")
    a_plan = replace(plan(f"name: {NAME}\ntorch: none\n"), passthrough=Passthrough.CDI, ide=(Ide.VSCODE,))
    parts, templates = assets.devcontainer_parts(), assets.devcontainer_templates()
    write(folder, ide_files(a_plan, (), has_tests=False, parts=parts, templates=templates))
    yield folder
    cdi_engine.remove_spec("mock")


@pytest.fixture(scope="module")
def cli(devcontainer_cli: DevcontainerCli, cdi_engine: PrivateEngine) -> DevcontainerCli:
    return replace(devcontainer_cli, environ=cdi_engine.environ)


@pytest.mark.parametrize(("variant", "seen"), [("gpu", NODES), ("cpu", []), (".", [])])
def test_only_the_gpu_file_brings_the_device_in(cli: DevcontainerCli, project: Path, variant: str, seen: list[str]) -> None:
    config = project / ".devcontainer" / variant / "devcontainer.json"
    assert json.loads(config.read_text())["image"] == f"{NAME}:latest"
    opened = cli("up", "--workspace-folder", str(project), "--config", str(config))
    assert opened.code == 0, opened.log
    said = cli.exec(project, config, "sh", "-c", SEEN).split()
    assert said == [*seen, "1000"]
