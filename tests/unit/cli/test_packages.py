"""wsb add, remove, check, list and run's mend, as people type them, on an engine in memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from builder import pipeline
from builder.cli import common, verifying
from builder.cli.main import run
from builder.engine.base import BuildFailed
from builder.errors import WsbError
from builder.packages.verify import Verified
from tests.fakes.engine import FakeEngine, Ran
from tests.unit.packages.checking import distribution

CONFIG = "name: m\nmanager: venv\nide: []\npackages:\n  pip: [tqdm]  # bars\n"


def probe(*rows: dict[str, Any]) -> Ran:
    document = {"schema": "wsb.installed/1", "markers": {}, "conda": [], "apt": []}
    return Ran(stdout=json.dumps({**document, "distributions": [distribution("torch", "2.13.0+cpu"), *rows]}).encode())


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "wsb.yaml").write_text(CONFIG)
    (tmp_path / "train.py").write_text("import torch\nimport tqdm\nimport yaml\n")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path.parent / "state"))
    # which names exist is told here, not asked of an index
    monkeypatch.setattr(verifying, "verify", _exists)
    return tmp_path


def _exists(project: object, item: str) -> Verified:
    return Verified(version="1.0")


@pytest.fixture
def engine(project: Path, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """An engine that holds the project's image, built from the files as they are."""
    found = FakeEngine()
    inputs = pipeline.read(project).inputs_digest
    plan = {"schema": "wsb.plan/1", "name": "m", "manager": "venv", "python": "3.11", "packages": {"pip": ["tqdm"]}}
    found.files = {common.PLAN_IN_IMAGE: json.dumps({**plan, "torch": {"version": "2.13.0"}}).encode()}
    found.hold("m:latest", labels={"dev.wsb.plan.digest": "sha256:1", "dev.wsb.inputs": inputs})
    monkeypatch.setattr(common, "connect", lambda: found)
    return found


def wsb(project: Path, *words: str) -> int:
    return run(["-C", str(project), *words])


def test_check_asks_the_image_and_says_what_would_fail(
    project: Path, engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.runs.append(probe(distribution("tqdm")))
    assert wsb(project, "check", "--json") == 1
    document = json.loads(capsys.readouterr().out)
    assert document["against"] == "image"
    assert [(one["id"], one["name"], one["remedy"]) for one in document["findings"]] == [("missing", "yaml", "wsb add pyyaml")]
    request = engine.requests("run")[0]
    assert request.network == "none"  # type: ignore[attr-defined]


def test_check_without_an_engine_looks_at_the_declarations_and_says_so(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> FakeEngine:
        raise WsbError("engine-unreachable", "no engine answers")

    monkeypatch.setattr(common, "connect", refuse)
    assert wsb(project, "check") == 1
    out, err = capsys.readouterr()
    assert "note: no engine answers" in err
    assert "what is declared (no image was looked at)" in out


def test_fix_changes_wsb_yaml_and_the_code_is_then_satisfied(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert wsb(project, "check", "--no-image", "--fix") == 0
    assert (project / "wsb.yaml").read_text() == CONFIG.replace("[tqdm]  ", "[tqdm, pyyaml]  ")
    assert wsb(project, "check", "--no-image") == 0
    assert "0 errors" in capsys.readouterr().out


def test_fix_leaves_a_name_alone_that_no_index_has(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def absent(project: object, item: str) -> Verified:
        raise WsbError("no-such-package", f"there is no package {item}")

    monkeypatch.setattr(verifying, "verify", absent)
    assert wsb(project, "check", "--no-image", "--fix") == 1
    assert (project / "wsb.yaml").read_text() == CONFIG
    assert "yaml is not added: there is no package pyyaml" in capsys.readouterr().err


def test_add_with_no_build_changes_wsb_yaml_only(project: Path, engine: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    assert wsb(project, "add", "--no-build", "--json", "cv2", "libGL.so.1") == 0
    assert (project / "wsb.yaml").read_text() == (
        "name: m\nmanager: venv\nide: []\npackages:\n  pip: [tqdm, opencv-python-headless]  # bars\n  apt: [libgl1]\n"
    )
    document = json.loads(capsys.readouterr().out)
    assert [(one["asked"], one["item"], one["where"]) for one in document["added"]] == [
        ("cv2", "opencv-python-headless", "packages.pip"),
        ("libGL.so.1", "libgl1", "packages.apt"),
    ]
    assert engine.requests("build") == []


def test_one_wrong_name_of_several_changes_nothing(project: Path, engine: FakeEngine) -> None:
    assert wsb(project, "add", "--no-build", "cv2", "docx") == 2
    assert (project / "wsb.yaml").read_text() == CONFIG


def test_a_build_that_fails_puts_wsb_yaml_back(project: Path, engine: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    engine.fail("build", BuildFailed("build-failed", "a step failed"))
    assert wsb(project, "add", "einops") == 5
    assert (project / "wsb.yaml").read_text() == CONFIG
    assert "wsb.yaml is as it was before" in capsys.readouterr().err


def test_an_interrupt_puts_wsb_yaml_back(project: Path, engine: FakeEngine) -> None:
    engine.fail("build", KeyboardInterrupt())
    assert wsb(project, "add", "einops") == 130
    assert (project / "wsb.yaml").read_text() == CONFIG


def test_what_is_there_already_builds_nothing(project: Path, engine: FakeEngine) -> None:
    assert wsb(project, "add", "tqdm") == 0
    assert engine.requests("build") == []


def test_the_first_build_is_left_to_wsb_build(project: Path, engine: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    engine.held.clear()
    assert wsb(project, "add", "einops") == 0
    assert engine.requests("build") == []
    assert "[tqdm, einops]" in (project / "wsb.yaml").read_text()
    assert "`wsb build` builds it" in capsys.readouterr().err


def test_remove_takes_an_import_name_too(project: Path, engine: FakeEngine) -> None:
    (project / "wsb.yaml").write_text(CONFIG.replace("[tqdm]", "[tqdm, opencv-python]"))
    engine.runs.append(probe())
    assert wsb(project, "remove", "--no-build", "cv2") == 0
    assert (project / "wsb.yaml").read_text() == CONFIG


def test_list_tells_who_asked_and_who_brought(project: Path, engine: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [distribution("tqdm", "4.1", requires=["colorama"]), distribution("colorama", "0.4")]
    engine.runs.extend([probe(*rows), probe(*rows)])
    assert wsb(project, "list", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "wsb.packages/1"
    found = {one["name"]: one for one in document["packages"]}
    assert found["tqdm"] == {
        "name": "tqdm",
        "version": "4.1",
        "source": "pip",
        "asked": True,
        "where": {"file": "wsb.yaml", "line": 5, "column": 9},
    }
    assert found["colorama"]["brought_by"] == ["tqdm"]
    assert found["torch"]["asked"] is True
    assert wsb(project, "list") == 0
    assert "brought by tqdm" in capsys.readouterr().out


def test_an_image_that_cannot_say_what_it_has_is_said_so(
    project: Path, engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.runs.append(Ran(stdout=b"no json", stderr=b"python: not found\n", code=127))
    assert wsb(project, "check", "--json") == 1
    document = json.loads(capsys.readouterr().out)
    assert document["against"] == "declared"
    assert any("does not say what is installed in it (exit code 127)" in note for note in document["notes"])


@pytest.mark.parametrize(
    ("module", "mend"),
    [("cv2", "wsb add opencv-python-headless"), ("tqdm", "wsb build"), ("train", "train is the project's own train.py")],
)
def test_diagnose_ends_with_the_command_that_mends_it(
    project: Path, capsys: pytest.CaptureFixture[str], module: str, mend: str
) -> None:
    log = project / "run.log"
    log.write_text(f"Traceback (most recent call last):\nModuleNotFoundError: No module named '{module}'\n")
    assert wsb(project, "diagnose", "run.log") == 0
    assert f"mend      {mend}" in capsys.readouterr().out
    assert wsb(project, "diagnose", "run.log", "--json") == 0
    assert json.loads(capsys.readouterr().out)["findings"][0]["id"] == "missing-module"


def test_search_says_what_a_name_means_without_a_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert wsb(tmp_path, "search", "libGL.so.1", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["schema"], document["means"], document["kind"]) == ("wsb.search/1", "libgl1", "apt")
    assert wsb(tmp_path, "search", "clip") == 1
    assert "A CLI clipboard manager" in capsys.readouterr().out
