"""The probes run under the image's Python, whichever it is, with nothing installed but torch."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

import pytest

from builder.assets import probe_sources

SOURCES = probe_sources()
OWN = {name.removesuffix(".py") for name in SOURCES}
GUESTS = {"torch", "numpy"}  # the environment's own; imported inside the checks that ask about them

# The same list as in an old Python's documentation: what these files use has to be in Python 3.6's library.
SINCE_3_7 = {"dataclasses", "contextvars", "importlib.resources", "graphlib", "zoneinfo", "tomllib"}


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            yield node.module or ""


def test_the_runner_and_its_checks_travel_as_one_flat_folder():
    assert "run.py" in SOURCES
    assert len(SOURCES) > 5


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_a_probe_is_python_3_6(name: str):
    tree = ast.parse(SOURCES[name], name, feature_version=(3, 6))
    for node in ast.walk(tree):
        assert not isinstance(node, ast.NamedExpr | ast.Match)
        if isinstance(node, ast.arguments):
            assert not node.posonlyargs
        if isinstance(node, ast.ImportFrom):
            assert node.module != "__future__"
        if isinstance(node, ast.Call):
            used = {keyword.arg for keyword in node.keywords}
            assert not used & {"capture_output", "text", "strict", "missing_ok", "dirs_exist_ok"}
        if isinstance(node, ast.Attribute):
            assert node.attr not in {"removeprefix", "removesuffix", "fromisoformat", "monotonic_ns", "shlex_join", "isascii"}


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_a_probe_imports_the_standard_library_and_the_probes_only(name: str):
    for module in imported(ast.parse(SOURCES[name])):
        top = module.split(".")[0]
        assert top in OWN | GUESTS or top in sys.stdlib_module_names, module
        assert module not in SINCE_3_7


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_torch_is_imported_inside_checks_only(name: str):
    at_the_top = [node for node in ast.parse(SOURCES[name]).body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert not {module.split(".")[0] for node in at_the_top for module in imported(node)} & GUESTS
