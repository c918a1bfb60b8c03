"""Whatever a log holds, diagnose answers."""

from __future__ import annotations

import io

from hypothesis import given, settings
from hypothesis import strategies as st

from builder import catalog
from builder.doctor.diagnose import diagnose, diagnose_text
from builder.ui.diagnosis import diagnosis_document, diagnosis_lines

PIECES = (
    "\n",
    "\r",
    "\r\n",
    "\x1b[31m",
    "\\n",
    "Traceback (most recent call last):\n",
    '  File "x.py", line 3, in f\n',
    "[rank1]: ",
    "#12 3.4 ",
    "#12 DONE 3.4s\n",
    '{"log":"',
    "│ ❱ ",
    "During handling of the above exception, another exception occurred:\n",
    "Exception ignored in: f\n",
    "Root Cause (first observed failure):\n",
    "  rank      : 3 (local_rank: 3)\n",
    "frame #0: c10\n",
    "retrying\n",
    "ValueError: of mine\n",
    *(row.example for row in catalog.load().known_errors),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=20)), max_size=60),
    st.sampled_from(["utf-8", "utf-16", "latin-1"]),
)
def test_any_mixture_of_pieces_is_answered(pieces: list[str], encoding: str) -> None:
    diagnosis = diagnose(io.BytesIO("".join(pieces).encode(encoding, "replace")))
    assert len({finding.id for finding in diagnosis.findings}) == len(diagnosis.findings)
    assert diagnosis_document(diagnosis)["unknown"] == bool(diagnosis.unknown)
    assert list(diagnosis_lines(diagnosis))


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=4000))
def test_bytes_that_are_no_log_are_answered(data: bytes) -> None:
    diagnose(io.BytesIO(data))


def test_a_message_in_the_middle_of_a_very_long_line_is_found_wherever_it_stands() -> None:
    for before in range(3200, 4200, 100):
        text = f"start\n{'x' * before} RuntimeError: No CUDA GPUs are available {'y' * 9000}\nend"
        assert [(one.id, one.line) for one in diagnose_text(text).findings] == [("no-cuda-gpus", 2)]


def test_lines_made_to_be_searched_for_long_are_answered() -> None:
    # each of these took minutes, or would, with a pattern that looks back over what it has seen
    for piece in ("ERROR ", "a:1:1", "0/3 nodes are available: ", ": x", "Error: CUDA ", "_A."):
        diagnose_text(piece * 40_000 + " error")
