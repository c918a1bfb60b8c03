"""The digest of a file tree: what it sees, and what it does not."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from builder.engine.tree import Tree, differences, image_differences
from tests.fakes.engine import FakeEngine


def tree(change: Callable[[tarfile.TarInfo], None] = lambda _: None, content: bytes = b"x", more: tuple[str, ...] = ()) -> Tree:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name in ("etc", "etc/a", "etc/link", "etc/hard", *more):
            member = tarfile.TarInfo(name)
            member.mode = 0o644
            if name == "etc":
                member.type, member.mode = tarfile.DIRTYPE, 0o755
            elif name == "etc/link":
                member.type, member.linkname = tarfile.SYMTYPE, "a"
            elif name == "etc/hard":
                member.type, member.linkname = tarfile.LNKTYPE, "etc/a"
            else:
                member.size = len(content)
            if name == "etc/a":
                change(member)
            archive.addfile(member, io.BytesIO(content) if member.isreg() else None)
    data = out.getvalue()
    return Tree.read(iter([data[:1000], data[1000:1001], data[1001:]]))


def set_to(name: str, value: object) -> Callable[[tarfile.TarInfo], None]:
    return lambda member: setattr(member, name, value)


@pytest.mark.parametrize(("name", "value"), [("mode", 0o755), ("uid", 5), ("gid", 7)])
def test_mode_and_owner_count(name: str, value: int) -> None:
    assert tree(set_to(name, value)).digest != tree().digest


def test_content_and_paths_count() -> None:
    assert tree(content=b"y").digest != tree().digest
    assert tree(more=("etc/b",)).digest != tree().digest


def test_times_and_the_names_of_owners_do_not() -> None:
    assert tree(set_to("mtime", 12345)).digest == tree().digest
    assert tree(set_to("uname", "somebody")).digest == tree().digest


def test_a_hard_link_counts_as_the_file_it_is() -> None:
    entries = tree().entries
    assert entries["etc/hard"].split()[-1] == entries["etc/a"].split()[-1]


def test_every_path_that_differs_is_named() -> None:
    told = differences(tree(), tree(set_to("mode", 0o600), more=("etc/b",)))
    assert [line.partition(":")[0] for line in told] == ["etc/a", "etc/b"]
    assert "not there" in told[1]
    assert differences(tree(), tree()) == ()


def test_why_two_images_have_two_ids_is_told() -> None:
    one = FakeEngine().hold("one:1")
    other = replace(one, id="sha256:other", created="2027-01-01T00:00:00Z", layers=("a", "b"))
    told = " ".join(image_differences(replace(one, layers=("a", "c")), other))
    assert "the engine's clock" in told
    assert "the first 1 are the same" in told
    assert image_differences(one, one) == ("the ids are the same",)


def test_a_tar_that_comes_in_single_bytes_is_read() -> None:
    def single() -> Iterator[bytes]:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as archive:
            archive.addfile(tarfile.TarInfo("a"))
        yield from (bytes([byte]) for byte in out.getvalue())

    assert list(Tree.read(single()).entries) == ["a"]
