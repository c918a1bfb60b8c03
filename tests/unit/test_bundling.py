"""Bundles as folders and archives: what is believed of them, and what is refused."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from builder import bundling
from builder.errors import WsbError
from builder.lock.text import dump
from builder.model.lock import Lock, LockedPart
from tests.unit.lock.locks import locked, pip


def bundle(folder: Path) -> Path:
    folder.mkdir()
    (folder / "bundle.json").write_text(json.dumps({"schema": bundling.SCHEMA}))
    (folder / "wsb.lock").write_text(dump(Lock(version="1", platforms=(locked(),))))
    return folder


def test_a_folder_and_an_archive_are_the_same_bundle(tmp_path: Path) -> None:
    folder = bundle(tmp_path / "b")
    with tarfile.open(tmp_path / "b.tar", "w") as archive:
        for path in sorted(folder.iterdir()):
            archive.add(path, path.name)
    with bundling.opened(folder) as one, bundling.opened(tmp_path / "b.tar") as other:
        assert one.lock == other.lock
        assert one.lock.of("linux/amd64") == locked()


@pytest.mark.parametrize(("name", "code"), [("nothing", "no-such-file"), ("text", "bad-value"), ("empty", "bad-value")])
def test_what_is_no_bundle_is_refused(name: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no tar at all")
    (tmp_path / "empty").mkdir()
    with pytest.raises(WsbError) as caught, bundling.opened(tmp_path / name):
        pass
    assert caught.value.code == code
    assert any("wsb bundle" in hint for hint in caught.value.hints)


def test_only_files_of_the_two_parts_are_taken_out_of_the_tar(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name in (
            "wsb-files/torch/apt/a.deb",
            "wsb-files/workspace/pip/b.whl",
            "wsb-files/torch/apt/../../../../escaped",
            "wsb-files/other/apt/c",
            "/etc/passwd",
        ):
            member = tarfile.TarInfo(name)
            member.size = 1
            archive.addfile(member, io.BytesIO(b"x"))
    bundling.unpack(iter([out.getvalue()]), tmp_path / "b")
    found = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert found == ["b/torch/apt/a.deb", "b/workspace/pip/b.whl"]


def test_a_project_with_another_lock_than_the_bundle_is_told_what_differs() -> None:
    bundling.check_same(locked(), None)
    bundling.check_same(locked(), Lock(version="2", platforms=(locked(),)))
    own = Lock(version="1", platforms=(locked(workspace=LockedPart(pip=(pip("tqdm", "4.68.0"),))),))
    with pytest.raises(WsbError) as caught:
        bundling.check_same(locked(), own)
    assert caught.value.code == "lock-outdated"
    assert caught.value.details == ("pip    tqdm  4.67.1 -> 4.68.0",)
