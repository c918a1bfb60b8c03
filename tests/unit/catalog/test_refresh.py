"""The refresh tool on a recorded index: lists of files of two torch releases as they were on 2026-11-23, shortened."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from builder.catalog import load
from builder.catalog.canonical import dump
from builder.catalog.refresh import TORCH_INDEX, LosesRows, read_facts, refreshed, variant_of
from builder.catalog.simple_index import JSON, local_versions

RECORDED = Path(__file__).parents[2] / "data" / "index"
INDEX = "https://index.example/simple"
NAMES = ("torch", "companions", "machine_code")


class Recorded:
    """Answers from files; every address that was not recorded is out of reach."""

    def __init__(self, *, torch_index: str | None = None) -> None:
        self._metadata = json.loads((RECORDED / "metadata.json").read_text("utf-8"))
        self._torch_index = torch_index

    def get(self, url: str, accept: str = "*/*") -> bytes:
        if url.startswith(INDEX):
            assert accept == JSON
            return (RECORDED / f"{url.rstrip('/').rsplit('/', 1)[-1]}.json").read_bytes()
        if url == f"{TORCH_INDEX}/torch/" and self._torch_index is not None:
            return self._torch_index.encode()
        name = url.rsplit("/", 1)[-1].removesuffix(".metadata")
        if name not in self._metadata:
            raise OSError(f"{url} was not recorded")
        return "\n".join(f"Requires-Dist: {line}" for line in self._metadata[name]).encode()

    def part(self, url: str, start: int | None, length: int) -> tuple[bytes, int]:
        raise OSError(f"{url} was not recorded")


@pytest.fixture
def tables() -> dict[str, Any]:
    """The tables as they were before torch 2.15.0 came out."""
    found = {name: deepcopy(load().tables[name]) for name in NAMES}
    found["torch"]["rows"] = [row for row in found["torch"]["rows"] if row["torch"] != "2.15.0"]
    found["companions"]["rows"] = [row for row in found["companions"]["rows"] if row["version"] != "0.29.2"]
    found["machine_code"]["rows"] = [row for row in found["machine_code"]["rows"] if row["since"] != "2.15.0"]
    for row in found["machine_code"]["rows"]:
        if row["until"] == "2.15.0":
            row["until"] = "2.14.1"
    return found


def torch_row(tables: dict[str, Any], version: str) -> dict[str, Any]:
    return next(row for row in tables["torch"]["rows"] if row["torch"] == version)


def test_a_new_release_gets_what_its_files_and_metadata_tell(tables: dict[str, Any]) -> None:
    after = refreshed(tables, read_facts(INDEX, Recorded(), tables), "2026-11-24")
    row, known = torch_row(after, "2.15.0"), torch_row(load().tables, "2.15.0")  # type: ignore[arg-type]
    for key in ("released", "python", "default", "requires_python", "glibc", "cudnn", "torchvision", "torchaudio"):
        assert row[key] == known[key], key
    assert after["torch"]["date"] == "2026-11-24"


def test_what_could_not_be_measured_is_marked(tables: dict[str, Any]) -> None:
    after = refreshed(tables, read_facts(INDEX, Recorded(), tables), "2026-11-24")
    assert "2.14.1" in torch_row(after, "2.15.0")["unverified"]
    code = [row for row in after["machine_code"]["rows"] if row["since"] == "2.15.0"]
    assert code
    assert all("unverified" in row for row in code)
    assert {row["variant"] for row in code if row["platform"] == "linux_x86_64"} >= {"cu130", "cu132"}


def test_builds_seen_on_the_torch_index_only_are_not_advertised(tables: dict[str, Any]) -> None:
    page = '<a href="x">torch-2.14.1+cu129-cp312-cp312-manylinux_2_28_x86_64.whl</a><br/>'
    after = refreshed(tables, read_facts(INDEX, Recorded(torch_index=page), tables), "2026-11-24")
    assert torch_row(after, "2.14.1")["unadvertised"] == ["cu129"]


def test_a_build_that_was_in_doubt_is_not_any_more_once_it_is_seen() -> None:
    tables = {name: deepcopy(load().tables[name]) for name in NAMES}
    page = "".join(f'<a href="x">torch-2.15.0+{one}-cp312-cp312-linux_x86_64.whl</a>' for one in ("cu126", "cu130"))
    row = torch_row(refreshed(tables, read_facts(INDEX, Recorded(torch_index=page), tables), "2026-11-24"), "2.15.0")
    assert row["unadvertised"] == ["cu126"]
    assert [doubt["variants"] for doubt in row["doubts"]] == [["rocm7.2", "rocm7.14"]]


def test_nothing_changes_when_nothing_is_new() -> None:
    tables = {name: deepcopy(load().tables[name]) for name in NAMES}
    after = refreshed(tables, read_facts(INDEX, Recorded(), tables), tables["torch"]["date"])
    for name in NAMES:
        assert after[name]["rows"] == tables[name]["rows"]


def test_what_is_written_is_canonical_and_parses_again(tables: dict[str, Any]) -> None:
    after = refreshed(tables, read_facts(INDEX, Recorded(), tables), "2026-11-24")
    for table in after.values():
        assert json.loads(dump(table)) == table


def test_a_python_that_disappeared_stops_the_refresh(tables: dict[str, Any]) -> None:
    torch_row(tables, "2.14.1")["python"]["linux_x86_64"].append("3.9")
    with pytest.raises(LosesRows, match=r"2\.14\.1 would lose Python"):
        refreshed(tables, read_facts(INDEX, Recorded(), tables), "2026-11-24")


@pytest.mark.parametrize(
    ("asked", "variant"),
    [
        (["cuda-toolkit[cublas]==13.2.2; platform_system == 'Linux'"], "cu132"),
        (["nvidia-cuda-runtime-cu12==12.4.127; platform_system == 'Linux'"], "cu124"),
        (["nvidia-cuda-runtime-cu11==11.7.99"], "cu117"),
        (["filelock", "sympy"], "cpu"),
    ],
)
def test_the_build_on_the_default_index_is_known_by_what_it_asks_for(asked: list[str], variant: str) -> None:
    assert variant_of(asked) == variant


def test_a_page_of_the_torch_index_is_read_with_its_escapes() -> None:
    page = (
        '<a href="x">torch-2.6.0%2Bcu126-cp311-cp311-linux_x86_64.whl</a>'
        '<a href="y">torch-2.6.0+cpu-cp311-cp311-win_amd64.whl</a>'
    )
    assert local_versions(page) == {"2.6.0": {"linux_x86_64": {"cu126"}}}
