"""Which release would be installed here, and why none can be."""

from __future__ import annotations

import pytest

from builder.packages.availability import Answer, Target, answer, newest_versions
from builder.packages.index import IndexFile

HERE = Target(python="3.11", arch="x86_64", glibc=(2, 36))


def files(*names: str, python: str = "") -> list[IndexFile]:
    return [IndexFile(name=name, requires_python=python) for name in names]


def wheel(version: str, tags: str) -> str:
    return f"pkg-{version}-{tags}.whl"


PURE, CP311, CP39 = "py3-none-any", "cp311-cp311-manylinux_2_28_x86_64", "cp39-cp39-manylinux2014_x86_64"


@pytest.mark.parametrize(
    ("names", "asks", "kind", "version"),
    [
        ([wheel("1.0", PURE), wheel("1.2", PURE)], "", "wheel", "1.2"),
        ([wheel("1.0", PURE), wheel("2.0rc1", PURE)], "", "wheel", "1.0"),
        ([wheel("1.0", PURE), wheel("2.0rc1", PURE)], "==2.0rc1", "wheel", "2.0rc1"),
        ([wheel("1.0", PURE), wheel("1.2", PURE)], "<1.2", "wheel", "1.0"),
        ([wheel("1.0", CP311), "pkg-1.1.tar.gz"], "", "source", "1.1"),
        ([wheel("1.1", CP39), "pkg-1.1.tar.gz"], "", "source", "1.1"),
        ([wheel("1.1", CP311), "pkg-1.1.tar.gz"], "", "wheel", "1.1"),
        ([wheel("1.0", "cp38-abi3-manylinux1_x86_64")], "", "wheel", "1.0"),
        ([wheel("1.0", "py2.py3-none-any")], "", "wheel", "1.0"),
    ],
)
def test_the_newest_that_installs_is_found(names: list[str], asks: str, kind: str, version: str) -> None:
    assert answer(files(*names), asks, HERE) == Answer(kind=kind, version=version)  # type: ignore[arg-type]


def test_no_release_names_those_around_it() -> None:
    found = answer(files(*(wheel(f"1.{minor}", PURE) for minor in (1, 2, 3, 4, 6, 7, 8))), "==1.5", HERE)
    assert found == Answer(kind="no-version", versions=("1.2", "1.3", "1.4", "1.6", "1.7"))


def test_no_build_for_this_python_names_those_it_is_made_for() -> None:
    found = answer(files(wheel("1.0", CP39), wheel("1.0", "cp310-cp310-manylinux1_x86_64")), "", HERE)
    assert (found.kind, found.pythons) == ("no-python", ("3.9", "3.10"))
    assert answer(files(wheel("1.0", PURE), python=">=3.12"), "", HERE).pythons == ("3.12", "3.13", "3.14", "3.15")
    assert answer(files("pkg-1.0.tar.gz", python="<3.6"), "", HERE).pythons == ("3.4", "3.5")


def test_a_build_for_another_system_is_said_so() -> None:
    found = answer(files(wheel("1.0", "cp311-cp311-win_amd64"), wheel("1.0", "cp311-cp311-macosx_11_0_arm64")), "", HERE)
    assert (found.kind, found.platforms) == ("no-platform", ("Windows", "macOS"))
    arm = Target(python="3.11", arch="aarch64", glibc=(2, 36))
    assert answer(files(wheel("1.0", CP311)), "", arm).kind == "no-platform"


def test_a_wheel_for_a_newer_c_library_does_not_count() -> None:
    old = Target(python="3.11", arch="x86_64", glibc=(2, 17))
    assert answer(files(wheel("1.0", CP311)), "", old).kind == "no-platform"


def test_yanked_and_unreadable_files_do_not_count() -> None:
    names = [IndexFile(name=wheel("1.0", PURE), is_yanked=True), IndexFile(name="pkg-1.0-py2.7.egg")]
    assert answer(names, "", HERE).kind == "no-files"
    assert newest_versions(files(wheel("1.0", PURE), wheel("1.10", PURE), wheel("2.0a1", PURE))) == ("1.10", "1.0")
