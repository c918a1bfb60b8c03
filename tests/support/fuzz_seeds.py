"""One small example of each kind of file, with as many of its habits as fit on a screen."""

from __future__ import annotations

import json

REQUIREMENTS = """\
--extra-index-url https://download.pytorch.org/whl/cu118
-f https://data.pyg.org/whl/torch-2.1.0+cu118.html
-r base.txt
-c limits.txt
torch==2.1.0+cu118 ; platform_machine != "s390x"
numpy>=1.21,<2 \\
    --hash=sha256:aaaa
clip @ git+https://github.com/openai/CLIP.git@main
-e git+https://github.com/a/b.git@master#egg=b&subdirectory=c
certifi @ file:///croot/certifi_1671487769961/work/certifi
https://download.pytorch.org/whl/cpu/torch-1.7.0%2Bcpu-cp36-cp36m-linux_x86_64.whl
tomli[x]; python_version < "3.11"
./libs/x
"""
CONDA_LIST = "# $ conda create --name <env> --file <this file>\n# platform: linux-64\npython=3.8.12=h12debd9_0\nx=1=pypi_0\n"
EXPLICIT = "@EXPLICIT\nhttps://conda.anaconda.org/conda-forge/linux-64/numpy-1.24.1-py310h8deb116_0.conda#abc\n"
ENVIRONMENT = """\
name: x
channels: [pytorch, https://mirrors.tuna.tsinghua.edu.cn/anaconda/cloud/conda-forge/, defaults]
dependencies:
  - python=3.8.5
  - pytorch::pytorch=1.11.0=py3.8_cuda11.3_cudnn8.2.0_0
  - cudatoolkit=11.3
  - vs2015_runtime=14.16  # [win]
  - numpy 1.21.*
  - pip:
    - -r requirements.txt
    - torchmetrics==0.6.0
    - -e git+https://github.com/CompVis/taming-transformers.git@master#egg=taming-transformers
prefix: C:\\\\Users\\\\me
"""
CONDA_LOCK = """\
version: 1
metadata:
  platforms: [linux-64]
package:
- name: numpy
  version: 1.24.1
  manager: conda
  platform: linux-64
  url: https://conda.anaconda.org/conda-forge/linux-64/numpy-1.24.1-py310h8deb116_0.conda
  category: main
- name: einops
  version: '0.6'
  manager: pip
  platform: linux-64
"""
PYPROJECT = """\
[build-system]
requires = ["setuptools", "torch>=2.0"]
[project]
name = "x"
requires-python = ">=3.9,<3.13"
dependencies = ["numpy>=1.20", "einops"]
[project.optional-dependencies]
gpu = ["torch==2.6.0", "torchvision"]
cpu = ["torch==2.6.0"]
[tool.uv.sources]
torch = [
  { index = "pytorch-cpu", extra = "cpu" },
  { index = "pytorch-cu124", extra = "gpu", marker = "sys_platform == 'linux'" },
]
[[tool.uv.index]]
name = "pytorch-cu124"
url = "https://download.pytorch.org/whl/cu124"
[tool.poetry.dependencies]
python = "^3.8"
torch = { version = "^2.0", optional = true }
lib = { git = "https://github.com/a/lib.git", rev = "abc" }
[[tool.poetry.source]]
name = "mirror"
url = "https://mirror.example.org/simple"
"""
PIXI = """\
[workspace]
channels = ["conda-forge"]
platforms = ["linux-64"]
[dependencies]
python = "3.11.*"
numpy = { version = ">=1.24" }
[pypi-dependencies]
torch = { version = "==2.5.1", index = "https://download.pytorch.org/whl/cu124" }
me = { path = ".", editable = true }
[system-requirements]
cuda = "12.4"
"""
SETUP_PY = """\
from setuptools import setup
REQUIRED = ["torch>=1.7", "numpy"] + ["tqdm"]
setup(name="x", python_requires=">=3.7", install_requires=REQUIRED, ext_modules=[CUDAExtension("x._C", ["a.cu"])],
      dependency_links=["https://download.pytorch.org/whl/cu113"])
"""
SETUP_CFG = "[options]\npython_requires = >=3.8\ninstall_requires =\n    torch>=1.8\n    numpy; python_version < '3.10'\n"
PIPFILE = """\
[[source]]
url = "https://download.pytorch.org/whl/cu118"
[packages]
torch = "==2.0.1"
clip = { git = "https://github.com/openai/CLIP.git", ref = "main" }
transformers = { version = ">=4.30", extras = ["torch"], markers = "sys_platform == 'linux'" }
[requires]
python_version = "3.10"
"""
DOCKERFILE = """\
ARG CUDA=11.8.0
FROM --platform=linux/amd64 nvidia/cuda:${CUDA}-devel-ubuntu22.04 AS build
RUN apt-get update && apt-get install -y --no-install-recommends ffmpeg libgl1 \\
 && pip install --no-cache-dir torch==2.0.1 --index-url https://download.pytorch.org/whl/cu118
RUN sed -i 's/torch>=1.7/torch==1.9.1+cu111/g' requirements.txt
ENV A="b c"
"""
DEVCONTAINER = """\
{
  // a comment
  "image": "pytorch/pytorch:2.1.0-cuda12.1-cudnn8-devel",
  "features": {"ghcr.io/devcontainers/features/python:1": {"version": "3.10"}},
  "postCreateCommand": {"a": "pip install -r requirements.txt", "b": ["conda", "install", "-y", "ffmpeg"]},
}
"""
README = """\
# X
Python 3.8 and PyTorch 1.12 with CUDA 11.3 are needed.
```bash
conda create -n x python=3.8 -y && conda activate x
conda install pytorch==1.12.1 torchvision==0.13.1 cudatoolkit=11.3 -c pytorch
pip install torch==1.12.1+cu113 \\
    --extra-index-url https://download.pytorch.org/whl/cu113
$ pip install -e submodules/diff-gaussian-rasterization  # compiled
```
Or `pip install "xformers<0.0.23" einops`.
"""
COG = """\
build:
  gpu: true
  cuda: "11.3"
  python_version: "3.8"
  python_packages: ["numpy==1.21.1"]
  run:
    - pip install torch==1.12.1+cu113 --extra-index-url https://download.pytorch.org/whl/cu113
"""
SCRIPT = "#!/bin/sh\nset -e\nconda install -y pytorch=1.9 -c pytorch || exit 1\nsudo pip3 install torch-scatter \\\n  -f https://x.org/a.html\n"
CODE = """\
from __future__ import annotations
import os, torch.nn as nn
try:
    import apex
except ImportError:
    apex = None
if sys.version_info < (3, 8):
    from typing_extensions import Literal
m = importlib.import_module("einops.layers")
class A:
    def f(self):
        from .b import c
        return f"{self!r:>{10}}"
"""
OLD_CODE = 'print "x"\nimport torch, cv2 as cv\nfrom PIL import Image\n"""\nimport no\n"""\n'
NOTEBOOK = json.dumps(
    {
        "nbformat": 4,
        "cells": [
            {
                "cell_type": "code",
                "source": ["import torch\n", "%matplotlib inline\n", "!pip install einops==0.6\n", "import cv2"],
            },
            {"cell_type": "code", "source": "%%bash\npip install lpips\n"},
            {"cell_type": "markdown", "source": ["text"]},
        ],
    },
    indent=1,
)

SEEDS: dict[str, tuple[str, ...]] = {
    "requirements.txt": (REQUIREMENTS, CONDA_LIST),
    "conda-list.txt": (CONDA_LIST, EXPLICIT),
    "environment.yml": (ENVIRONMENT,),
    "conda-lock.yml": (CONDA_LOCK,),
    "pyproject.toml": (PYPROJECT,),
    "pixi.toml": (PIXI,),
    "setup.py": (SETUP_PY,),
    "setup.cfg": (SETUP_CFG,),
    "Pipfile": (PIPFILE,),
    "Dockerfile": (DOCKERFILE,),
    "devcontainer.json": (DEVCONTAINER,),
    "README.md": (README,),
    "cog.yaml": (COG,),
    "install.sh": (SCRIPT,),
    ".python-version": ("3.10.4\n", "python-3.9.1"),
    "train.py": (CODE, OLD_CODE),
    "train.ipynb": (NOTEBOOK,),
    "installs.ipynb": (NOTEBOOK,),
    "commands": (SCRIPT, "pip install 'a b", "conda env create -f environment.yml && pip install -r requirements.txt"),
}
