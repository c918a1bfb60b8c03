"""pyproject.toml, setup.py, setup.cfg, Pipfile, pixi.toml and conda-lock.yml, named by wsb.yaml like a requirements file."""

from __future__ import annotations

from builder.model.project import Project
from tests.unit.scan.scanning import notes_of, problems_of, project_of, spec_naming, texts


def read(name: str, text: str) -> Project:
    return project_of({name: text}, spec_naming(name))


def asked(project: Project) -> tuple[str | None, str | None, str | None]:
    """Python, torch and variant as texts."""
    return (
        str(project.python.value) if project.python else None,
        str(project.torch.value) if project.torch else None,
        str(project.torch_variant.value) if project.torch_variant else None,
    )


def test_pep_621_gives_python_and_dependencies_with_their_lines() -> None:
    project = read(
        "pyproject.toml", '[project]\nrequires-python = ">=3.9,<3.12"\ndependencies = [\n  "torch==2.1.0",\n  "einops",\n]\n'
    )
    assert asked(project) == (">=3.9,<3.12", "==2.1.0", None)
    assert texts(project.pip) == ["einops"]
    assert project.torch is not None
    assert project.torch.where.line == 4


def test_torch_in_an_optional_group_is_found_and_the_group_for_gpus_wins() -> None:
    text = """
[project]
dependencies = ["numpy"]
[project.optional-dependencies]
cpu = ["torch==2.9.1"]
gpu = ["torch==2.9.1", "triton"]
docs = ["sphinx"]
[tool.uv.sources]
torch = [{ index = "pytorch-cpu", extra = "cpu" }, { index = "pytorch-cu128", extra = "gpu" }]
[[tool.uv.index]]
name = "pytorch-cpu"
url = "https://download.pytorch.org/whl/cpu"
[[tool.uv.index]]
name = "pytorch-cu128"
url = "https://download.pytorch.org/whl/cu128"
"""
    project = read("pyproject.toml", text)
    assert asked(project) == (None, "==2.9.1", "cu128")
    assert texts(project.pip) == ["numpy", "triton"]
    assert "the optional group gpu" in notes_of(project)


def test_a_source_for_another_system_names_no_build() -> None:
    text = """
[project]
dependencies = ["torch==2.5.1"]
[tool.uv.sources]
torch = [{ index = "cpu", marker = "sys_platform == 'darwin'" }, { index = "cu124", marker = "sys_platform == 'linux'" }]
[[tool.uv.index]]
name = "cpu"
url = "https://download.pytorch.org/whl/cpu"
[[tool.uv.index]]
name = "cu124"
url = "https://download.pytorch.org/whl/cu124"
"""
    assert asked(read("pyproject.toml", text)) == (None, "==2.5.1", "cu124")


def test_poetry_is_read_with_its_own_signs() -> None:
    text = """
[tool.poetry.dependencies]
python = ">=3.8,<3.11"
torch = "^1.13"
numpy = "~1.23.4"
einops = "*"
clip = { git = "https://github.com/openai/CLIP.git", rev = "main" }
[tool.poetry.group.dev.dependencies]
pytest = "*"
"""
    project = read("pyproject.toml", text)
    assert asked(project) == (">=3.8,<3.11", "<2,>=1.13", None)
    assert texts(project.pip) == ["numpy<1.24,>=1.23.4", "einops", "clip @ git+https://github.com/openai/CLIP.git@main"]


def test_a_caret_keeps_the_first_number_that_is_not_zero() -> None:
    text = '[tool.poetry.dependencies]\na = "^0.2.3"\nb = "^0.0.3"\nc = "^1.2"\nd = "~1"\n'
    assert texts(read("pyproject.toml", text).pip) == ["a<0.3,>=0.2.3", "b<0.0.4,>=0.0.3", "c<2,>=1.2", "d<2,>=1"]


def test_torch_among_what_the_build_needs_counts_when_nothing_else_names_it() -> None:
    project = read("pyproject.toml", '[build-system]\nrequires = ["setuptools", "torch>=2.5.1"]\n')
    assert asked(project)[1] == ">=2.5.1"
    project = read("pyproject.toml", '[build-system]\nrequires = ["torch"]\n[project]\ndependencies = ["torch==2.1.0"]\n')
    assert asked(project)[1] == "==2.1.0"


def test_pixi_has_conda_and_pypi_packages() -> None:
    text = """
[workspace]
channels = ["conda-forge"]
[dependencies]
python = "3.11.*"
numpy = ">=1.24,<2"
[pypi-dependencies]
einops = "*"
torch = { version = "==2.5.1", index = "https://download.pytorch.org/whl/cu124" }
"""
    for name, prefix in (("pixi.toml", ""), ("pyproject.toml", "tool.pixi.")):
        project = read(
            name,
            text.replace("[workspace", f"[{prefix}workspace")
            .replace("[dep", f"[{prefix}dep")
            .replace("[pypi", f"[{prefix}pypi"),
        )
        assert asked(project) == ("3.11", "==2.5.1", "cu124"), name
        assert texts(project.conda) == ["numpy >=1.24,<2"]
        assert texts(project.pip) == ["einops"]


def test_what_is_no_toml_is_an_error_with_its_line() -> None:
    (error,) = problems_of({"pyproject.toml": "[project]\nname = \n"}, spec_naming("pyproject.toml"))
    assert error.where is not None
    assert error.where.line == 2
    (error,) = problems_of({"pyproject.toml": "a = " + "[" * 5000}, spec_naming("pyproject.toml"))
    assert "nested" in error.message


def test_setup_py_is_read_and_never_run() -> None:
    text = """
import os
os.system("touch /tmp/never")
raise SystemExit(1)
BASE = ["numpy>=1.18"]
setup(name="x", python_requires=">=3.7", install_requires=BASE + ["torch>=1.7", "tqdm"], extras_require={"dev": ["pytest"]})
"""
    project = read("setup.py", text)
    assert asked(project) == (">=3.7", ">=1.7", None)
    assert texts(project.pip) == ["numpy>=1.18", "tqdm"]


def test_requirements_that_setup_py_computes_are_left_to_others() -> None:
    assert read("setup.py", "setup(install_requires=open('requirements.txt').read().split())").pip == ()
    assert read("setup.py", "X = X\nsetup(install_requires=X)").pip == ()
    assert "not Python 3" in notes_of(read("setup.py", "print 'x'"))


def test_setup_cfg_is_read() -> None:
    project = read("setup.cfg", "[options]\npython_requires = >=3.8\ninstall_requires =\n    torch>=1.8\n    # no\n    numpy\n")
    assert asked(project) == (">=3.8", ">=1.8", None)
    assert texts(project.pip) == ["numpy"]


def test_a_pipfile_is_read() -> None:
    text = """
[[source]]
url = "https://download.pytorch.org/whl/cu118"
[packages]
torch = "==2.0.1"
transformers = { version = ">=4.30", extras = ["torch"] }
clip = { git = "https://github.com/openai/CLIP.git", ref = "main" }
here = { path = "." }
[dev-packages]
pytest = "*"
[requires]
python_version = "3.10"
"""
    project = read("Pipfile", text)
    assert asked(project) == ("3.10", "==2.0.1", "cu118")
    assert texts(project.pip) == ["transformers[torch]>=4.30", "clip @ git+https://github.com/openai/CLIP.git@main"]
    assert texts(project.local_paths) == ["."]


LOCK = """\
version: 1
metadata:
  platforms: [linux-64, osx-arm64]
package:
- name: pytorch
  version: 2.0.1
  manager: conda
  platform: linux-64
  url: https://conda.anaconda.org/pytorch/linux-64/pytorch-2.0.1-py3.10_cuda11.8_cudnn8.7.0_0.tar.bz2
  category: main
- name: numpy
  version: 1.24.1
  manager: conda
  platform: osx-arm64
  category: main
- name: einops
  version: '0.6'
  manager: pip
  platform: linux-64
  category: main
- name: pytest
  version: '7'
  manager: pip
  platform: linux-64
  category: dev
"""


def test_a_conda_lock_gives_its_linux_part() -> None:
    project = project_of({"conda-lock.yml": LOCK}, spec_naming(environment="conda-lock.yml"))
    assert asked(project)[1] == "2.0.1"
    assert project.cuda is not None
    assert str(project.cuda.value) == "11.8"
    assert texts(project.pip) == ["einops==0.6"]
    assert project.conda == ()


def test_a_conda_lock_without_linux_says_so() -> None:
    project = project_of({"l.yml": LOCK.replace("linux-64", "osx-64")}, spec_naming(environment="l.yml"))
    assert "nothing in it is for linux-64" in notes_of(project)


def test_an_address_of_a_mirror_becomes_the_channel_it_mirrors() -> None:
    text = "dependencies: [numpy]\nchannels:\n- http://mirrors.cloud.tencent.com/anaconda/cloud/pytorch/\n- https://m.org/anaconda/pkgs/main/\n"
    project = project_of({"environment.yml": text})
    assert texts(project.channels) == ["pytorch", "defaults"]
    assert "mirror" in notes_of(project)


def test_a_conda_lock_may_be_larger_than_what_people_write() -> None:
    entry = "- name: p{}\n  version: '1.0'\n  manager: conda\n  platform: osx-64\n  category: main\n  url: https://x.org/{}\n"
    text = LOCK + "".join(entry.format(number, "y" * 200) for number in range(4500))
    assert len(text) > 1 << 20
    project = project_of({"conda-lock.yml": text}, spec_naming(environment="conda-lock.yml"))
    assert texts(project.pip) == ["einops==0.6"]
