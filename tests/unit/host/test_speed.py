"""Sources measured from here: which answer, and in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder import measuring
from builder.errors import WsbError
from builder.host.speed import Measured, measure
from tests.support.http_server import serve


def test_what_answers_is_measured_and_what_does_not_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(300_000))
    with serve(tmp_path) as url:
        found = measure({"good": f"{url}/file", "absent": f"{url}/nothing", "nobody": "http://127.0.0.1:1/"}, None)
    assert found["good"].answers
    assert found["good"].bytes_per_s > 0
    assert found["absent"].why_not == "HTTP 404"
    assert found["nobody"].why_not == "connection refused"


def measured(speed: float = 0.0, why_not: str = "") -> Measured:
    return Measured(url="http://x", first_s=0.1, bytes_per_s=speed, why_not=why_not)


def test_the_best_of_each_kind_is_proposed_and_the_usual_place_needs_no_line() -> None:
    rows = (("apt", "default", measured(9e6)), ("pip", "tuna", measured(5e6)), ("pip", "default", measured(1e3)))
    best = measuring.best_of(rows)
    assert best == {"apt": "default", "pip": "tuna"}
    assert measuring.config_text(best) == "sources:\n  pip: https://pypi.tuna.tsinghua.edu.cn/simple\n"
    assert measuring.config_text({}) == "sources: default\n"


def test_what_does_not_answer_is_never_proposed() -> None:
    assert measuring.best_of((("pip", "tuna", measured(why_not="HTTP 502")),)) == {}


def test_a_preset_nobody_knows_is_named() -> None:
    with pytest.raises(WsbError, match="tunna"):
        measuring.measure_presets(("tunna",), None, {})


def test_every_preset_has_an_address_to_ask_for_each_kind_it_carries() -> None:
    found, date = measuring.presets()
    assert {"aliyun", "nju", "tuna", "ustc"} <= set(found)
    assert date
    for addresses in found.values():
        for kind, root in addresses.items():
            assert measuring.probe(kind, root).startswith("https://")
