"""The list of what is in a workspace, and the CycloneDX document made of it."""

from __future__ import annotations

import json

import pytest

from builder import inventory
from builder.errors import WsbError
from builder.inventory import Part
from tests.fakes.engine import FakeEngine, Ran
from tests.unit.lock.locks import locked

STATUS = b"""Package: curl
Status: install ok installed
Architecture: amd64
Version: 7.88.1-10
Description: a tool
 Version: not a field

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1
"""


def document(parts: tuple[Part, ...]) -> dict[str, object]:
    text = inventory.cyclonedx(parts, name="one", version="latest", source="sha256:1", date="20261125T194400Z")
    assert text == inventory.cyclonedx(parts[::-1], name="one", version="latest", source="sha256:1", date="20261125T194400Z")
    found = json.loads(text)
    assert isinstance(found, dict)
    return found


def test_a_lock_becomes_a_valid_document() -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    parts = inventory.of_lock(locked())
    found = document(parts)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(found)) is None
    components = found["components"]
    assert isinstance(components, list)
    by_name = {one["name"]: one for one in components}
    assert sorted(one["purl"] for one in components) == [
        "pkg:conda/six@1.17.0?channel=conda-forge&subdir=noarch",
        "pkg:deb/debian/curl@7.88.1-10?arch=amd64",
        "pkg:pypi/torch@2.6.0%2Bcpu",
        "pkg:pypi/tqdm@4.67.1",
    ]
    assert by_name["curl"]["hashes"] == [{"alg": "SHA-256", "content": "a" * 64}]


def test_an_image_is_asked_for_what_it_has() -> None:
    answer = {
        "pip": [["Jinja2", "3.1.6"]],
        "conda": [["https://user:pw@conda.example/c/noarch/six-1.17.0-py_0.conda", "d" * 64]],
    }
    engine = FakeEngine(files={"/var/lib/dpkg/status": STATUS}, runs=[Ran(stdout=json.dumps(answer).encode())])
    parts = inventory.of_image(engine, engine.hold("one:latest"), "/opt/venv/one/bin/python")
    assert [(part.kind, part.name, part.version) for part in parts] == [
        ("conda", "six", "1.17.0"),
        ("deb", "curl", "7.88.1-10"),
        ("pypi", "jinja2", "3.1.6"),
    ]
    assert "pw" not in json.dumps(document(parts))


def test_an_image_that_does_not_answer_is_an_error_with_its_last_words() -> None:
    engine = FakeEngine(runs=[Ran(stderr=b"no such python\n", code=127)])
    with pytest.raises(WsbError) as caught:
        inventory.of_image(engine, engine.hold("one:latest"), "/nowhere/python")
    assert caught.value.details == ["no such python"]
