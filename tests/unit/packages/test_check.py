"""Imports held against declared and installed packages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from builder.config import read_spec
from builder.model.report import Severity
from builder.packages.check import check
from builder.packages.declared import read_local
from builder.scan.project import read_project
from tests.unit.packages.checking import TORCH, checked, distribution, found, image

PIP = "packages: {{pip: [{}]}}"


def pip(*items: str) -> str:
    return PIP.format(", ".join(f'"{item}"' for item in items))


# --- missing ---


@pytest.mark.parametrize(
    ("code", "name", "command"),
    [
        ("import cv2", "cv2", "wsb add opencv-python-headless"),
        ("from PIL import Image", "PIL", "wsb add pillow"),
        ("import einops", "einops", "wsb add einops"),
        ("import sklearn.metrics", "sklearn", "wsb add scikit-learn"),
        ("import clip", "clip", 'wsb add "clip @ git+https://github.com/openai/CLIP.git"'),
        ("import google.protobuf.text_format", "google.protobuf", "wsb add protobuf"),
        ("import google.cloud.storage", "google.cloud.storage", "wsb add google-cloud-storage"),
    ],
)
def test_a_missing_import_comes_with_its_place_and_the_command(code: str, name: str, command: str) -> None:
    for installed in (None, image()):
        finding = found(f"\n{code}\n", installed=installed)["missing", name]
        assert finding.severity is Severity.ERROR
        assert str(finding.where[0]) == "main.py:2:1"
        assert finding.remedy == command


@pytest.mark.parametrize("declared", ["opencv-python-headless", "opencv-contrib-python-headless>=4"])
def test_any_distribution_that_brings_the_import_will_do(declared: str) -> None:
    assert found("import cv2", pip(declared)) == {}


@pytest.mark.parametrize(
    ("code", "declared"),
    [
        ("import pytorch_lightning", "lightning"),
        ("import dateutil", "python-dateutil"),
        ("import faiss", "faiss-gpu-cu12"),
        ("import foo_bar", "Foo.Bar"),
        ("import frobnicate", "python-frobnicate"),
        ("import clip", "clip @ git+https://github.com/openai/CLIP.git"),
        ("import clip", "git+https://github.com/openai/CLIP.git"),
    ],
)
def test_a_declared_package_is_known_by_what_it_brings(code: str, declared: str) -> None:
    assert found(code, pip(declared)) == {}


def test_a_conda_package_brings_what_its_other_name_does() -> None:
    assert found("import cv2, torch_geometric", "packages: {conda: [opencv, pyg]}") == {}


def test_torch_need_not_be_declared_but_must_not_be_none() -> None:
    assert found("import torch") == {}
    assert ("missing", "torch") in found("import torch", "torch: none")


def test_an_optional_import_is_only_a_note() -> None:
    code = "try:\n    import apex\nexcept ImportError:\n    apex = None\n"
    assert found(code)["missing", "apex"].severity is Severity.INFO


def test_an_import_of_tests_alone_is_only_a_note() -> None:
    assert found("", tests__test_x_py="import responses")["missing", "responses"].severity is Severity.INFO


def test_a_declared_package_that_the_image_lacks_needs_a_build() -> None:
    finding = found("import einops", pip("einops"), image())["missing", "einops"]
    assert finding.remedy == "wsb build"
    assert "built without it" in finding.message


def test_what_another_package_brings_is_there_but_not_declared() -> None:
    installed = image(distribution("pandas", requires=["numpy>=1.26", "odd; extra == 'all'"]), distribution("numpy"))
    finding = found("import numpy, pandas", pip("pandas"), installed)["undeclared", "numpy"]
    assert finding.severity is Severity.INFO
    assert "because pandas needs numpy" in finding.message
    assert finding.remedy == "wsb add numpy"


def test_parts_of_a_namespace_are_told_apart() -> None:
    installed = image(distribution("protobuf", provides=["google.protobuf"]))
    findings = found("import google.protobuf\nimport google.cloud.storage\n", pip("protobuf"), installed)
    assert list(findings) == [("missing", "google.cloud.storage")]


def test_without_an_image_what_torchs_companion_brings_is_taken_as_there() -> None:
    assert found("import numpy, PIL", requirements_txt="torchvision\n", packages="requirements: [requirements.txt]") == {}


def test_what_the_project_asks_for_by_its_own_pyproject_is_declared() -> None:
    files = {
        "pyproject.toml": '[project]\nname = "m"\ndependencies = ["einops>=0.6", "pyyaml"]\n',
        "libs/x/setup.py": "from setuptools import setup\nsetup(name='x', install_requires=['tqdm'])\n",
    }
    spec = read_spec("name: m\nrequirements: [requirements.txt]\npackages: {pip: [./libs/x]}\n", "wsb.yaml")
    held = {**files, "requirements.txt": "-e .[dev]\n"}
    project = read_project(lambda path: held[path].encode() if path in held else None, spec)
    found = read_local(spec, project, lambda path: held[path].encode() if path in held else None)
    assert {one.name: str(one.where.file) for one in found} == {
        "einops": "pyproject.toml",
        "pyyaml": "pyproject.toml",
        "tqdm": "libs/x/setup.py",
    }


def test_what_a_cuda_build_of_torch_brings_is_not_to_be_added() -> None:
    assert found("import triton, pkg_resources, setuptools") == {}
    finding = found("import triton", installed=image())["missing", "triton"]
    assert finding.remedy == ""
    assert "torch's CUDA builds bring it" in finding.message


def test_without_an_image_a_conda_package_is_only_unused_when_it_is_known_as_pythons() -> None:
    findings = found("import torch", "packages: {conda: [cuda-nvcc, opencv, zlib]}")
    assert list(findings) == [("unused", "opencv")]


def test_a_part_of_a_declared_name_is_taken_as_meant_until_an_image_knows_better() -> None:
    assert found("import frobnicate", pip("scikit-frobnicate")) == {}
    assert ("missing", "frobnicate") in found("import frobnicate", pip("scikit-frobnicate"), image())
    assert ("missing", "abc_") in found("import abc_", pip("scikit-abc"))


def test_what_only_a_hosted_notebook_has_is_a_note() -> None:
    assert found("from google.colab import drive")["missing", "google.colab"].severity is Severity.INFO


def test_a_list_of_everything_is_one_note() -> None:
    text = "".join(f"package{number}\n" for number in range(40))
    findings = found("import torch", "requirements: [requirements.txt]", requirements_txt=text)
    assert list(findings) == [("unused", "requirements.txt")]
    assert len(findings["unused", "requirements.txt"].where) == 40


def test_a_package_for_gpus_is_not_suggested_where_the_plan_is_for_cpu() -> None:
    given = checked("import onnxruntime")
    assert check(given)[0].remedy == "wsb add onnxruntime-gpu"
    on_cpu = replace(given, document={**given.document, "torch": {**TORCH, "variant": "cpu"}})
    assert check(on_cpu)[0].remedy == "wsb add onnxruntime"


# --- misnamed ---


@pytest.mark.parametrize(
    ("item", "code", "right", "severity"),
    [
        ("docx", "import docx", "python-docx", Severity.ERROR),
        ("docx", "", "python-docx", Severity.WARNING),
        ("sklearn", "import sklearn", "scikit-learn", Severity.WARNING),
        ("PIL", "import PIL", "pillow", Severity.ERROR),
        ("cv2", "import cv2", "opencv-python-headless", Severity.ERROR),
        ("clip", "import clip", "clip @ git+https://github.com/openai/CLIP.git", Severity.ERROR),
        ("opencv-python>=4", "import cv2", "opencv-python-headless>=4", Severity.INFO),
    ],
)
def test_a_wrong_name_is_told_and_mended(item: str, code: str, right: str, severity: Severity) -> None:
    finding = next(one for one in found(code, pip(item)).values() if one.id == "misnamed")
    assert finding.severity is severity
    assert finding.edits[0].item == item
    assert finding.edits[0].new == right
    assert finding.remedy == "wsb check --fix"


def test_a_wrong_name_in_a_file_of_the_project_is_mended_there() -> None:
    findings = found("import docx", "requirements: [requirements.txt]", requirements_txt="docx==0.2.4\n")
    finding = findings["misnamed", "docx"]
    assert finding.edits == ()
    assert finding.remedy == "in requirements.txt:1:1, write python-docx instead of docx==0.2.4"
    assert ("missing", "docx") in findings


@pytest.mark.parametrize("item", ["onnxruntime", "psycopg2", "tables", "bio", "pynvml"])
def test_a_package_that_really_has_that_name_is_left_alone(item: str) -> None:
    assert all(one.id != "misnamed" for one in found(f"import {item}", pip(item)).values())


# --- hidden, twice, contradicting ---


def test_a_file_of_the_projects_own_hides_a_package() -> None:
    finding = found("import yaml", pip("pyyaml"), yaml_py="")["shadowed", "yaml"]
    assert finding.severity is Severity.ERROR
    assert finding.remedy == "rename yaml.py"
    assert found("import torch", torch_py="")["shadowed", "torch"].severity is Severity.ERROR


def test_a_project_that_is_the_package_hides_nothing() -> None:
    assert found("import clip", clip__model_py="") == {}


def test_a_file_does_not_hide_a_package_that_is_only_called_alike() -> None:
    assert ("shadowed", "utils") not in found("import utils", pip("python-utils"), utils_py="")


def test_a_file_that_has_the_name_of_pythons_own_module_is_told() -> None:
    assert ("shadowed", "random") in found("import random", random_py="")
    assert found("import random", **{"lib/random.py": "", "lib/__init__.py": ""}) == {}
    assert found("", random_py="") == {}


def test_two_distributions_of_one_import() -> None:
    packages = "packages: {pip: [opencv-python-headless]}\nrequirements: [requirements.txt]"
    finding = found("import cv2", packages, requirements_txt="opencv-python\n")["two-distributions", "cv2"]
    assert finding.remedy == "wsb remove opencv-python-headless"
    assert "opencv-python-headless and opencv-python both bring cv2" in finding.message
    installed = image(distribution("opencv-python", provides=["cv2"]), distribution("opencv-python-headless", provides=["cv2"]))
    assert ("two-distributions", "cv2") in found("import cv2", pip("opencv-python", "opencv-python-headless"), installed)


def test_requirements_that_the_plan_does_not_keep() -> None:
    text = "torch==1.10.0+cu113\neinops==0.6\n"
    findings = found(
        "import torch, einops",
        "requirements: [requirements.txt]",
        image(distribution("einops", "0.8.0")),
        requirements_txt=text,
    )
    torch, einops = findings["contradicts", "torch"], findings["contradicts", "einops"]
    assert torch.message.startswith("requirements.txt:1:1 asks for torch ==1.10.0+cu113, the plan has 2.13.0")
    assert einops.message == "requirements.txt:2:1 asks for einops==0.6, installed is 0.8.0"


def test_what_is_installed_contradicts_itself() -> None:
    installed = image(distribution("a", requires=["b>=2", "c; sys_platform == 'win32'", "d"]), distribution("b", "1.5"))
    messages = [one.message for one in check(checked("import a, b", pip("a", "b"), installed)) if one.id == "conflict"]
    assert messages == ["a 1.0 needs b>=2, installed is 1.5", "a 1.0 needs d, which is not installed"]


# --- unused ---


def test_a_package_that_nothing_imports_is_a_note() -> None:
    finding = found("import torch", pip("tqdm"))["unused", "tqdm"]
    assert finding.severity is Severity.INFO
    assert finding.remedy == "wsb remove tqdm"


@pytest.mark.parametrize("item", ["pytest", "tensorboard", "ipykernel", "types-requests", "ninja"])
def test_tools_are_not_called_unused(item: str) -> None:
    assert found("import torch", pip(item)) == {}


def test_what_brings_commands_or_is_needed_by_others_is_used() -> None:
    installed = image(distribution("streamlit", has_commands=True, requires=["dep"]), distribution("dep"))
    assert found("import torch", pip("streamlit", "dep"), installed) == {}


def test_without_any_code_nothing_is_called_unused() -> None:
    assert found("", pip("tqdm")) == {}


def test_findings_come_worst_first() -> None:
    kinds = [one.severity for one in check(checked("import einops, docx, cv2", pip("docx", "opencv-python", "tqdm")))]
    assert kinds == sorted(kinds, key=[Severity.ERROR, Severity.WARNING, Severity.INFO].index)
