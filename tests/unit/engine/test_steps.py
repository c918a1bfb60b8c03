"""From a step's name back to its line in the Dockerfile."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.engine.steps import instructions, line_of

SINGLE = """\
# a comment
ARG BASE=debian
FROM ${BASE}
ENV A=1

RUN one \\
    # inside
    && two
RUN <<EOF
FROM nothing
EOF
LABEL x=1
COPY a b
"""

STAGES = """\
FROM a AS one
RUN 1
FROM one
ENV X=1
COPY --from=one /a /a
FROM one AS Last
RUN 3
"""


def test_instructions_begin_where_they_begin() -> None:
    lines = [(one.line, one.keyword) for one in instructions(SINGLE)]
    assert lines == [(3, "FROM"), (4, "ENV"), (6, "RUN"), (9, "RUN"), (12, "LABEL"), (13, "COPY")]


@pytest.mark.parametrize(
    ("dockerfile", "name", "line"),
    [
        (SINGLE, "[1/4] FROM docker.io/library/debian", 3),
        (SINGLE, "[2/4] RUN one && two", 6),
        (SINGLE, "[3/4] RUN <<EOF (FROM nothing)", 9),
        (SINGLE, "[4/4] COPY a b", 13),
        (SINGLE, "[ 2/4] RUN one && two", 6),
        (SINGLE, "[stage-0 2/4] RUN one", 6),
        (SINGLE, "[linux/amd64 2/4] RUN one", 6),
        (SINGLE, "[6/6] COPY a b", 13),  # the classic builder and Podman count all
        (STAGES, "[one 2/2] RUN 1", 2),
        (STAGES, "[stage-1 2/2] COPY --from=one /a /a", 5),
        (STAGES, "[last 2/2] RUN 3", 7),
        (STAGES, "[one 2/7] RUN 1", 2),
        (STAGES, "[one 5/7] COPY --from=one /a /a", 5),
        (SINGLE, "[internal] load .dockerignore", None),
        (SINGLE, "exporting to image", None),
        (SINGLE, "[2/9] RUN one", None),
        (SINGLE, "[4/4] RUN one", None),
        ("", "[1/1] FROM a", None),
        ("FROM a AS one\nRUN 1\nFROM one AS two\nRUN 2\nCOPY a b\n", "[two 2/2] COPY a b", 5),
        ("FROM a AS one\nRUN 1\nFROM one AS two\nRUN 2\nCOPY a b\n", "[one 2/2] RUN 1", 2),
    ],
)
def test_a_step_is_found_however_its_builder_counts(dockerfile: str, name: str, line: int | None) -> None:
    assert line_of(dockerfile, name) == line


@given(st.text(alphabet="FROMRUN as\\\n#<EOF1/[] ", max_size=60), st.text(alphabet="[]/12 RUN", max_size=12))
def test_no_text_breaks_it(dockerfile: str, name: str) -> None:
    line_of(dockerfile, name)
