"""Miniconda, Miniforge and micromamba, executed for real on stand-ins: a local channel of real packages, and installers that
behave as theirs do (tests/support/standin_conda says what is a stand-in). Anaconda's servers are not needed and not asked.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.engine.docker_sdk import DockerEngine
from tests.engine.workspaces import prefixes, project, wsb
from tests.support.channel import build_channel
from tests.support.http_server import serve
from tests.support.standin_conda import make_installer, make_micromamba

pytestmark = pytest.mark.engine

CACHE = Path(__file__).parents[2] / ".cache"

ENVIRONMENT = """\
name: from-a-repository
channels: [conda-forge]
dependencies:
  - python=3.11
  - pip
  - pip:
      - einops
"""


@pytest.fixture(scope="module")
def sources(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """(address of the channels, installer by manager with its hash), served on loopback."""
    channel = build_channel(CACHE)
    folder = tmp_path_factory.mktemp("installers")
    with serve(channel) as channels, serve(folder) as installers:
        named = {}
        made = {
            "miniconda": make_installer("miniconda", CACHE),
            "miniforge": make_installer("miniforge", CACHE),
            "micromamba": make_micromamba(CACHE),
        }
        for kind, installer in made.items():
            shutil.copy(installer, folder / installer.name)
            digest = hashlib.sha256(installer.read_bytes()).hexdigest()
            named[kind] = f"{installers}/{installer.name}#sha256={digest}"
        yield channels, named


@pytest.mark.parametrize("manager", ["miniconda", "miniforge", "micromamba"])
def test_an_environment_file_becomes_an_active_environment(
    manager: str, sources: tuple[str, dict[str, str]], tmp_path: Path
) -> None:
    channels, installers = sources
    text = f"""\
name: wsbtest-{manager}
torch: none
manager: {manager}
environment: environment.yml
base: {{bootstrap: bookworm}}
ide: []
sources: {{conda: "{channels}", miniconda: "{installers[manager]}"}}
"""
    folder = project(tmp_path / manager, wsb_yaml=text, environment_yml=ENVIRONMENT)
    built = wsb(folder, "build", "--network", "host", "--json")
    assert built.code == 0, built.err + built.out
    assert built.document["report"]["summary"]["fail"] == 0
    for user in ("dev", "root"):
        assert set(prefixes(f"wsbtest-{manager}:latest", user).values()) == {f"/opt/conda/envs/wsbtest-{manager}"}
    assert wsb(folder, "run", "--", "python", "-c", "import einops, ssl, sqlite3, ctypes").code == 0
    shared = wsb(folder, "run", "--", "sh", "-c", "find /opt/conda/envs -type d ! -perm -g+w ! -name __pycache__ | head")
    assert shared.out == ""
    if manager == "miniforge":
        _conda_packages_are_added_and_listed(folder)
    if manager == "micromamba":
        return  # it brings no `conda` function
    assert wsb(folder, "run", "--", "bash", "-ic", "conda activate base && conda activate $0; echo $CONDA_PREFIX").code == 0


def _conda_packages_are_added_and_listed(folder: Path) -> None:
    """Asked of the conda in the image, which is the one that then installs it."""
    absent = wsb(folder, "add", "--conda", "no-such-package-of-wsb", "--network", "host")
    assert absent.code == 3, absent.err
    assert "there is no conda package no-such-package-of-wsb on conda-forge" in absent.err
    added = wsb(folder, "add", "--conda", "udunits2", "--network", "host", "--json")
    assert added.code == 0, added.err
    assert "could not be asked" not in added.err
    packages = {one["name"]: one for one in wsb(folder, "list", "--json").document["packages"]}
    assert packages["udunits2"]["source"] == "conda"
    assert packages["udunits2"]["asked"] is True
    assert packages["einops"]["source"] == "pip"
    assert packages["pip"]["source"] == "conda"


def test_an_installer_with_another_hash_is_refused(sources: tuple[str, dict[str, str]], tmp_path: Path) -> None:
    channels, installers = sources
    wrong = installers["miniconda"].partition("#")[0] + "#sha256=" + "0" * 64
    text = f"""\
name: wsbtest-wrong
torch: none
base: {{bootstrap: bookworm}}
sources: {{conda: "{channels}", miniconda: "{wrong}"}}
"""
    ran = wsb(project(tmp_path / "p", wsb_yaml=text), "build", "--network", "host")
    assert ran.code == 5
    assert "FAILED" in ran.err
    assert "layers/manager/miniconda.j2" in ran.err
