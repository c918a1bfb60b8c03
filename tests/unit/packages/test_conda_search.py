"""What conda and micromamba answer when they are asked for a package."""

from __future__ import annotations

import json

import pytest

from builder.errors import WsbError
from builder.model.values import Manager
from builder.packages.conda_search import Searcher, newest_for, parse_search, verify_conda
from tests.fakes.engine import FakeEngine, Ran


def row(name: str, version: str, build: str, *depends: str) -> dict[str, object]:
    return {"name": name, "version": version, "build": build, "channel": "conda-forge/linux-64", "depends": list(depends)}


NUMPY = [
    row("numpy", "1.26.4", "py311h1_0", "python >=3.11,<3.12.0a0", "python_abi 3.11.* *_cp311"),
    row("numpy", "2.1.0", "py312h1_0", "python >=3.12,<3.13.0a0"),
    row("numpy", "1.9.0", "py27_0"),
]
ABSENT = {"error": "…", "exception_name": "PackagesNotFoundError", "message": "The following packages are not available"}


def searcher(*answers: object) -> Searcher:
    engine = FakeEngine(runs=[Ran(stdout=("Loading\n" + json.dumps(one)).encode()) for one in answers])
    return Searcher(engine=engine, image="m:latest", manager=Manager.MINIFORGE, environ={}, ca="/etc/ca.pem")


def test_condas_answer_and_micromambas_are_read_alike() -> None:
    for document in ({"numpy": NUMPY}, {"result": {"pkgs": NUMPY, "status": "OK"}}):
        found = parse_search(json.dumps(document), "numpy")
        assert [(one.version, one.python) for one in found.builds] == [("1.26.4", "3.11"), ("2.1.0", "3.12"), ("1.9.0", "2.7")]
        assert newest_for(found, "3.11") == "1.26.4"


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"numpy": 3}', '{"message": "Connection failed"}'])
def test_no_answer_is_not_taken_for_absence(text: str) -> None:
    found = parse_search(text, "numpy", "CondaHTTPError: HTTP 000\n")
    assert found.why_not
    assert found.builds == ()


def test_the_channels_are_asked_in_the_image_with_its_certificates() -> None:
    asking = searcher({"numpy": NUMPY})
    assert verify_conda(asking, "numpy>=1.20", ("conda-forge",), "3.11") == ("1.26.4", "")
    request = asking.engine.requests("run")[0]  # type: ignore[attr-defined]
    assert request.command == ("conda", "search", "--json", "--override-channels", "--channel", "conda-forge", "numpy")
    assert request.mounts == (("/etc/ca.pem", "/run/wsb/ca.pem", True),)


def test_another_channel_that_has_it_is_named() -> None:
    with pytest.raises(WsbError) as caught:
        verify_conda(
            searcher(ABSENT, {"samtools": [row("samtools", "1.20", "h_0")]}, ABSENT, ABSENT),
            "samtools",
            ("conda-forge",),
            "3.11",
        )
    assert caught.value.code == "no-such-package"
    assert caught.value.hints == ("bioconda has it: `wsb add --conda bioconda::samtools`",)


def test_no_build_for_this_python_names_those_there_are() -> None:
    with pytest.raises(WsbError) as caught:
        verify_conda(searcher({"numpy": NUMPY}), "numpy", ("conda-forge",), "3.14")
    assert caught.value.code == "no-such-build"
    assert caught.value.hints[0] == "it is built for Python 2.7, 3.11 and 3.12"


def test_without_an_answer_it_is_written_down_unchecked() -> None:
    asking = Searcher(
        engine=FakeEngine(runs=[Ran(stderr=b"CondaHTTPError: no route\n", code=1)]),
        image="m:latest",
        manager=Manager.MICROMAMBA,
        environ={},
    )
    version, warning = verify_conda(asking, "numpy", ("conda-forge",), "3.11")
    assert version == ""
    assert "CondaHTTPError: no route" in warning
