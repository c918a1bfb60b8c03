"""Three texts meet at each path: what wsb rendered last, what is there, what is new."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from builder.model.files import File, FileSet
from builder.store import MEMORY, NEW_TEXTS, Change, compare, write


def rendered(yields: bool = False, **texts: str) -> FileSet:
    return FileSet(
        tuple(File(path=path.replace("__", "/"), content=text.encode(), yields=yields) for path, text in texts.items())
    )


def changes(done: tuple[object, ...]) -> dict[str, Change]:
    return {one.path: one.change for one in done}  # type: ignore[attr-defined]


def test_what_is_not_there_is_written_and_then_the_same(tmp_path: Path) -> None:
    assert changes(write(tmp_path, rendered(a="1", sub__b="2"))) == {"a": Change.NEW, "sub/b": Change.NEW}
    assert (tmp_path / "sub/b").read_text() == "2"
    assert set(changes(compare(tmp_path, rendered(a="1", sub__b="2"))).values()) == {Change.SAME}


def test_what_nobody_edited_follows_wsb(tmp_path: Path) -> None:
    write(tmp_path, rendered(a="1"))
    assert changes(write(tmp_path, rendered(a="2"))) == {"a": Change.UPDATED}
    assert (tmp_path / "a").read_text() == "2"


def test_an_edited_file_stays_and_is_told_of(tmp_path: Path) -> None:
    write(tmp_path, rendered(a="1"))
    (tmp_path / "a").write_text("mine")
    for _ in range(2):
        assert changes(compare(tmp_path, rendered(a="1"))) == {"a": Change.EDITED}
        assert changes(write(tmp_path, rendered(a="1"))) == {"a": Change.EDITED}
    assert (tmp_path / "a").read_text() == "mine"


def test_where_both_changed_it_the_persons_stays_and_the_new_one_lies_beside_told_once(tmp_path: Path) -> None:
    write(tmp_path, rendered(a="1"))
    (tmp_path / "a").write_text("mine")
    assert changes(compare(tmp_path, rendered(a="2"))) == {"a": Change.CONFLICT}
    assert not (tmp_path / NEW_TEXTS).exists()
    assert changes(write(tmp_path, rendered(a="2"))) == {"a": Change.CONFLICT}
    assert ((tmp_path / "a").read_text(), (tmp_path / NEW_TEXTS / "a").read_text()) == ("mine", "2")
    assert changes(write(tmp_path, rendered(a="2"))) == {"a": Change.EDITED}
    (tmp_path / "a").write_text("2")  # taken over by hand
    assert changes(write(tmp_path, rendered(a="2"))) == {"a": Change.SAME}
    assert not (tmp_path / NEW_TEXTS).exists()
    assert changes(write(tmp_path, rendered(a="3"))) == {"a": Change.UPDATED}


def test_a_file_that_was_there_before_wsb_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM mine")
    assert changes(write(tmp_path, rendered(Dockerfile="FROM wsb"))) == {"Dockerfile": Change.CONFLICT}
    assert (tmp_path / "Dockerfile").read_text() == "FROM mine"


def test_a_file_that_gives_way_is_no_conflict(tmp_path: Path) -> None:
    (tmp_path / "launch").write_text("mine")
    assert changes(write(tmp_path, rendered(yields=True, launch="1"))) == {"launch": Change.OWN}
    assert changes(write(tmp_path, rendered(yields=True, launch="2"))) == {"launch": Change.OWN}
    (tmp_path / "launch").unlink()
    assert changes(write(tmp_path, rendered(yields=True, launch="2"))) == {"launch": Change.NEW}
    (tmp_path / "launch").write_text("edited")
    assert changes(write(tmp_path, rendered(yields=True, launch="3"))) == {"launch": Change.EDITED}


def test_whoever_insists_overwrites(tmp_path: Path) -> None:
    write(tmp_path, rendered(a="1"))
    (tmp_path / "a").write_text("mine")
    assert changes(write(tmp_path, rendered(a="2"), overwrite_edited=True)) == {"a": Change.UPDATED}
    assert (tmp_path / "a").read_text() == "2"


def test_what_is_no_longer_rendered_goes_unless_somebody_edited_it(tmp_path: Path) -> None:
    write(tmp_path, rendered(a="1", gpu__b="2", gpu__c="3"))
    (tmp_path / "gpu/c").write_text("mine")
    assert changes(compare(tmp_path, rendered(a="1"), is_whole=True))["gpu/b"] is Change.REMOVED
    assert (tmp_path / "gpu/b").exists()
    done = changes(write(tmp_path, rendered(a="1"), is_whole=True))
    assert done == {"a": Change.SAME, "gpu/b": Change.REMOVED, "gpu/c": Change.EDITED}
    assert not (tmp_path / "gpu/b").exists()
    assert (tmp_path / "gpu/c").read_text() == "mine"
    assert changes(write(tmp_path, rendered(a="1"), is_whole=True)) == {"a": Change.SAME}


def test_a_part_of_the_files_removes_nothing(tmp_path: Path) -> None:
    write(tmp_path, rendered(a="1", b="2"))
    write(tmp_path, rendered(a="1"))
    assert (tmp_path / "b").exists()


@pytest.mark.parametrize("path", ["../outside", "/etc/outside", "a/../../outside"])
def test_a_memory_that_names_what_is_outside_removes_nothing_there(tmp_path: Path, path: str) -> None:
    project, outside = tmp_path / "project", tmp_path / "outside"
    outside.write_text("precious")
    write(project, rendered(a="1"))
    memory = json.loads((project / MEMORY).read_text())
    digest = hashlib.sha256(b"precious").hexdigest()
    (project / MEMORY).write_text(json.dumps({**memory, path: digest}))
    write(project, rendered(a="1"), is_whole=True)
    assert outside.read_text() == "precious"


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": 1}'])
def test_a_damaged_memory_is_as_none(tmp_path: Path, text: str) -> None:
    write(tmp_path, rendered(a="1"))
    (tmp_path / MEMORY).write_text(text)
    assert changes(write(tmp_path, rendered(a="2"))) == {"a": Change.CONFLICT}
