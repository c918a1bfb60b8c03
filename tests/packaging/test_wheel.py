"""The wheel, installed into a fresh environment, renders: templates, tables and probes travel with it."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def test_the_wheel_carries_templates_tables_and_probes(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "builder/_assets/dockerfiles/Dockerfile.j2" in names
    assert "builder/_assets/devcontainer/metadata.json" in names
    assert "builder/data/torch.json" in names
    assert "builder/verify/probes/run.py" in names
    assert not any(name.startswith("tests/") for name in names)


def test_an_installed_wheel_renders(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=True)
    subprocess.run([environment / "bin" / "pip", "install", "--quiet", str(wheel)], check=True, capture_output=True)
    (tmp_path / "wsb.yaml").write_text("name: travelled\ntorch: '2.6'\n")
    done = subprocess.run(
        [environment / "bin" / "wsb", "-C", tmp_path, "render", "--stdout"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "FROM ${WSB_TORCH} AS workspace" in done.stdout
    written = subprocess.run(
        [environment / "bin" / "wsb", "-C", tmp_path, "render"], capture_output=True, text=True, check=False
    )
    assert written.returncode == 0, written.stderr
    assert "/envs/travelled/bin/python" in (tmp_path / ".devcontainer" / "PYCHARM.md").read_text()
