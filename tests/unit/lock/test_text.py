"""wsb.lock as text: the same bytes, read back to the same, and refused with its reason where it was mended by hand."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from builder.errors import WsbError
from builder.lock.text import digest, dump, parse, part_files, read_requirements
from builder.model.lock import Lock, LockedPart
from tests.unit.lock.locks import DEB, locked, pip


def test_what_is_written_is_read_back() -> None:
    lock = Lock(version="0.1.0", platforms=(locked(),))
    assert parse(dump(lock)) == lock


def test_it_is_yaml_that_other_tools_read() -> None:
    document = yaml.safe_load(dump(Lock(version="0.1.0", platforms=(locked(),))))
    part = document["platforms"]["linux/amd64"]["torch"]
    assert part["conda"].splitlines()[0] == "@EXPLICIT"
    assert "--hash=sha256:" in part["pip"]


def test_the_order_in_which_packages_were_found_does_not_show() -> None:
    one = locked(workspace=LockedPart(apt=(DEB, replace(DEB, name="bzip2")), pip=(pip("tqdm", "1"), pip("einops", "2"))))
    other = locked(workspace=LockedPart(apt=(replace(DEB, name="bzip2"), DEB), pip=(pip("einops", "2"), pip("tqdm", "1"))))
    assert dump(Lock(version="1", platforms=(one,))) == dump(Lock(version="1", platforms=(other,)))
    assert digest(one) == digest(other)


def test_the_digest_tells_one_hash_from_another() -> None:
    assert digest(locked()) != digest(locked(workspace=LockedPart(pip=(pip("tqdm", "4.67.1", "e"),))))


def test_the_files_of_a_part_are_what_the_installers_read() -> None:
    files = part_files(locked().torch)
    assert files["apt"] == DEB.line + "\n"
    assert files["conda"].startswith("@EXPLICIT\nhttps://conda.anaconda.org/")
    assert read_requirements(files["pip"]) == locked().torch.pip


def test_a_package_of_two_versions_of_uv_is_read() -> None:
    text = f"# made by uv\ntorch==2.6.0+cpu \\\n    --hash=sha256:{'a' * 64} \\\n    --hash=sha256:{'b' * 64}\n    # via x\n"
    assert [one.version for one in read_requirements(text)] == ["2.6.0+cpu"]


@pytest.mark.parametrize(
    "line", ["tqdm>=4", "tqdm==4.67.1", "tqdm @ git+https://example.org/tqdm", f"tqdm==4 --hash=md5:{'a' * 32}"]
)
def test_a_line_without_its_hash_is_no_lock(line: str) -> None:
    with pytest.raises(ValueError, match="tqdm"):
        read_requirements(line)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("schema: wsb.lock/1", "schema: wsb.lock/9"),
        ("a" * 64, "a" * 63),
        ("    base:", "    bases:"),
        ("platforms:", "platforms: ["),
        ("#sha256:" + "d" * 64, ""),
    ],
)
def test_a_lock_that_was_mended_by_hand_is_refused_with_its_reason(before: str, after: str) -> None:
    text = dump(Lock(version="0.1.0", platforms=(locked(),)))
    assert before in text
    with pytest.raises(WsbError) as caught:
        parse(text.replace(before, after))
    assert caught.value.code == "bad-value"
    assert "wsb.lock cannot be understood" in caught.value.message
    assert caught.value.hints


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(WsbError):
        parse(text)
