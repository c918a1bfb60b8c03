"""What IDEs read, as one text a case, reviewed like prose. `make golden` writes them anew; read the diff."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from builder import assets
from builder.catalog import load
from builder.config import read_spec
from builder.model.project import EMPTY_PROJECT, EntryPoint
from builder.render.ide_files import ide_files
from builder.resolve import resolve
from tests.golden.test_dockerfiles import CASES

GOLDEN = Path(__file__).parent / "ide"
PROGRAMS = (
    EntryPoint(path="train.py", has_arguments=True),
    EntryPoint(path="tools/convert.py", has_arguments=True, required=("source",)),
)


def rendered(case: str) -> str:
    text, host = CASES[case]
    plan = resolve(read_spec(text.replace("[vscode]", "[vscode, pycharm, jupyter]"), "wsb.yaml"), EMPTY_PROJECT, load(), host)
    parts, templates = assets.devcontainer_parts(), assets.devcontainer_templates()
    files = ide_files(plan, PROGRAMS, has_tests=True, parts=parts, templates=templates)
    return "".join(f"==== {file.path}\n{file.content.decode()}\n" for file in files)


@pytest.mark.parametrize("case", ["miniforge-cuda", "venv-bootstrap"])
def test_the_files_read_as_reviewed(case: str) -> None:
    golden = GOLDEN / f"{case}.txt"
    if os.environ.get("WSB_WRITE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(rendered(case))
    assert rendered(case) == golden.read_text()
