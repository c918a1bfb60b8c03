"""`wsb catalog` as people type it."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from builder.cli.catalog import command


def asked(*arguments: str) -> dict[str, object]:
    result = CliRunner().invoke(command, [*arguments, "--json"], catch_exceptions=False)
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert isinstance(document, dict)
    return document


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        (("torch", "1.7.1", "--platform", "linux_x86_64"), "variant", "cu102"),
        (("companions", "2.6"), "torchvision", "0.21.0"),
        (("python", "3.9", "--torch", "1.7.0"), "first_torch_with_python", "1.7.1"),
        (("gpu", "RTX", "3090"), "compute_capability", "8.6"),
        (("driver", "550.54.15"), "cuda", "12.4"),
        (("cuda", "cu126"), "driver_linux", "525.60.13"),
        (
            ("image", "pytorch/pytorch devel", "--torch", "2.4.1", "--cuda", "12.1"),
            "tag",
            "pytorch/pytorch:2.4.1-cuda12.1-cudnn9-devel",
        ),
        (("package", "xformers", "--torch", "2.13.0"), "version", "0.0.35"),
        (("import", "cv2"), "distribution", "opencv-python-headless"),
        (("conda", "pytorch=1.0.1", "cuda90"), "variant", "cu90"),
    ],
)
def test_a_question_is_answered(line: tuple[str, ...], key: str, value: str) -> None:
    assert asked(*line)[key] == value


def test_without_json_it_speaks_to_people() -> None:
    result = CliRunner().invoke(command, ["gpu", "RTX 3090"], catch_exceptions=False)
    assert "compute capability" in result.stdout
    assert "source: " in result.stdout
