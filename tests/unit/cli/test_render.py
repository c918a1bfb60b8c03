"""`wsb render` in a project that a person works in: what is written, kept, removed, told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from builder.cli.main import run

RTX = ("--driver", "550.54.15", "--gpu", "RTX 3090")
NONE = ("--driver", "none")
USUAL = ".devcontainer/devcontainer.json"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "wsb.yaml").write_text("name: mnist\ntorch: '2.6'\n")
    (tmp_path / "train.py").write_text('if __name__ == "__main__":\n    print(1)\n')
    return tmp_path


def render(project: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, str]]:
    """(exit code, path → what was done), of all that is not as it was."""
    code = run(["-C", str(project), "render", "--json", *words])
    files = json.loads(capsys.readouterr().out)["files"]
    return code, {one["path"]: one["change"] for one in files if one["change"] != "same"}


def test_a_project_gets_its_dev_container_and_its_programs(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, done = render(project, capsys, *RTX)
    assert code == 0
    assert {USUAL, ".devcontainer/gpu/devcontainer.json", ".run/train.run.xml", ".vscode/launch.json", "Dockerfile"} <= set(
        done
    )
    assert set(done.values()) == {"new"}
    assert render(project, capsys, *RTX, "--check") == (0, {})


def test_an_edited_file_stays_and_check_tells(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    render(project, capsys, *NONE)
    (project / USUAL).write_text('{"image": "mine"}\n')
    assert render(project, capsys, *NONE, "--check") == (1, {USUAL: "edited"})
    assert render(project, capsys, *NONE) == (0, {USUAL: "edited"})
    (project / "wsb.yaml").write_text("name: mnist\ntorch: '2.6'\nrun: {shm_size: 2g}\n")
    code, done = render(project, capsys, *NONE)
    assert (code, done[USUAL]) == (1, "conflict")
    assert (project / USUAL).read_text() == '{"image": "mine"}\n'
    assert "2g" in (project / ".wsb/new" / USUAL).read_text()
    assert render(project, capsys, *NONE, "--force")[0] == 0
    assert "2g" in (project / USUAL).read_text()


def test_a_persons_own_launch_file_is_left_alone_without_a_word_of_failure(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / ".vscode").mkdir()
    (project / ".vscode/launch.json").write_text("{}")
    code, done = render(project, capsys, *NONE)
    assert (code, done[".vscode/launch.json"], done[".vscode/tasks.json"]) == (0, "own", "new")
    assert (project / ".vscode/launch.json").read_text() == "{}"
    assert render(project, capsys, *NONE, "--check")[0] == 0


def test_a_file_that_no_longer_belongs_goes(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    render(project, capsys, *RTX)
    (project / "train.py").rename(project / "fit.py")
    code, done = render(project, capsys, *NONE, "--check")
    assert code == 1
    code, done = render(project, capsys, *NONE)
    assert (code, done[".devcontainer/gpu/devcontainer.json"], done[".run/train.run.xml"]) == (0, "removed", "removed")
    assert not (project / ".devcontainer/gpu").exists()
    assert (project / ".run/fit.run.xml").exists()


def test_without_an_ide_nothing_of_them_is_written(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "wsb.yaml").write_text("name: mnist\ntorch: '2.6'\nide: []\n")
    render(project, capsys, *NONE)
    assert not any((project / name).exists() for name in (".devcontainer", ".vscode", ".run"))
    assert "ipykernel" not in (project / "Dockerfile").read_text()
