"""What is seen of a project's folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import builder.folder
from builder.folder import Folder


def test_the_projects_files_are_named_without_those_of_tools(tmp_path: Path) -> None:
    paths = "train.py a/b.py .git/x.py venv/lib/site-packages/y.py mine/pyvenv.cfg mine/lib/z.py x.egg-info/a.txt"
    for path in paths.split():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    assert Folder(tmp_path).names() == ("a/b.py", "train.py")


def test_only_regular_files_inside_the_project_are_read(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (project / "out.txt").symlink_to(tmp_path / "secret.txt")
    (project / "loop").symlink_to(project)
    (project / "in.txt").write_text("inside")
    (project / "large.txt").write_bytes(b"x" * 100)
    os.mkfifo(project / "pipe")
    folder = Folder(project)
    assert folder.read("in.txt") == b"inside"
    for path in ("out.txt", "../secret.txt", "pipe", "missing", "loop", "nul\0"):
        assert folder.read(path) is None, path
    assert folder.read("large.txt", limit=99) is None


def test_texts_are_decoded_whatever_editor_wrote_them(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes("import torch".encode("utf-16"))
    (tmp_path / "b.py").write_bytes(b"# caf\xe9\nimport cv2")
    texts = Folder(tmp_path).texts(lambda path: path.endswith(".py"))
    assert texts["a.py"] == "import torch"
    assert texts["b.py"].endswith("import cv2")


def test_a_data_set_does_not_hide_the_code_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder.folder, "MAX_NAMES", 10)
    for path in ("train.py", "src/model.py", *(f"data/{number:02}/{name}.png" for number in range(5) for name in "abcdef")):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    names = Folder(tmp_path).names()
    assert {"train.py", "src/model.py"} < set(names)
    assert len(names) == 10 + 2


def test_links_to_folders_are_not_followed_and_environments_not_entered(tmp_path: Path) -> None:
    for path in (
        "code/a.py",
        "env/pyvenv.cfg",
        "env/lib/b.py",
        "miniconda/conda-meta/x.json",
        "x.egg-info/PKG-INFO",
        ".git/HEAD",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    (tmp_path / "linked").symlink_to(tmp_path / "code")
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    assert Folder(tmp_path).names() == ("broken", "code/a.py")


def test_a_folder_is_looked_into_twelve_deep(tmp_path: Path) -> None:
    deep = tmp_path
    for _ in range(14):
        deep = deep / "d"
        deep.mkdir()
        (deep / "f").write_text("")
    assert len(Folder(tmp_path).names()) == 12
