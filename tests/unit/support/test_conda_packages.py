"""Packages as the local channel has them: read back by rattler, which reads real ones."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path

import pytest
import rattler
from rattler.package import BuildString
from rattler.package_streaming import extract

from tests.support.channel import made
from tests.support.channel.conda_package import PLACEHOLDER, Package, write_package
from tests.support.channel.index import read_info, write_index
from tests.support.channel.pythons import upstream_version
from tests.support.channel.wheels import entry_points
from tests.support.http_server import serve


def _tool(files: Path) -> Package:
    (files / "bin").mkdir(parents=True)
    (files / "bin" / "tool").write_text(f"#!{PLACEHOLDER}/bin/python\n")
    (files / "bin" / "tool").chmod(0o755)
    (files / "share").mkdir()
    (files / "share" / "data").write_bytes(b"\0data")
    (files / "share" / "link").symlink_to("data")
    return Package(name="tool", version="1.0", build="h_0", subdir="linux-64", summary="a tool", depends=("python",))


def test_a_package_written_twice_has_the_same_bytes(tmp_path: Path) -> None:
    package = _tool(tmp_path / "files")
    first = write_package(package, tmp_path / "files", tmp_path / "a")
    second = write_package(package, tmp_path / "files", tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()
    assert first.relative_to(tmp_path / "a").as_posix() == "linux-64/tool-1.0-h_0.conda"


def test_a_package_unpacks_group_writable_with_its_links(tmp_path: Path) -> None:
    path = write_package(_tool(tmp_path / "files"), tmp_path / "files", tmp_path)
    extract(path, tmp_path / "out")
    assert stat.S_IMODE((tmp_path / "out" / "bin" / "tool").stat().st_mode) == 0o775
    assert stat.S_IMODE((tmp_path / "out" / "share" / "data").stat().st_mode) == 0o664
    assert (tmp_path / "out" / "share" / "link").readlink() == Path("data")


def test_a_prefix_in_a_text_file_is_marked_for_replacement(tmp_path: Path) -> None:
    path = write_package(_tool(tmp_path / "files"), tmp_path / "files", tmp_path)
    records = {record["_path"]: record for record in json.loads(read_info(path, "paths.json"))["paths"]}
    assert records["bin/tool"]["prefix_placeholder"] == PLACEHOLDER
    assert records["bin/tool"]["file_mode"] == "text"
    assert "prefix_placeholder" not in records["share/data"]
    assert records["share/link"]["path_type"] == "softlink"


@pytest.mark.parametrize(("cuda", "build"), [("12.9", "cuda129_2"), ("12.1", "cuda118_1"), (None, "cpu_0")])
def test_the_build_is_chosen_by_the_cuda_that_is_told(tmp_path: Path, cuda: str | None, build: str) -> None:
    channel = tmp_path / "channels" / "conda-forge"
    made.write_cuda_probe(tmp_path / "scratch", channel, "linux-64")
    write_index(channel, ("linux-64", "noarch"))

    def virtual(name: str, version: str) -> rattler.GenericVirtualPackage:
        return rattler.GenericVirtualPackage(rattler.PackageName(name), rattler.Version(version), BuildString("0"))

    async def solved() -> list[str]:
        with serve(tmp_path / "channels") as url:
            records = await rattler.solve(
                sources=[rattler.Channel(f"{url}/conda-forge/")],
                specs=["wsb-cuda-probe"],
                platforms=["linux-64", "noarch"],
                gateway=rattler.Gateway(cache_dir=tmp_path / "repodata"),
                virtual_packages=[virtual("__glibc", "2.36"), *([virtual("__cuda", cuda)] if cuda else [])],
            )
        return [str(record.build) for record in records]

    assert asyncio.run(solved()) == [build]


@pytest.mark.parametrize(
    ("debian", "upstream"),
    [
        ("1:1.2.13.dfsg-1", "1.2.13"),
        ("1.1.1w-0+deb11u1", "1.1.1w"),
        ("6.2+20201114-2+deb11u2", "6.2"),
        ("3.11.2-6+deb12u8", "3.11.2"),
    ],
)
def test_a_debian_version_loses_what_is_debians(debian: str, upstream: str) -> None:
    assert upstream_version(debian) == upstream


def test_console_scripts_become_entry_points(tmp_path: Path) -> None:
    info = tmp_path / "pip-1.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text("[console_scripts]\npip = pip.cli:main\nPip3 = pip.cli:main\n\n[other]\nx = y:z\n")
    assert list(entry_points(tmp_path)) == ["Pip3 = pip.cli:main", "pip = pip.cli:main"]
