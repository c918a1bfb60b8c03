"""The table of ages: what it answers, and how it is read from an index."""

from __future__ import annotations

import json

from packaging.specifiers import SpecifierSet

from builder.catalog import load
from builder.catalog.refresh_ages import refreshed, releases

PYTHONS = ["3.8", "3.9", "3.10", "3.11"]


def file(name: str, day: str, requires: str = "") -> dict[str, str]:
    return {"filename": name, "upload-time": f"{day}T00:00:00Z", "requires-python": requires}


def test_a_release_knows_its_day_and_its_pythons() -> None:
    (age,) = load().ages("numpy", SpecifierSet("==1.21.6"))
    assert age.released == "2022-04-12"
    assert [python for python in ("3.6", "3.7", "3.10", "3.11") if age.serves(python)] == ["3.7", "3.10"]
    assert load().ages("no-such-package", SpecifierSet("")) == ()


def test_every_python_of_a_torch_has_its_day() -> None:
    catalog = load()
    known = {python for release in catalog.releases for python in release.python_of("linux_x86_64")}
    assert {python for python in known if python.startswith("3.")} <= set(catalog.python_days)


def test_wheels_of_an_index_become_spans() -> None:
    linux = "manylinux2014_x86_64"
    files = [
        file(f"a-1.0-cp38-cp38-{linux}.whl", "2021-02-01"),
        file(f"a-1.0-cp39-cp39-{linux}.whl", "2021-01-31"),
        file("a-1.0-cp311-cp311-win_amd64.whl", "2021-03-01"),
        file("a-1.0.tar.gz", "2021-03-01"),
        file(f"a-1.1-cp39-abi3-{linux}.whl", "2022-01-01"),
        file("a-1.2-py3-none-any.whl", "2023-01-01", ">=3.9"),
        file("a-1.3.tar.gz", "2023-02-01"),
        file("a-2.0rc1.tar.gz", "2023-03-01"),
        file("a-0.1.tar.gz", "2015-01-01"),
        file("a-1.4-cp38-cp38-macosx_10_9_x86_64.whl", "2023-05-01"),
        file("not a file", "2023-05-01"),
    ]
    assert releases(files, PYTHONS) == {
        "1.0": "2021-01-31 3.8-3.9",
        "1.1": "2022-01-01 3.9-",
        "1.2": "2023-01-01 3.9-",
        "1.3": "2023-02-01",
        "1.4": "2023-05-01",
    }


def test_a_refresh_reads_every_row_anew_and_adds_what_is_named() -> None:
    class Index:
        def get(self, url: str, accept: str = "*/*") -> bytes:
            return json.dumps({"files": [file(f"{url.rstrip('/').rpartition('/')[2]}-1.0.tar.gz", "2020-01-01")]}).encode()

        def part(self, url: str, start: int | None, length: int) -> tuple[bytes, int]:
            raise AssertionError

    table = {"table": "ages", "pythons": [{"python": "3.8"}], "rows": [{"package": "numpy", "releases": {}}]}
    after = refreshed(table, "https://x.org/simple", Index(), "2026-12-01", ["torchx"])
    assert after["date"] == "2026-12-01"
    assert [row["package"] for row in after["rows"]] == ["numpy", "torchx"]
    assert after["rows"][0]["releases"] == {"1.0": "2020-01-01"}
