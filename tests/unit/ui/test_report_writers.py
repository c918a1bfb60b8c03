"""The same report for a person, a script and a CI server."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.model.report import Check, Report, Status
from builder.ui.junit import junit_xml
from builder.ui.report_json import report_document
from builder.ui.report_text import gpu_line, report_text, shown, summary_line

CHECKS = (
    Check(id="environment.prefix", group="environment", status=Status.PASS, measured="/opt/x", expected="/opt/x", seconds=0.01),
    Check(
        id="torch.version",
        group="torch",
        status=Status.FAIL,
        measured="2.5.1+cpu",
        expected="2.6.0",
        seconds=1.5,
        hint="another torch was installed\nover the planned one",
    ),
    Check(id="gpu.visible", group="gpu", status=Status.SKIP, seconds=0.1, hint="no device was asked for"),
)
REPORT = Report(image="wsb/mnist:latest", device="none", checks=CHECKS)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
texts = st.text(st.characters())  # control characters and lone surrogates too
checks = st.builds(
    Check,
    id=texts.filter(bool),
    group=st.sampled_from(["environment", "torch", "gpu"]),
    status=st.sampled_from(Status),
    measured=json_values | texts,
    expected=json_values | texts,
    seconds=st.floats(0, 1e6),
    hint=texts,
)
reports = st.builds(Report, image=texts, device=texts, checks=st.lists(checks, max_size=4).map(tuple))


def test_the_table_shows_groups_words_values_and_hints():
    assert report_text(REPORT) == (
        "environment\n"
        "  pass  environment.prefix     0.01 s  /opt/x (/opt/x)\n"
        "\n"
        "torch\n"
        "  FAIL  torch.version          1.50 s  2.5.1+cpu\n"
        "        expected: 2.6.0\n"
        "        hint: another torch was installed\n"
        "              over the planned one\n"
        "\n"
        "gpu\n"
        "  skip  gpu.visible            0.10 s  no device was asked for\n"
        "\n"
        "1 check passed, 1 failed (torch.version), 1 skipped; 1.6 s\n"
        "GPU: no GPU was asked for; nothing here says whether one would work\n"
    )


def test_colour_adds_nothing_but_colour():
    assert re.sub(r"\x1b\[[0-9;]*m", "", report_text(REPORT, has_colour=True)) == report_text(REPORT)
    assert "\x1b" not in report_text(REPORT)


@given(reports)
def test_nothing_that_was_measured_can_steer_the_terminal(report: Report):
    assert all(letter.isprintable() or letter == "\n" for letter in report_text(report))


def gpu(id: str, status: Status, measured: object = None) -> Check:
    return Check(id=id, group="gpu", status=status, measured=measured)


@pytest.mark.parametrize(
    ("device", "checks", "line"),
    [
        ("none", [], "GPU: no GPU was asked for; nothing here says whether one would work"),
        ("none", [gpu("gpu.visible", Status.SKIP)], "GPU: no GPU was asked for; nothing here says whether one would work"),
        (
            "none",
            [gpu("gpu.visible", Status.SKIP, {"devices": []})],
            "GPU: none is visible in this container; nothing here says whether one would work",
        ),
        ("none", [gpu("gpu.visible", Status.FAIL)], "GPU: asked for, and not reached (gpu.visible)"),
        ("mock", [gpu("gpu.visible", Status.PASS)], "GPU: wiring pass, compute not run (mock device)"),
        ("mock", [gpu("gpu.visible", Status.FAIL)], "GPU: wiring fail, compute not run (mock device)"),
        (
            "NVIDIA H200",
            [gpu("gpu.visible", Status.PASS), gpu("gpu.matmul", Status.PASS), gpu("gpu.x", Status.SKIP)],
            "GPU: 2 checks ran on NVIDIA H200 and passed; 1 more did not run",
        ),
        (
            "NVIDIA H200",
            [gpu("gpu.visible", Status.PASS), gpu("gpu.matmul", Status.FAIL)],
            "GPU: on NVIDIA H200, 1 of 2 checks failed: do not rely on it",
        ),
    ],
)
def test_the_last_line_claims_no_more_than_was_shown(device: str, checks: list[Check], line: str):
    cpu = Check(id="compute.matmul.fp32", group="compute", status=Status.PASS)
    assert gpu_line(Report(image="i", device=device, checks=(cpu, *checks))) == line


def test_a_long_list_of_failures_is_cut():
    failing = tuple(Check(id=f"a.{n}", group="a", status=Status.FAIL) for n in range(6))
    assert summary_line(Report(image="i", device="none", checks=failing)).startswith(
        "0 checks passed, 6 failed (a.0, a.1, a.2, a.3, …), 0 skipped"
    )


def test_values_are_shown_without_the_marks_of_json():
    assert (
        shown({"mounted": True, "uid": 1000, "nodes": [], "names": ["a", "b"]})
        == "mounted=yes, uid=1000, nodes=nothing, names=a+b"
    )
    assert (shown(None), shown(0.5), shown([1, 2])) == ("-", "0.5", "1, 2")


# --- JSON -----------------------------------------------------------------------------------------------------------


def test_the_document_is_the_one_that_was_promised():
    document = report_document(REPORT)
    assert list(document) == ["schema", "image", "device", "checks", "summary"]
    assert (document["schema"], document["summary"]) == ("wsb.report/1", {"pass": 1, "fail": 1, "skip": 1})
    assert document["checks"][1] == {
        "id": "torch.version",
        "group": "torch",
        "status": "fail",
        "measured": "2.5.1+cpu",
        "expected": "2.6.0",
        "seconds": 1.5,
        "hint": "another torch was installed\nover the planned one",
    }
    assert "hint" not in document["checks"][0]


@given(reports)
def test_the_document_survives_json(report: Report):
    document = report_document(report)
    assert json.loads(json.dumps(document)) == document
    assert sum(document["summary"].values()) == len(report.checks)


# --- JUnit ----------------------------------------------------------------------------------------------------------


def test_a_suite_for_each_group_and_the_hint_in_the_failure():
    root = ET.fromstring(junit_xml(REPORT))
    assert [suite.get("name") for suite in root] == ["wsb.environment", "wsb.torch", "wsb.gpu"]
    assert (root.get("tests"), root.get("failures")) == ("3", "1")
    failure = root.find("./testsuite/testcase[@name='torch.version']/failure")
    assert failure is not None
    assert failure.get("message") == "measured 2.5.1+cpu, expected 2.6.0"
    assert "over the planned one" in (failure.text or "")
    skipped = root.find("./testsuite[@name='wsb.gpu']/testcase/skipped")
    assert skipped is not None
    assert skipped.get("message") == "no device was asked for"
    assert junit_xml(REPORT).startswith(b"<?xml version=")


@given(reports)
def test_every_report_is_valid_xml_with_the_right_counts(report: Report):
    root = ET.fromstring(junit_xml(report))
    cases = root.findall("./testsuite/testcase")
    assert len(cases) == len(report.checks) == int(root.get("tests", "-1"))
    assert len(root.findall("./testsuite/testcase/failure")) == report.count(Status.FAIL)
    assert len(root.findall("./testsuite/testcase/skipped")) == report.count(Status.SKIP)
    for suite in root:
        assert suite.get("tests") == str(len(suite.findall("testcase")))
        assert [child.tag for child in suite][:1] == ["properties"]


def test_what_xml_cannot_hold_is_written_out():
    check = Check(id="a.x", group="a", status=Status.FAIL, measured='\x1b[31m\x00\ud800<&>"]]>', expected="ü\U0001f600")
    failure = ET.fromstring(junit_xml(Report(image="i", device="none", checks=(check,)))).find(".//failure")
    assert failure is not None
    assert failure.get("message") == 'measured \\x1b[31m\\x00\\xd800<&>"]]>, expected ü\U0001f600'
