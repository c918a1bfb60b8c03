"""A project with thousands of files and gigabytes of data beside its code: which folders each verb enters, and how often.

Counted by Python's own audit events, whatever function lists a folder or opens a file.
"""

from __future__ import annotations

import io
import json
import os
import sys
import tarfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from builder import pipeline
from builder.cli import common, verifying
from builder.cli.main import run
from builder.packages.verify import Verified
from tests.fakes.engine import FakeEngine

CONFIG = "name: wide\nmanager: venv\npython: '3.11'\ntorch: none\nrequirements: [requirements.txt]\n"


@dataclass
class Seen:
    """Below one folder: how often each folder was listed, and each file opened. Paths are relative to it."""

    root: Path
    listed: Counter[str] = field(default_factory=Counter)
    opened: Counter[str] = field(default_factory=Counter)

    def take(self, event: str, what: Any) -> None:
        if event not in ("os.scandir", "os.listdir", "open") or not isinstance(what, str | bytes | os.PathLike):
            return
        path = Path(os.fsdecode(what)).absolute()
        if path.is_relative_to(self.root):
            (self.opened if event == "open" else self.listed)[path.relative_to(self.root).as_posix()] += 1


_watching: list[Seen] = []  # an audit hook stays for as long as Python runs; it looks here whether anybody wants it
_is_hooked: list[bool] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    for seen in _watching:
        seen.take(event, arguments[0] if arguments else None)


@contextmanager
def watched(root: Path) -> Iterator[Seen]:
    if not _is_hooked:
        sys.addaudithook(_hook)
        _is_hooked.append(True)
    seen = Seen(root)
    _watching.append(seen)
    try:
        yield seen
    finally:
        _watching.remove(seen)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Code, and beside it data: many small files, and one of ten gigabytes that takes no room."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(verifying, "verify", lambda *_: Verified(version="1.0"))  # no index is asked
    root = tmp_path / "wide"
    for path, text in {
        "wsb.yaml": CONFIG,
        "requirements.txt": "einops\n",
        "pyproject.toml": '[project]\nname = "wide"\nversion = "1"\n',
        "train.py": "import einops\nimport wide\n",
        "src/wide/__init__.py": "import numpy\n",
        **{f"data/{folder:02}/{number:02}.txt": "0" for folder in range(20) for number in range(20)},
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    with (root / "data" / "images.bin").open("wb") as file:
        file.truncate(10 << 30)
    return root


@pytest.fixture
def engine(project: Path, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """One that holds the project's image, as `wsb run` wants it."""
    found = FakeEngine()
    plan = {"schema": "wsb.plan/1", "name": "wide", "manager": "venv", "python": "3.11", "packages": {}}
    found.files = {common.PLAN_IN_IMAGE: json.dumps(plan).encode()}
    inputs = pipeline.read(project).inputs_digest
    found.hold("wide:latest", labels={"dev.wsb.plan.digest": "sha256:1", "dev.wsb.env": "wide", "dev.wsb.inputs": inputs})
    monkeypatch.setattr(common, "connect", lambda: found)
    return found


@pytest.mark.parametrize(
    "words",
    [
        ["plan", "--driver", "none"],
        ["explain", "--driver", "none"],
        ["render", "--stdout", "--driver", "none"],
        ["build", "--no-test", "--driver", "none"],
        ["run", "--", "true"],
        ["ls"],
    ],
    ids=lambda words: words[0],
)
def test_a_verb_that_needs_only_what_wsb_yaml_names_enters_no_folder(
    project: Path, engine: FakeEngine, words: list[str]
) -> None:
    with watched(project) as seen:
        assert run(["-C", str(project), *words]) == 0
    assert seen.listed == {}
    assert set(seen.opened) <= {"wsb.yaml", "requirements.txt"}


@pytest.mark.parametrize(
    "words",
    [
        ["init", "--stdout"],
        ["init", "--yes"],
        ["check", "--no-image"],
        ["check", "--no-image", "--fix"],
        ["render", "--driver", "none"],
        ["render", "--check", "--driver", "none"],
    ],
    ids=" ".join,
)
def test_a_verb_that_reads_the_code_enters_each_folder_once_and_opens_no_data(
    project: Path, engine: FakeEngine, words: list[str]
) -> None:
    with watched(project) as seen:
        assert run(["-C", str(project), *words]) in (0, 1)
    assert {"src", "src/wide"} <= set(seen.listed)
    assert set(seen.listed.values()) == {1}
    assert [path for path in seen.opened if path.startswith("data/")] == []


def test_a_project_that_is_installed_itself_is_sent_without_its_data(project: Path, engine: FakeEngine) -> None:
    (project / "requirements.txt").write_text("-e .\n")
    with watched(project) as seen:
        assert run(["-C", str(project), "build", "--no-test", "--driver", "none"]) == 0
    assert seen.listed == {".": 1, "src": 1, "src/wide": 1}
    with tarfile.open(fileobj=io.BytesIO(engine.built["wide:latest"])) as context:
        names = context.getnames()
    assert {"train.py", "src/wide/__init__.py", "pyproject.toml"} <= set(names)
    assert [name for name in names if name.startswith("data")] == []
    assert len(engine.built["wide:latest"]) < 1 << 20
