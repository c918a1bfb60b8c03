"""Steps' names, made short."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.ui.steps import label


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("[torch 2/3] RUN --mount=type=cache,target=/x --network=none uv pip install torch", "torch 2/3: uv pip install torch"),
        (
            "[project 2/5] RUN . /run/wsb/network/env  && /bin/sh /run/wsb/uv/get-uv /opt/python  && uv pip install a",
            "project 2/5: uv pip install a",
        ),
        ("[ 5/14] RUN set -eux;     uv pip install a", "5/14: uv pip install a"),
        ("[linux/amd64 os 2/3] RUN apt-get update && apt-get install -y git", "os 2/3: apt-get install -y git"),
        ("[os 2/3] RUN apt-get -qq update && apt-get install -y git", "os 2/3: apt-get install -y git"),
        (
            "[os 2/3] RUN . /run/env  && rm -f /x && DEBIAN_FRONTEND=noninteractive apt-get install a",
            "os 2/3: apt-get install a",
        ),
        ("[2/3] RUN export A=1; cd /x && mkdir -p y && make", "2/3: make"),
        ("[2/3] RUN mkdir -p /a", "2/3: mkdir -p /a"),
        ("[2/3] RUN <<EOF (pip install a...)", "2/3: pip install a...)"),
        ("[2/3] COPY --chown=1:1 --link a b /c", "2/3: COPY a b /c"),
        ("[1/9] FROM docker.io/library/debian:bookworm", "1/9: FROM docker.io/library/debian:bookworm"),
        ("[2/9] WORKDIR /w", "2/9: WORKDIR /w"),
        ('[3/3] RUN ["python", "-c", "x"]', '3/3: ["python", "-c", "x"]'),
        (
            "[internal] load metadata for docker.io/library/debian:bookworm",
            "load metadata for docker.io/library/debian:bookworm",
        ),
        ("exporting to image", "exporting to image"),
    ],
)
def test_a_step_is_called_by_its_place_and_what_it_is_about(name: str, shown: str) -> None:
    assert str(label(name)) == shown


@pytest.mark.parametrize("name", ["[internal] load .dockerignore", "copy /context /", "exporting to image"])
def test_the_builder_s_own_steps_are_known(name: str) -> None:
    assert label(name).is_internal


@pytest.mark.parametrize("name", ["[1/2] FROM a", "[a 2/2] RUN x", "Something new"])
def test_the_file_s_steps_are_not_the_builder_s(name: str) -> None:
    assert not label(name).is_internal


@given(st.text(alphabet="[]/12 abRUN-=&;\n\"'<", max_size=40))
@settings(deadline=None)
def test_any_name_gives_one_line(name: str) -> None:
    assert "\n" not in str(label(name))
