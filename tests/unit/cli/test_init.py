"""`wsb init` as it is typed: the file, its JSON, what a second run keeps, and what is asked at a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from builder import initial, pipeline
from builder.cli.main import run
from builder.host.local import local_host

REQUIREMENTS = "torch==2.0.1\ntorchvision==0.15.2\nnumpy==1.24.3\npywin32==306\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "My Project"
    folder.mkdir()
    (folder / "requirements.txt").write_text(REQUIREMENTS)
    (folder / "train.py").write_text("import torch\n")
    return folder


def test_init_writes_a_file_that_plan_understands(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", str(project), "--yes"]) == 0
    said = capsys.readouterr()
    assert said.out == f"{project / 'wsb.yaml'}\n"
    assert "wsb.yaml written" in said.err
    plan = pipeline.decide(pipeline.read(project), local_host())
    assert plan.name == "my-project"
    assert plan.torch is not None
    assert (plan.torch.version, plan.python) == ("2.0.1", "3.10")
    assert json.loads((project / ".wsb/schema.json").read_text())["title"] == "wsb.yaml"


def test_stdout_prints_the_file_and_writes_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(path.name for path in project.iterdir())
    assert run(["-C", str(project), "init", "--stdout"]) == 0
    text = capsys.readouterr().out
    assert yaml.safe_load(text)["requirements"] == ["requirements.txt"]
    assert sorted(path.name for path in project.iterdir()) == before


def test_json_is_one_document_with_every_reason(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", str(project), "--json", "--relax", "minor"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "wsb.init/1"
    decided = {one["field"]: one["value"] for one in document["decisions"]}
    assert decided["torch"] == ">=2.0.1,<3"
    assert decided["python"] == "3.10"
    assert all(one["because"] for one in document["decisions"])
    assert any("pywin32" in line for line in document["left_out"])


def test_a_second_run_changes_nothing(project: Path) -> None:
    assert run(["init", str(project), "--yes"]) == 0
    before = (project / "wsb.yaml").read_bytes()
    assert run(["init", str(project), "--yes"]) == 0
    assert (project / "wsb.yaml").read_bytes() == before


def test_a_file_edited_by_hand_keeps_its_comments_order_and_values(project: Path) -> None:
    written = '# ours\nname: other   # not the folder\n\ntorch: "2.1"  # newer on purpose\n# the end\n'
    (project / "wsb.yaml").write_text(written)
    assert run(["init", str(project), "--yes"]) == 0
    text = (project / "wsb.yaml").read_text()
    for line in written.splitlines():
        assert line in text
    assert yaml.safe_load(text) == {"name": "other", "torch": "2.1", "python": "3.10", "requirements": ["requirements.txt"]}


def test_force_replaces_the_file(project: Path) -> None:
    (project / "wsb.yaml").write_text("# ours\nname: other\n")
    assert run(["init", str(project), "--yes", "--force"]) == 0
    assert "# ours" not in (project / "wsb.yaml").read_text()


def test_a_file_that_cannot_be_read_is_an_error_and_stays(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "wsb.yaml").write_text("name: [\n")
    assert run(["init", str(project), "--yes"]) == 2
    assert (project / "wsb.yaml").read_text() == "name: [\n"
    assert "wsb.yaml" in capsys.readouterr().err


def test_the_accelerator_that_is_asked_for_is_written(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", str(project), "--yes", "--accelerator", "cuda"]) == 0
    assert yaml.safe_load((project / "wsb.yaml").read_text())["accelerator"] == "cuda"
    assert run(["init", str(project), "--yes", "--accelerator", "quantum"]) == 2
    assert "accelerator" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", str(tmp_path / "nowhere"), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["code"] == "no-such-file"


def test_where_files_differ_a_person_is_asked_and_the_answer_counts(project: Path) -> None:
    (project / "requirements.txt").write_text("torch>=1.8\n")
    (project / "Dockerfile").write_text("FROM pytorch/pytorch:1.9.1-cuda11.1-cudnn8-devel\n")
    (project / "README.md").write_text("pip install torch==1.12.1\n")
    asked = []

    def ask(text: str, options: tuple[tuple[str, str], ...]) -> str:
        asked.append((text, [value for value, _ in options]))
        return options[-1][0]

    draft = initial.draft(project, ask=ask)
    assert asked == [("the project's files differ on torch", ["1.9.1", "1.12.1"])]
    assert "1.12.1" in draft.text
    assert "chosen when asked" in draft.text


def test_what_wsb_rendered_is_no_witness(project: Path) -> None:
    assert run(["init", str(project), "--yes"]) == 0
    before = (project / "wsb.yaml").read_text()
    assert run(["-C", str(project), "render"]) == 0
    (project / "wsb.yaml").unlink()
    assert run(["init", str(project), "--yes"]) == 0
    assert (project / "wsb.yaml").read_text() == before


def test_nothing_of_the_project_is_run(project: Path) -> None:
    trap = "import pathlib\npathlib.Path(__file__).with_name('ran').write_text('')\n"
    for name in ("setup.py", "conftest.py", "train.py", "requirements.py"):
        (project / name).write_text(trap + "from setuptools import setup\nsetup(install_requires=['einops'])\n")
    assert run(["init", str(project), "--yes"]) == 0
    assert not (project / "ran").exists()
