"""What goes where, and the one shape of errors."""

from __future__ import annotations

import io
import json

import pytest

from builder.engine.base import BuildFailed
from builder.errors import Problems, WsbError
from builder.model.values import Location
from builder.ui.console import Console, error_document, error_lines


def consoles(is_tty: bool = False, **environ: str) -> tuple[Console, io.StringIO, io.StringIO]:
    out, err = io.StringIO(), io.StringIO()
    return Console(out, err, environ, is_tty), out, err


TORCH = WsbError(
    "no-such-torch",
    "torch 2.6 has no build for CUDA 12.8",
    where=Location(file="wsb.yaml", line=4, column=9),
    details=["torch 2.6.0 is built for: 11.8, 12.4, 12.6"],
    hints=['set `accelerator: "12.6"`, or `torch: "2.7"`, which is built for 12.8'],
)
TORCH_SHOWN = """\
error: torch 2.6 has no build for CUDA 12.8
  --> wsb.yaml:4:9
   torch 2.6.0 is built for: 11.8, 12.4, 12.6

hint: set `accelerator: "12.6"`, or `torch: "2.7"`, which is built for 12.8
"""


def test_an_error_has_the_shape_of_the_style_guide() -> None:
    console, out, err = consoles()
    console.error(TORCH)
    assert err.getvalue() == TORCH_SHOWN
    assert out.getvalue() == ""


def test_a_bare_error_is_one_line() -> None:
    assert list(error_lines(WsbError("bad-value", "no"))) == ["error: no"]


def test_all_problems_are_shown_with_a_line_between_them() -> None:
    console, _, err = consoles()
    console.error(Problems([TORCH, WsbError("bad-value", "and this")]))
    assert err.getvalue() == TORCH_SHOWN + "\nerror: and this\n"


def test_escapes_in_a_step_s_output_do_not_reach_the_terminal() -> None:
    lines = list(error_lines(BuildFailed("build-failed", "a step failed", details=["\x1b[31mred\x1b[0m\x07"])))
    assert lines == ["error: a step failed", "   red"]


def test_colour_adds_to_the_words_and_changes_none() -> None:
    console, _, err = consoles(is_tty=True, TERM="xterm")
    console.error(TORCH)
    assert "\x1b[1;31merror:\x1b[0m torch" in err.getvalue()
    assert "\x1b[1;36mhint:\x1b[0m set" in err.getvalue()


@pytest.mark.parametrize(("is_tty", "environ"), [(False, {}), (True, {"NO_COLOR": "1"}), (True, {"TERM": "dumb"})])
def test_no_colour_where_it_is_not_wanted(is_tty: bool, environ: dict[str, str]) -> None:
    console, _, err = consoles(is_tty, **environ)
    console.error(TORCH)
    console.warn("careful", ["do this"])
    assert err.getvalue() == TORCH_SHOWN + "warning: careful\nhint: do this\n"


def test_no_color_keeps_the_live_display_and_a_dumb_terminal_does_not() -> None:
    assert consoles(is_tty=True, NO_COLOR="1")[0].is_live
    assert not consoles(is_tty=True, TERM="dumb")[0].is_live
    assert not consoles(is_tty=False)[0].is_live


def test_the_product_alone_goes_to_standard_output() -> None:
    console, out, err = consoles()
    console.product("sha256:1")
    console.document({"a": "é"})
    console.line("building")
    assert out.getvalue() == 'sha256:1\n{\n  "a": "é"\n}\n'
    assert err.getvalue() == "building\n"


def test_a_letter_the_terminal_cannot_show_becomes_a_question_mark() -> None:
    raw = io.BytesIO()
    console = Console(io.StringIO(), io.TextIOWrapper(raw, encoding="ascii"), {}, False)
    console.line("naïve…")
    assert raw.getvalue() == b"na?ve?\n"


def test_the_width_is_the_environment_s_where_there_is_no_terminal() -> None:
    assert consoles()[0].width == 80
    assert consoles(COLUMNS="120")[0].width == 120
    assert consoles(COLUMNS="wide")[0].width == 80


def test_an_error_as_json() -> None:
    assert error_document(TORCH) == {
        "schema": "wsb.error/1",
        "code": "no-such-torch",
        "message": "torch 2.6 has no build for CUDA 12.8",
        "where": {"file": "wsb.yaml", "line": 4, "column": 9},
        "hints": ['set `accelerator: "12.6"`, or `torch: "2.7"`, which is built for 12.8'],
        "details": ["torch 2.6.0 is built for: 11.8, 12.4, 12.6"],
    }


def test_keys_without_meaning_are_left_out_of_the_json() -> None:
    assert error_document(WsbError("bad-value", "no", where=Location(file="f"))) == {
        "schema": "wsb.error/1",
        "code": "bad-value",
        "message": "no",
        "where": {"file": "f"},
        "hints": [],
    }


def test_a_failed_step_as_json() -> None:
    error = BuildFailed("build-failed", "a step failed", step_name="[2/2] RUN x", step_exit_code=3)
    document = error_document(error)
    assert (document["step"], document["exit_code"]) == ("[2/2] RUN x", 3)
    assert "host" not in document
    json.dumps(document)


def test_several_problems_are_the_first_one_s_fields_and_all_of_them() -> None:
    document = error_document(Problems([WsbError("unknown-key", "a"), WsbError("bad-value", "b")]))
    assert (document["code"], document["message"]) == ("unknown-key", "a")
    assert [one["code"] for one in document["errors"]] == ["unknown-key", "bad-value"]
