"""environment.yml as people write it and as conda exports it, on Linux and elsewhere."""

from __future__ import annotations

import pytest

from builder.model.values import Location, Variant
from tests.unit.scan.scanning import depending, notes_of, problems_of, project_of, spec_naming, texts

SMALL = """\
name: ldm
channels:
  - pytorch
  - https://mirrors.tuna.tsinghua.edu.cn/anaconda/cloud/conda-forge/
  - defaults
dependencies:
  - python=3.8.5
  - pip=20.3
  - cudatoolkit=11.3
  - pytorch=1.11.0
  - torchvision=0.12.0
  - numpy=1.19.2
  - pip:
    - einops==0.3.0
    - -e git+https://github.com/CompVis/taming-transformers.git@master#egg=taming-transformers
    - -e .
prefix: /home/me/miniconda3/envs/ldm
"""


def test_an_environment_file_says_everything_about_torch() -> None:
    project = project_of({"environment.yml": SMALL})
    assert project.python is not None
    assert str(project.python.value) == "3.8.5"
    assert project.torch is not None
    assert str(project.torch.value) == "1.11.0"
    assert project.torch.where == Location(file="environment.yml", line=10, column=5)
    assert project.torchvision is not None
    assert project.cuda is not None
    assert str(project.cuda.value) == "11.3"
    assert texts(project.channels) == [
        "pytorch",
        "conda-forge",  # its mirror's address is written in the file
        "defaults",
    ]
    assert texts(project.conda) == ["numpy=1.19.2"]
    assert texts(project.pip) == [
        "einops==0.3.0",
        "taming-transformers @ git+https://github.com/CompVis/taming-transformers.git@master",
    ]
    assert texts(project.local_paths) == ["."]
    assert "prefix" in notes_of(project)


@pytest.mark.parametrize(
    ("line", "request_text"),
    [
        ("pytorch", "latest"),
        ("pytorch=1.12", "1.12"),
        ("pytorch=1.12.*", "1.12"),
        ("pytorch==1.12.1", "==1.12.1"),
        ("pytorch 1.10", "1.10"),
        ("pytorch >=1.8, <2", ">=1.8,<2"),
        ("pytorch>=1.8.*", ">=1.8"),
        ("pytorch=1.10.1=py3.8_cuda10.2_cudnn7.6.5_0", "1.10.1"),
        ("pytorch::pytorch=2.0", "2.0"),
        ("pytorch[version='>=2,<3']", ">=2,<3"),
        ("pytorch=1.8|1.9", "1.9"),
        ("pytorch=2.1=*cuda*", "2.1"),
        ("PyTorch=1.9", "1.9"),
    ],
)
def test_versions_of_conda_are_understood(line: str, request_text: str) -> None:
    torch = depending(f'"{line}"').torch
    assert torch is not None
    assert str(torch.value) == request_text


@pytest.mark.parametrize(
    ("lines", "cuda"),
    [
        (["pytorch", "pytorch-cuda=11.8"], "11.8"),
        (["pytorch", "cudatoolkit=10.1.243=h6bb024c_0"], "10.1"),
        (["pytorch=1.0", "cuda90"], "9.0"),
        (["pytorch=1.0", "cuda100=1.0=0"], "10.0"),
        (["pytorch=1.9.0=cuda112py39h3ad47f5_1"], "11.2"),
        (["pytorch", "cuda-version=12.4"], "12.4"),
        (["pytorch", "nvidia/label/cuda-11.8.0::cuda-nvcc"], "11.8"),
        (["pytorch", "cuda-toolkit=12.1", "pytorch-cuda=11.8"], "11.8"),
    ],
)
def test_the_cuda_of_an_environment_is_found(lines: list[str], cuda: str) -> None:
    found = depending(*lines).cuda
    assert found is not None
    assert str(found.value) == cuda


@pytest.mark.parametrize(
    "lines", [["pytorch", "cpuonly"], ["pytorch-cpu=1.1"], ["pytorch=2.5.1=py3.9_cpu_0"], ["pytorch", "pytorch-mutex=1.0=cpu"]]
)
def test_an_environment_for_the_cpu_is_recognised(lines: list[str]) -> None:
    variant = depending(*lines).torch_variant
    assert variant is not None
    assert variant.value == Variant("cpu")


def test_cuda_tools_stay_among_the_packages_and_selectors_do_not() -> None:
    project = depending("pytorch", "pytorch-cuda=11.8", "cuda-nvcc=11.8", "cudatoolkit", "cpuonly", "pip")
    assert texts(project.conda) == ["cuda-nvcc=11.8"]


def test_an_export_of_windows_loses_its_builds_and_what_only_windows_has() -> None:
    project = project_of(
        {
            "environment.yml": "name: x\ndependencies:\n  - numpy=1.24=py39h6917f2d_0\n  - vs2015_runtime=14.27=h1_0\n"
            "  - m2w64-gcc-libs=5.3.0=7\n  - conda-forge::scipy=1.9=py39_1\nprefix: C:\\Users\\me\\envs\\x\n"
        }
    )
    assert texts(project.conda) == ["numpy=1.24", "conda-forge::scipy=1.9"]
    assert "vs2015_runtime exists for Windows only" in notes_of(project)
    assert "another system than Linux" in notes_of(project)


def test_an_export_of_linux_keeps_its_builds() -> None:
    assert texts(depending("numpy=1.24=py39h6917f2d_0").conda) == ["numpy=1.24=py39h6917f2d_0"]


def test_selectors_of_other_systems_are_left_out() -> None:
    project = depending(
        "pywin  # [win]", "appkit # [osx]", "nccl  # [linux]", "a  # [not win]", "b # [win or linux]", "c # [py>38]", "d # note"
    )
    assert texts(project.conda) == ["nccl", "a", "b", "c", "d"]
    assert "# [win]" in notes_of(project)


def test_a_prefix_edited_by_hand_spoils_nothing() -> None:
    text = "name: x\ndependencies:\n  - numpy\nprefix: [path/to]/envs/x\n"
    assert texts(project_of({"environment.yml": text}).conda) == ["numpy"]


def test_includes_of_the_pip_section_are_seen_from_the_environment_file() -> None:
    project = project_of(
        {
            "env/environment.yml": "name: x\ndependencies:\n  - pip:\n    - -r more.txt\n    - ./pkg\n    - -e ..\n",
            "env/more.txt": "einops\n",
        },
        spec_naming(environment="env/environment.yml"),
    )
    assert texts(project.pip) == ["einops"]
    assert texts(project.local_paths) == ["./env/pkg", "."]


def test_pip_of_the_environment_comes_before_requirements_txt() -> None:
    project = project_of(
        {
            "environment.yml": "name: x\ndependencies: [pip, {pip: [numpy==1.24]}]\n",
            "requirements.txt": "numpy==1.21\ntorch==2.0.1\n",
        }
    )
    assert texts(project.pip) == ["numpy==1.24"]
    assert project.torch is not None


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("- a\n", 1, "not a conda environment file"),
        ("", 0, "not a conda environment file"),
        ("version: 1\nservices: {}\n", 1, "not a conda environment file"),
        ("name: x\ndependencies:\n\t- numpy\n", 3, "tab"),
        ("name: x\ndependencies:\n  - numpy: 1.24\n", 3, "`numpy=1.24`"),
        ("name: x\ndependencies:\n  - npm: [a]\n", 3, "there is only pip"),
        ("name: x\ndependencies:\n  - 'num py; id'\n", 3, "not a package"),
        ("name: x\ndependencies:\n  - $(id)\n", 3, "not a package"),
        ("name: x\ndependencies:\n  - [a]\n", 3, "one package an item"),
        ("name: x\ndependencies:\n  - pip: [foo bar baz]\n", 3, "one requirement a line"),
        ("name: x\ndependencies:\n  - pytorch=abc\n", 3, "not a version"),
        ("name: x\ndependancies:\n  - numpy\n", 2, "`dependencies`"),
        ("name: x\nchannels: [[a]]\n", 2, "a channel is one word"),
        ("name: x\nname: y\n", 2, "written twice"),
    ],
)
def test_what_conda_cannot_read_is_a_problem_with_its_place(text: str, line: int, said: str) -> None:
    found = problems_of({"environment.yml": text}, spec_naming(environment="environment.yml"))
    assert found[0].where is not None
    assert found[0].where.line == line
    assert said in " ".join([found[0].message, *found[0].hints])


def test_a_list_file_of_conda_may_be_the_environment() -> None:
    project = project_of(
        {"spec.txt": "@EXPLICIT\nhttps://c.org/main/linux-64/a-1-0.conda\n"}, spec_naming(environment="spec.txt")
    )
    assert texts(project.conda) == ["a=1=0"]
