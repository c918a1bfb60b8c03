"""Which packages a project's code needs, read by ast."""

from __future__ import annotations

import json

from builder.scan.imports import Import, imports_of, read_imports


def needed(code: str, path: str = "train.py", **others: str) -> list[str]:
    return [one.name for one in read_imports({path: code, **others}).needed]


def only(code: str) -> Import:
    (one,) = read_imports({"train.py": code}).needed
    return one


def test_an_import_has_its_dotted_name_and_its_place() -> None:
    (one,) = read_imports({"a/train.py": "import os\n\nif True:\n    from google.protobuf import message\n"}).needed
    assert (one.name, one.top, str(one.where)) == ("google.protobuf", "google", "a/train.py:4:5")


def test_the_standard_library_of_any_python_is_left_out() -> None:
    assert needed(
        "import os, sys, asyncio.tasks\nimport distutils.core, imp, cPickle, urllib2\nimport tomllib\nimport torch\n"
    ) == ["torch"]


def test_relative_imports_are_the_projects_own() -> None:
    assert needed("from . import model\nfrom .utils import x\nfrom ..a.b import c\nimport yaml\n") == ["yaml"]


def test_files_beside_the_script_are_its_own_modules() -> None:
    found = read_imports(
        {"tools/train.py": "import model\nimport lib.nets\nimport yaml", "tools/model.py": "", "tools/lib/nets.py": ""}
    )
    assert [one.name for one in found.needed] == ["yaml"]
    assert {one.name: one.own_file for one in found.own} == {"model": "tools/model.py", "lib.nets": "tools/lib"}


def test_a_package_under_src_is_the_projects_own() -> None:
    found = read_imports({"scripts/run.py": "import mnist.data", "src/mnist/data.py": ""})
    assert found.needed == ()


def test_a_file_that_hides_a_package_is_named() -> None:
    (one,) = read_imports({"train.py": "import yaml", "yaml.py": ""}).own
    assert (one.name, one.own_file) == ("yaml", "yaml.py")


def test_a_far_folder_answers_an_import_only_while_no_known_package_has_its_name() -> None:
    sources = {"train.py": "from datasets import load_dataset\nimport helpers", "a/b/datasets/x.py": "", "a/b/helpers.py": ""}
    assert [one.name for one in read_imports(sources).needed] == []
    assert [one.name for one in read_imports(sources, known={"datasets"}).needed] == ["datasets"]


def test_what_setup_py_compiles_is_the_projects_own() -> None:
    setup = "setup(ext_modules=[CUDAExtension('MultiScaleDeformableAttention', sources)])"
    assert needed("import MultiScaleDeformableAttention as MSDA", **{"ops/setup.py": setup}) == []


def test_an_import_the_code_can_do_without_is_optional() -> None:
    for code in (
        "try:\n    import apex\nexcept ImportError:\n    apex = None",
        "try:\n    import apex\nexcept (ModuleNotFoundError, OSError):\n    pass",
        "try:\n    import x1\nexcept:\n    pass".replace("x1", "apex"),
        "if TYPE_CHECKING:\n    import apex",
        "if sys.platform == 'win32':\n    import apex",
        "if sys.version_info < (3, 8):\n    import apex\n",
        "if is_apex_available():\n    import apex",
    ):
        assert only(code).is_optional, code


def test_an_import_in_a_function_or_beside_another_error_is_needed() -> None:
    assert not only("def main():\n    import wandb").is_optional
    assert not only("try:\n    import wandb\nexcept ValueError:\n    pass").is_optional
    assert not only("try:\n    pass\nexcept ImportError:\n    pass\nelse:\n    import wandb").is_optional


def test_both_ways_of_a_choice_are_optional() -> None:
    found = read_imports({"a.py": "try:\n    import ujson\nexcept ImportError:\n    import simplejson"}).needed
    assert [(one.name, one.is_optional) for one in found] == [("ujson", True), ("simplejson", True)]


def test_imports_by_call_are_seen_when_the_name_is_written_out() -> None:
    assert needed(
        "import importlib\nm = importlib.import_module('einops.layers')\n__import__('lpips')\nimport_module(name)"
    ) == [
        "einops.layers",
        "lpips",
    ]


def test_python_2_is_read_line_by_line() -> None:
    found = read_imports({"old.py": '"""\nimport no\n"""\nprint "x"\nimport torch, cv2 as cv\nfrom PIL import Image\n'})
    assert [(one.name, one.where.line) for one in found.needed] == [("torch", 5), ("cv2", 5), ("PIL", 6)]
    assert found.unparsed == ("old.py",)


def test_a_huge_source_is_read_line_by_line() -> None:
    found, is_parsed = imports_of("import torch\nx = [\n" + "1,\n" * 300_000 + "]\nimport cv2\n", "a.py")
    assert [one.name for one in found] == ["torch", "cv2"]
    assert not is_parsed


def test_nesting_of_foreign_code_does_no_harm() -> None:
    for code in ("(" * 5000 + ")" * 5000, "-" * 50_000 + "1", "x" + ".a" * 50_000, "1" + "+1" * 50_000, "\0", "import \ud800"):
        imports_of(code, "a.py")


def test_tests_and_build_scripts_are_known_by_their_place() -> None:
    found = read_imports({"tests/test_a.py": "import pytest", "setup.py": "import setuptools", "a/train.py": "import torch"})
    assert {one.name: one.is_in_tests for one in found.needed} == {"pytest": True, "setuptools": True, "torch": False}


# --- notebooks -----------------------------------------------------------------------------------------------------


def notebook(*cells: str, kind: str = "code") -> str:
    return json.dumps(
        {"nbformat": 4, "cells": [{"cell_type": kind, "source": cell.splitlines(keepends=True)} for cell in cells]}
    )


def test_a_notebook_gives_the_imports_of_its_code_cells() -> None:
    text = notebook("import torch\n%matplotlib inline\n!pip install einops\nimport cv2", "df?\nfrom PIL import Image")
    found = read_imports({"a.ipynb": text}).needed
    assert [(one.name, str(one.where)) for one in found] == [
        ("torch", "a.ipynb:cell 1:1:1"),
        ("cv2", "a.ipynb:cell 1:4:1"),
        ("PIL", "a.ipynb:cell 2:2:1"),
    ]


def test_cells_in_other_languages_are_passed_over() -> None:
    assert needed(notebook("%%bash\nimport x", "%%time\nimport torch", "%%html\nimport y"), "a.ipynb") == ["torch"]
    assert needed(notebook("import x", kind="markdown"), "a.ipynb") == []


def test_old_notebooks_have_worksheets() -> None:
    old = json.dumps({"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code", "input": ["import torch"]}]}]})
    assert needed(old, "a.ipynb") == ["torch"]


def test_what_is_no_notebook_has_no_imports() -> None:
    for text in ("", "[" * 100_000, "{", "[]", '{"cells": 5}', '{"cells": [5, {"cell_type": "code", "source": {"a": 1}}]}'):
        assert needed(text, "a.ipynb") == []
