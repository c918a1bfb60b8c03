"""The word a person types, and the package it means."""

from __future__ import annotations

import pytest

from builder.catalog import load
from builder.errors import WsbError
from builder.model.values import Manager
from builder.packages.names import Kind, choose, suggest

CATALOG = load()


def chosen(word: str, manager: Manager = Manager.VENV, forced: Kind | None = None) -> tuple[str, str]:
    found = choose(CATALOG, manager, word, forced)
    return found.kind, found.item


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("einops", ("pip", "einops")),
        ("cv2", ("pip", "opencv-python-headless")),
        ("PIL", ("pip", "Pillow")),
        ("yaml>=6", ("pip", "PyYAML>=6")),
        ("sklearn", ("pip", "scikit-learn")),
        ("bs4==4.12.0", ("pip", "beautifulsoup4==4.12.0")),
        ("numpy<2", ("pip", "numpy<2")),
        ("numpy=1.26", ("pip", "numpy==1.26.*")),
        ("uvicorn[standard]", ("pip", "uvicorn[standard]")),
        ("opencv", ("pip", "opencv-python-headless")),
        ("pyg", ("pip", "torch-geometric")),
        ("rdkit", ("pip", "rdkit")),
        ("pytorch3d", ("pip", "pytorch3d @ git+https://github.com/facebookresearch/pytorch3d.git")),
        ("detectron2", ("pip", "detectron2 @ git+https://github.com/facebookresearch/detectron2.git")),
        ("clip @ git+https://github.com/openai/CLIP.git", ("pip", "clip @ git+https://github.com/openai/CLIP.git")),
        ("git+https://github.com/openai/CLIP.git", ("pip", "git+https://github.com/openai/CLIP.git")),
        ("./third_party/ops", ("pip", "./third_party/ops")),
        ("libGL.so.1", ("apt", "libgl1")),
        ("libgthread-2.0.so.0", ("apt", "libglib2.0-0")),
        ("cmake", ("apt", "cmake")),
        ("torch==2.6", ("key", "2.6")),
        ("pytorch", ("key", "latest")),
        ("python=3.11", ("key", "3.11")),
        ("torchvision", ("pip", "torchvision")),
    ],
)
def test_a_word_means_a_package(word: str, meant: tuple[str, str]) -> None:
    assert chosen(word) == meant


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("cmake", ("conda", "cmake")),
        ("blast", ("conda", "blast")),
        ("einops", ("pip", "einops")),
        ("cv2", ("pip", "opencv-python-headless")),
        ("bioconda::samtools", ("conda", "bioconda::samtools")),
    ],
)
def test_conda_is_chosen_for_what_is_no_python_package(word: str, meant: tuple[str, str]) -> None:
    assert chosen(word, Manager.MINIFORGE) == meant


def test_a_flag_counts_before_the_rule() -> None:
    assert chosen("einops", Manager.MINIFORGE, "conda") == ("conda", "einops")
    assert chosen("numpy>=1.26,<2", Manager.MINIFORGE, "conda") == ("conda", "numpy>=1.26,<2")
    assert chosen("ffmpeg", Manager.MINIFORGE, "apt") == ("apt", "ffmpeg")
    assert chosen("libgl1", forced="apt") == ("apt", "libgl1")
    assert chosen("cmake", forced="pip") == ("pip", "cmake")


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("clip", 'wsb add "clip @ git+https://github.com/openai/CLIP.git"'),
        ("apex", 'wsb add "apex @ git+https://github.com/NVIDIA/apex.git"'),
        ("docx", "wsb add python-docx"),
        ("Crypto", "wsb add pycryptodome"),
        ("jwt", "wsb add pyjwt"),
        ("whisper", "wsb add openai-whisper"),
        ("serial", "wsb add pyserial"),
        ("hydra", "wsb add hydra-core"),
        ("faiss", "wsb add faiss-cpu"),
        ("simple_knn", "git submodule update"),
        ("cudatoolkit=11.8", "accelerator"),
        ("blast", "manager: miniconda"),
        ("triton", "wsb explain torch"),
        ("nvidia-cublas-cu12", "wsb explain torch"),
        ("libcuda.so.1", "apt-file"),
    ],
)
def test_a_trap_is_refused_with_the_right_name(word: str, says: str) -> None:
    with pytest.raises(WsbError) as caught:
        chosen(word)
    assert caught.value.code == "wrong-name"
    assert says in " ".join(caught.value.hints)


@pytest.mark.parametrize("word", ["clip", "docx"])
def test_a_trap_is_refused_with_a_flag_too(word: str) -> None:
    with pytest.raises(WsbError) as caught:
        chosen(word, forced="pip")
    assert caught.value.code == "wrong-name"


@pytest.mark.parametrize("word", ["", "two words", "-e .", "../outside", "a==", "einops; rm -rf", "https://u:p@host/x.whl"])
def test_what_is_no_package_is_refused(word: str) -> None:
    with pytest.raises(WsbError) as caught:
        chosen(word)
    assert caught.value.code == "bad-value"


def test_an_import_without_a_right_name_suggests_none() -> None:
    assert suggest(CATALOG, "diff_gaussian_rasterization").command == ""
    assert suggest(CATALOG, "whisper").command == "wsb add openai-whisper"
