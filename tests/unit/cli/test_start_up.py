"""What `wsb --help` and `wsb plan` import: by name, so that a heavy import fails here and not on somebody's clock."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ASK = """
import sys
before = set(sys.modules)
from builder.cli.main import run
try:
    run(sys.argv[1:])
except SystemExit:
    pass
import json
modules = set(sys.modules) - before
classes = [thing for name in modules if name.startswith("builder.") for thing in vars(sys.modules[name]).values()]
written = {f"{cls.__module__}.{cls.__name__}" for cls in classes if isinstance(cls, type)
           and getattr(getattr(cls.__init__, "__code__", None), "co_filename", "") == "<string>"}
print(json.dumps({"modules": sorted(modules), "written": sorted(written)}), file=sys.stderr)
"""

# Each costs more than 2 ms, or brings what does.
HEAVY = frozenset(
    {"asyncio", "concurrent.futures", "ctypes.util", "email", "http.client", "http.server", "importlib.metadata"}
    | {"importlib.resources", "multiprocessing", "sqlite3", "ssl", "tomllib", "unittest", "urllib.request", "xml", "zipfile"}
    | {"csv", "getpass", "logging", "pdb", "pydoc", "random", "socket", "subprocess", "sysconfig", "tarfile"}
    | {"tempfile", "typing_extensions"}
)
# what a plan needs of `packaging`: versions and their comparison. The grammar of requirements brings logging and subprocess.
GRAMMAR = frozenset({"packaging.markers", "packaging.requirements", "packaging.tags", "packaging.utils", "packaging._parser"})


def imported(*words: str, directory: Path = ROOT) -> set[str]:
    """Modules that a command line imports beyond a bare Python."""
    return set(brought(*words, directory=directory)["modules"])


def brought(*words: str, directory: Path = ROOT) -> dict[str, list[str]]:
    """The same, and "written": classes of wsb whose methods dataclasses wrote as text and compiled, 0.9 ms each."""
    done = subprocess.run(
        [sys.executable, "-c", ASK, *words],
        cwd=directory,
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": "/nonexistent"},
    )
    found: dict[str, list[str]] = json.loads(done.stderr.splitlines()[-1])
    return found


def packages(modules: set[str]) -> set[str]:
    """Their distributions' packages, without the standard library and what Cython leaves there for libyaml's sake."""
    found = {name.partition(".")[0] for name in modules} - sys.stdlib_module_names
    return {name for name in found if "cython" not in name}


def test_help_imports_nothing_but_click_and_the_list_of_verbs() -> None:
    modules = imported("--help")
    assert packages(modules) == {"click", "builder"}
    assert {name for name in modules if name.startswith("builder")} == {"builder", "builder.cli", "builder.cli.main"}
    assert modules & HEAVY == set()


@pytest.mark.parametrize("verb", ["plan", "explain"])
def test_a_plan_needs_yaml_and_packaging_and_no_engine(verb: str) -> None:
    modules = imported("-C", "examples/digits", verb)
    assert packages(modules) <= {"click", "builder", "yaml", "_yaml", "packaging", "pynvml"}
    assert modules & (HEAVY | GRAMMAR | {"shutil"}) == set()
    assert {name for name in modules if name.startswith("builder.scan.conda_lock")} == set()
    rooms = {".".join(name.split(".")[:2]) for name in modules if name.startswith("builder.")}
    assert rooms & {"builder.verify", "builder.launch", "builder.doctor", "builder.making"} == set()
    assert {name for name in modules if name.startswith("builder.engine")} <= {"builder.engine", "builder.engine.base"}


def test_the_classes_of_a_plan_are_made_by_frozen_and_not_by_compiling_text() -> None:
    written = brought("-C", "examples/digits", "plan")["written"]
    errors = {"builder.errors.Problems", "builder.errors.WsbError", "builder.resolve.base.NoCompiler"}  # the last inherits
    assert set(written) == errors | {"builder.config.nodes._Open", "builder.resolve.packages.Basket"}


def test_requirements_with_markers_bring_the_grammar_and_plain_ones_do_not(tmp_path: Path) -> None:
    (tmp_path / "wsb.yaml").write_text("name: plain\nrequirements: [requirements.txt]\n")
    for text, needs in (("einops>=0.8,<1\nnumpy == 1.26.*\n", False), ('einops ; sys_platform == "linux"\n', True)):
        (tmp_path / "requirements.txt").write_text(text)
        assert ("packaging.requirements" in imported("-C", str(tmp_path), "plan")) is needs
