"""READMEs, Dockerfiles, dev containers and scripts as witnesses: what they install, never run."""

from __future__ import annotations

from builder.model.values import Location
from builder.scan import documents
from builder.scan.command_line import read_shell_command
from builder.scan.items import AptItem, ChannelItem, CondaItem, ImageItem, IncludeItem, IndexItem, Item, LocalItem, PipItem

WHERE = Location(file="README.md", line=1)


def names(items: tuple[Item, ...]) -> list[str]:
    """Items in short: pip name and versions, conda=, apt:, image:, index:."""
    found = []
    for item in items:
        match item:
            case PipItem():
                found.append(item.name + item.versions)
            case CondaItem():
                found.append(f"conda:{item.text}")
            case AptItem():
                found.append(f"apt:{item.name}")
            case ImageItem():
                found.append(f"image:{item.image}")
            case IndexItem():
                found.append(f"index:{item.url}")
            case ChannelItem():
                found.append(f"channel:{item.channel}")
            case IncludeItem() | LocalItem():
                found.append(f"path:{item.path}")
            case _:
                found.append(repr(item))
    return found


def command(text: str) -> list[str]:
    return names(read_shell_command(text, WHERE))


def test_install_commands_are_understood_as_people_write_them() -> None:
    assert command("pip install torch==1.12.1+cu113 einops") == ["torch==1.12.1+cu113", "einops"]
    assert command("python3 -m pip install -U 'numpy<2' -r requirements.txt") == ["numpy<2", "path:requirements.txt"]
    assert command("uv pip install torch --index-url https://download.pytorch.org/whl/cu118") == [
        "torch",
        "index:https://download.pytorch.org/whl/cu118",
    ]
    assert command("conda install -y pytorch==1.12.1 cudatoolkit=11.3 -c pytorch") == [
        "conda:pytorch==1.12.1",
        "conda:cudatoolkit=11.3",
        "channel:pytorch",
    ]
    assert command("conda create -n x python=3.8 -y") == ["conda:python=3.8"]
    assert command("conda env create -f environment.yml") == ["path:environment.yml"]
    assert command("apt-get install -y --no-install-recommends ffmpeg libgl1") == ["apt:ffmpeg", "apt:libgl1"]


def test_what_only_the_shell_would_know_is_left_out() -> None:
    assert command("pip install $PACKAGES torch==${TORCH}") == []
    assert command("pip install <your package>") == []
    assert command("echo pip") == []
    assert command("pip install 'unclosed") == []


def test_a_readme_gives_commands_before_prose() -> None:
    text = """
Requires Python 3.7 and PyTorch 1.10 (CUDA 11.1).

```
conda create -n x python=3.8 && conda activate x
pip install torch==1.12.1+cu113 \\
    --extra-index-url https://download.pytorch.org/whl/cu113
```
Also `pip install einops`, then run.
"""
    assert names(documents.read_readme(text, "README.md")) == [
        "conda:python=3.8",
        "torch==1.12.1+cu113",
        "index:https://download.pytorch.org/whl/cu113",
        "einops",
        "conda:python=3.7",
        "conda:pytorch=1.10",
        "conda:cudatoolkit=11.1",
    ]


def test_a_dockerfile_gives_its_base_and_installs_with_args_put_in() -> None:
    text = """
ARG CUDA=11.8.0
FROM --platform=linux/amd64 nvidia/cuda:${CUDA}-devel-ubuntu22.04 AS build
# a comment
RUN apt-get update \\
 # inside
 && apt-get install -y ffmpeg && pip install torch==2.0.1
RUN sed -i 's/torch>=1.7/torch==1.9.1+cu111/g' requirements.txt
FROM $UNKNOWN
"""
    assert names(documents.read_dockerfile(text, "Dockerfile")) == [
        "image:nvidia/cuda:11.8.0-devel-ubuntu22.04",
        "apt:ffmpeg",
        "torch==2.0.1",
        "torch==1.9.1+cu111",
    ]


def test_a_dev_container_with_comments_and_commas_is_read() -> None:
    text = """{
  // as editors write it
  "image": "pytorch/pytorch:2.1.0-cuda12.1-cudnn8-devel", /* base */
  "features": {"ghcr.io/devcontainers/features/python:1": {"version": "3.10"}},
  "postCreateCommand": "pip install -e .",
}"""
    assert names(documents.read_devcontainer(text, "devcontainer.json")) == [
        "image:pytorch/pytorch:2.1.0-cuda12.1-cudnn8-devel",
        "conda:python=3.10",
        "path:.",
    ]


def test_cog_yaml_gives_python_cuda_and_runs() -> None:
    text = 'build:\n  cuda: "11.3"\n  python_version: "3.8"\n  run:\n  - pip install torch==1.12.1\n'
    assert names(documents.read_cog(text, "cog.yaml")) == ["conda:python=3.8", "conda:cudatoolkit=11.3", "torch==1.12.1"]
    assert documents.read_cog('"""\nno yaml\n"""\nbuild: [', "cog.yaml") == ()


def test_the_python_of_pyenv_and_heroku() -> None:
    assert names(documents.read_python_version("3.10.4\n", ".python-version")) == ["conda:python=3.10"]
    assert names(documents.read_python_version("python-3.9.16", "runtime.txt")) == ["conda:python=3.9"]
    assert documents.read_python_version("system\n", ".python-version") == ()


def test_notebooks_install_in_their_cells() -> None:
    text = '{"cells": [{"cell_type": "code", "source": ["!pip install einops==0.6\\n", "x = 1"]}]}'
    (item,) = documents.read_notebook_installs(text, "a.ipynb")
    assert names((item,)) == ["einops==0.6"]
    assert str(item.where) == "a.ipynb:cell 1:1"


def test_digits_of_other_scripts_are_no_versions() -> None:
    # a fuzz run found ᮳1.3 read as a CUDA version
    assert documents.read_readme("Needs CUDA ᮳1.3, Python 3.᮳ and PyTorch ᮳.1\n", "README.md") == ()
    assert documents.read_dockerfile("FROM nvidia/cuda:᮳1.8.0-devel\n", "Dockerfile")
    assert command("conda install cudatoolkit=᮳1.3") == []


def test_a_minimum_in_prose_is_no_version() -> None:
    items = documents.read_readme("Python 3.7+ and PyTorch 1.12 or later; CUDA >= 11.3\n", "README.md")
    assert names(items) == ["conda:python>=3.7", "conda:pytorch>=1.12", "conda:cudatoolkit>=11.3"]
