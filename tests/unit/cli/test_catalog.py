"""`wsb catalog` as people type it."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.catalog import load
from builder.catalog.ask import Question, ask
from builder.catalog.kinds import KINDS, MEANT, kind_of
from builder.cli.catalog import command
from builder.errors import WsbError

README = Path(__file__).parents[3] / "README.md"


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
        # as people spell it
        (("torch==2.6.0",), "variant", "cu124"),
        (("torch", "2.6.0+cu126"), "variant", "cu126"),
        (("torch", "2.14.1", "--platform", "windows"), "variant", "cpu"),
        (("torch", "2.11", "linux/arm64"), "variant", "cu130"),
        (("torch", "2.2.2", "--platform", "macos_x86_64", "--python", "3.12"), "ok", True),
        (("pypi", "1.4.0"), "variant", "cu101"),
        (("torch", "2.17"), "extrapolated", "newer than the tables; as 2.15.0 is"),
        (("companions", "torch", "1.7.0"), "torchvision", "0.8.1"),
        (("companions", "--torch", "1.7.0"), "torchaudio", "0.7.0"),
        (("torchaudio", "2.11"), "version", "2.11.0"),
        (("python", "cp39", "torch==1.7.0"), "ok", False),
        (("python", "3.9.18"), "python", "3.9"),
        (("gpus", "3090"), "compute_capability", "8.6"),
        (("gpu", "sm_86"), "compute_capability", "8.6"),
        (("RTX 3090",), "compute_capability", "8.6"),
        (("driver", "R550"), "cuda", "12.4"),
        (("driver", "560.94", "wsl"), "os", "windows"),
        (("image", "pytorch/pytorch 2.6.0 devel"), "tag", "pytorch/pytorch:2.6.0-cuda12.4-cudnn9-devel"),
        (("image", "pytorch/pytorch:2.3.1-cuda12.1-cudnn8-devel"), "tag", "pytorch/pytorch:2.3.1-cuda12.1-cudnn8-devel"),
        (("image", "nvidia/cuda:11.8 devel"), "tag", "nvidia/cuda:11.8.0-devel-ubuntu22.04"),
        (("image", "cu113", "devel+cudnn", "ubuntu20.04"), "tag", "nvidia/cuda:11.3.1-cudnn8-devel-ubuntu20.04"),
        (("image", "--want", "nvidia/cuda devel", "--variant", "cu126"), "tag", "nvidia/cuda:12.6.3-devel-ubuntu22.04"),
        (("image", "nvidia/cuda base 12.1"), "tag", "nvidia/cuda:12.1.1-base-ubuntu22.04"),
        (("image", "nvidia/cuda devel", "--torch", "2.4.1"), "tag", "nvidia/cuda:12.1.1-devel-ubuntu22.04"),
        (("image", "ubuntu:22.04", "--torch", "2.7.1"), "glibc", "2.35"),
        (("image",), "tag", "debian:bookworm-slim"),
        (
            ("ecosystem", "torch-scatter", "torch==2.1.2", "cu118"),
            "find_links",
            "https://data.pyg.org/whl/torch-2.1.0+cu118.html",
        ),
        (("xformers", "--torch", "2.13.0"), "version", "0.0.35"),
        (("conda", "pytorch=1.7.1 cudatoolkit=11.0"), "variant", "cu110"),
        (("conda", "pytorch", "2.0.1", "pytorch-cuda=11.8"), "variant", "cu118"),
        (("conda", "pytorch", "pytorch-cuda=11.8"), "torch", "2.7.1"),
        (("conda", "pytorch=1.9.0=py3.8_cuda11.1_cudnn8.0.5_0"), "variant", "cu111"),
        (("conda", "python=3.9", "pytorch >=2,<2.1", "cpuonly"), "torch", "2.0.1"),
    ],
)
def test_a_question_is_answered(line: tuple[str, ...], key: str, value: str) -> None:
    assert asked(*line)[key] == value


def test_without_json_it_speaks_to_people() -> None:
    result = CliRunner().invoke(command, ["gpu", "RTX 3090"], catch_exceptions=False)
    assert "compute capability" in result.stdout
    assert "source: " in result.stdout


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        (("image", "nvidia/cuda:11.7.0-devel-ubuntu20.04"), "no-such-base", "nvidia/cuda:11.7.1-devel-ubuntu22.04"),
        (("image", "nvidia/cuda devel", "--variant", "cu102"), "no-such-base", "pytorch/pytorch:1.9.0-cuda10.2-cudnn7-devel"),
        (("image", "nvidia/cuda devel 12.6", "--ubuntu", "18.04"), "no-such-base", "20.04, 22.04, 24.04"),
        (("image", "pytorch/pytorch runtime", "--torch", "1.13.1", "--cuda", "11.7"), "no-such-base", "1.13.1-cuda11.6-cudnn8"),
        (("image", "ubuntu:18.04", "--torch", "2.7.1"), "glibc-too-old", "2.28"),
        (("image", "alpine"), "glibc-too-old", "debian:bookworm-slim"),
        (("image", "nvidia/cuda develop"), "bad-value", "develop"),
        (("torch", "2.6.0+cu127"), "no-such-torch", "cu126"),
        (("torch", "0.3"), "no-such-torch", "0.4.0"),
        (("drvier", "550"), "bad-value", "driver"),
        (("gpu", "RTX 6000"), "bad-value", "Quadro RTX 6000"),
        (("python", "snake"), "bad-value", "3.11"),
        (("installer", "anaconda2"), "bad-value", "Miniconda3"),
    ],
)
def test_a_question_without_an_answer_says_what_there_is_instead(line: tuple[str, ...], code: str, said: str) -> None:
    with pytest.raises(WsbError) as caught:
        CliRunner().invoke(command, [*line, "--json"], catch_exceptions=False)
    assert caught.value.code == code
    assert said in " ".join((caught.value.message, *caught.value.hints))


def test_without_a_kind_it_lists_the_tables_and_a_question_for_each() -> None:
    tables = asked()["tables"]
    assert isinstance(tables, list)
    assert {"table": "gpu", "collected": "2026-11-23", "such_as": 'wsb catalog gpu "RTX 3090"'} in tables


def _in_the_readme() -> list[str]:
    return [one for one in re.findall(r"`wsb (catalog [^`]+)`", README.read_text("utf-8")) if "…" not in one]


def test_the_readme_shows_a_question_of_every_kind() -> None:
    assert {kind_of(shlex.split(line)[1]) for line in _in_the_readme()} == set(KINDS) - {"torchaudio"}


@pytest.mark.parametrize("line", _in_the_readme())
def test_the_questions_of_the_readme_have_answers(line: str) -> None:
    assert asked(*shlex.split(line)[1:])["schema"] == "wsb.catalog/1"


WORDS = [
    *(
        "torch",
        "2.6",
        "2.6.0+cu126",
        "cu118",
        "rocm6.1",
        "linux/amd64",
        "windows",
        "cp39",
        "3.9.18",
        "torch==2.1",
        "torch=",
        "==",
    ),
    *("RTX", "3090", "8.6", "sm_", "wsl", "R550", "nvidia/cuda", "pytorch/pytorch", "devel", "ubuntu22.04", "alpine", "11.7.0"),
    *("latest", ">=2", "2.*", "*", "", "é", "cudatoolkit=11", "pytorch>=2,<3", "pytorch=*=*cuda*", "(x)", "[", "x/y:z", "a::b"),
    *("miniconda", "-", "9999", "1e9", "٣", "cuda99", "cu9999", "cu1", "999.1.1"),
]


@settings(max_examples=250, deadline=None)
@given(
    kind=st.sampled_from([*KINDS, *MEANT, "RTX 3090", "xformers", "cv2", "torch==2.6", "no such kind"]),
    words=st.lists(st.sampled_from(WORDS), max_size=4).map(tuple),
    options=st.dictionaries(
        st.sampled_from(["torch", "python", "platform", "variant", "cuda", "ubuntu"]), st.sampled_from(WORDS)
    ),
)
def test_whatever_is_asked_gets_an_answer_or_an_error_of_ours(
    kind: str, words: tuple[str, ...], options: dict[str, str]
) -> None:
    try:
        document = ask(load(), Question(kind=kind, words=words, **options))  # type: ignore[arg-type]
    except WsbError:
        return
    assert json.loads(json.dumps(document))["schema"] == "wsb.catalog/1"
