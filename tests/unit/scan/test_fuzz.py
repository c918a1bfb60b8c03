"""Whatever a project's files hold, they are read or refused, and nothing else happens.

A few thousand cases run each time; WSB_FUZZ_CASES=100000 runs as many as one likes.
"""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.errors import Problems
from tests.unit.config.test_fuzz import mutated
from tests.unit.scan.scanning import project_of
from tests.unit.scan.test_environment import SMALL

CASES = int(os.environ.get("WSB_FUZZ_CASES", "3000"))

REQUIREMENTS = """\
# a bit of everything
--extra-index-url https://download.pytorch.org/whl/cu118
-f https://data.pyg.org/whl/torch-2.1.0+cu118.html
-r requirements.txt
-c limits.txt
torch==2.1.0+cu118 ; platform_machine != "s390x"
torchvision==0.16.0
numpy>=1.21,<2 \\
    --hash=sha256:aaaa
clip @ git+https://github.com/openai/CLIP.git@main
-e git+https://github.com/a/b.git@master#egg=b&subdirectory=c
certifi @ file:///croot/certifi_1671487769961/work/certifi
https://download.pytorch.org/whl/cpu/torch-1.7.0%2Bcpu-cp36-cp36m-linux_x86_64.whl
tomli[x]; python_version < "3.11"
-e .
./libs/x
"""
CONDA_LIST = "# $ conda create --name <env> --file <this file>\npython=3.8.12=h12debd9_0\nnumpy=1.2=py38_0\nx=1=pypi_0\n"
SEEDS = {"requirements.txt": REQUIREMENTS, "environment.yml": SMALL, "requirements.txt ": CONDA_LIST}


def read_or_refuse(files: dict[str, str | bytes]) -> None:
    try:
        project_of(files)
    except Problems as problems:
        for error in problems.errors:
            assert error.where is not None
            assert len(error.message) < 1000
            assert all(len(hint) < 1000 for hint in error.hints)


@pytest.mark.parametrize("name", SEEDS)
def test_mutated_files_are_read_or_refused(name: str) -> None:
    for number in range(CASES // len(SEEDS)):
        chance = random.Random(f"{name}-{number}")  # the same cases every time
        read_or_refuse({name.strip(): mutated(SEEDS[name], chance), "limits.txt": "numpy<2"})


@settings(max_examples=300, deadline=None)
@given(st.binary(), st.sampled_from(["requirements.txt", "environment.yml"]))
def test_any_bytes_are_read_or_refused(content: bytes, name: str) -> None:
    read_or_refuse({name: content})


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet="torchpy=<>!~.0123456789+cu-@;[]:/ \\#'\"*|,\n\t_fer", max_size=60))
def test_any_line_is_read_or_refused(line: str) -> None:
    read_or_refuse({"requirements.txt": line})
    read_or_refuse(
        {"environment.yml": "dependencies:\n- '" + line.replace("'", "''") + "'\n- pip:\n  - '" + line.replace("'", "''") + "'"}
    )
