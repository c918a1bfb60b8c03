"""A conda environment opened by the real devcontainer CLI as another person: conda and pip install into it.

conda is the stand-in of tests/support/standin_conda, on a local channel of real packages.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from builder.engine.docker_sdk import DockerEngine
from tests.engine.devcontainers import *  # noqa: F403
from tests.engine.devcontainers import Home, Opener
from tests.engine.workspaces import PYTHON_PREFIX, project, wsb
from tests.support.conda_fixtures import *  # noqa: F403
from tests.support.http_server import serve

pytestmark = pytest.mark.engine

NAME = "wsbtest-ide-conda"
PREFIX = f"/opt/conda/envs/{NAME}"


@pytest.fixture(scope="module")
def home(
    engine: DockerEngine,
    opener: Opener,
    conda_channel: Path,
    channel_url: str,
    miniconda_installer: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Home:
    folder = tmp_path_factory.mktemp("conda-ide")
    with serve(miniconda_installer.parent) as installers:
        digest = hashlib.sha256(miniconda_installer.read_bytes()).hexdigest()
        text = f"""\
name: {NAME}
torch: none
python: "3.11"
manager: miniconda
base: {{bootstrap: bookworm}}
ide: [vscode]
run: {{mounts: ["{conda_channel}:/channel:ro"]}}
sources: {{conda: "{channel_url}", miniconda: "{installers}/{miniconda_installer.name}#sha256={digest}"}}
"""
        built = wsb(project(folder / "p", wsb_yaml=text), "build", "--network", "host", "--no-test")
        assert built.code == 0, built.err
        rendered = wsb(folder / "p", "render")
        assert rendered.code == 0, rendered.err
    return opener(folder / "p", 1001)


def test_conda_installs_into_the_environment(home: Home) -> None:
    assert home.exec("python", "-c", PYTHON_PREFIX).strip() == PREFIX
    assert "checks passed, 0 failed" in home.opened.log
    channel = ("--override-channels", "--channel", "file:///channel/conda-forge")
    home.exec("conda", "install", "--yes", *channel, "markupsafe")
    assert home.exec("python", "-c", "import markupsafe; print(markupsafe.__file__)").startswith(PREFIX)
    record = home.exec("sh", "-c", "stat -c %u /opt/conda/envs/wsb/conda-meta/markupsafe-*.json /opt/conda/envs/wsb/bin/python")
    assert record.split() == ["1001", "0"]  # installed by the person; what was there was not chowned


def test_the_kernel_and_the_debugger_are_in_the_conda_environment(home: Home) -> None:
    assert home.exec("python", "-c", "import debugpy, ipykernel; print(debugpy.__file__)").startswith(PREFIX)
    assert home.exec("bash", "-ic", "conda info --envs; jupyter kernelspec list").count(NAME) >= 1
