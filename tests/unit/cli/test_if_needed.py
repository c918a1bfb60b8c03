"""`wsb build --if-needed`, which an IDE asks before it opens a project: what counts as up to date."""

from __future__ import annotations

from pathlib import Path

from builder import pipeline
from builder.cli.common import up_to_date_image
from tests.fakes.engine import FakeEngine


def test_an_image_is_up_to_date_until_a_file_that_it_was_made_from_changes(tmp_path: Path) -> None:
    (tmp_path / "wsb.yaml").write_text("name: mnist\nrequirements: [requirements.txt]\n")
    (tmp_path / "requirements.txt").write_text("tqdm\n")
    (tmp_path / "train.py").write_text("print(1)\n")
    engine = FakeEngine()
    assert up_to_date_image(engine, pipeline.read(tmp_path)) is None
    made = engine.hold("mnist:latest", labels={"dev.wsb.inputs": pipeline.read(tmp_path).inputs_digest})
    (tmp_path / "train.py").write_text("print(2)\n")  # mounted, not copied
    assert up_to_date_image(engine, pipeline.read(tmp_path)) == made
    (tmp_path / "requirements.txt").write_text("tqdm\neinops\n")
    assert up_to_date_image(engine, pipeline.read(tmp_path)) is None


def test_an_image_of_that_name_that_wsb_did_not_make_is_none(tmp_path: Path) -> None:
    (tmp_path / "wsb.yaml").write_text("name: mnist\n")
    engine = FakeEngine()
    engine.hold("mnist:latest")
    assert up_to_date_image(engine, pipeline.read(tmp_path)) is None
