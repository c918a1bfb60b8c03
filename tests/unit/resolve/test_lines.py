"""Requirement lines and conda specs, taken apart."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.resolve.lines import as_pip, conda_line, pip_line
from builder.resolve.wheels import local_wheel


@pytest.mark.parametrize(
    ("text", "name", "asks"),
    [
        ("numpy", "numpy", ""),
        ("NumPy>=1.20,<2", "numpy", ">=1.20,<2"),
        ("torch == 2.4.0+cu118", "torch", "== 2.4.0+cu118"),
        ('scikit_learn[extra] ~= 1.2 ; python_version < "3.9"', "scikit-learn", "~= 1.2"),
        ("detectron2 @ git+https://github.com/facebookresearch/detectron2.git", "detectron2", ""),
        ("git+https://github.com/facebookresearch/detectron2.git@v0.6", "detectron2", ""),
        ("https://example.org/whl/flash_attn-2.8.3-cp311-cp311-linux_x86_64.whl", "flash-attn", ""),
        ("git+https://example.org/x#egg=My_Thing", "my-thing", ""),
        ("./libs/own", "own", ""),
        ("!!", "", ""),
    ],
)
def test_a_requirement_in_parts(text: str, name: str, asks: str) -> None:
    line = pip_line(text)
    assert (line.name, line.asks) == (name, asks)


@pytest.mark.parametrize(
    ("conda", "pip"),
    [
        ("numpy=1.21.2=py38h1234", "numpy==1.21.2"),
        ("numpy=1.21", "numpy==1.21.*"),
        ("numpy==1.21.2", "numpy==1.21.2"),
        ("numpy >=1.20,<2", "numpy>=1.20,<2"),
        ("conda-forge::numpy", "numpy"),
        ("numpy=1.*", "numpy==1.*"),
        ("numpy 1.21.2", "numpy==1.21.2"),
        ("numpy *", "numpy"),
    ],
)
def test_a_conda_spec_as_pip_spells_it(conda: str, pip: str) -> None:
    line = conda_line(conda)
    assert as_pip(line.name, line.asks) == pip


@settings(max_examples=200)
@given(st.text(max_size=60))
def test_no_text_is_too_odd_to_take_apart(text: str) -> None:
    assert pip_line(text).text == text.strip()
    _ = pip_line(text).request
    line = conda_line(text)
    assert isinstance(as_pip(line.name, line.asks), str)
    local_wheel(text + ".whl")


def test_a_wheel_in_parts() -> None:
    wheel = local_wheel("torch-2.6.0%2Bcu126-cp312-cp312-manylinux_2_28_x86_64.whl")
    assert wheel is not None
    assert (wheel.name, str(wheel.version), wheel.pythons) == ("torch", "2.6.0+cu126", ("3.12",))
    assert wheel.is_for("linux_x86_64")
    assert not wheel.is_for("linux_aarch64")
    assert local_wheel("torch-2.6.0.tar.gz") is None
