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
print(json.dumps(sorted(set(sys.modules) - before)), file=sys.stderr)
"""

# Each costs more than 5 ms, or brings what does.
HEAVY = frozenset(
    {"asyncio", "concurrent.futures", "ctypes.util", "email", "http.client", "http.server", "importlib.metadata"}
    | {"importlib.resources", "multiprocessing", "sqlite3", "ssl", "tomllib", "unittest", "urllib.request", "xml", "zipfile"}
)


def imported(*words: str, directory: Path = ROOT) -> set[str]:
    """Modules that a command line imports beyond a bare Python."""
    done = subprocess.run(
        [sys.executable, "-c", ASK, *words],
        cwd=directory,
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": "/nonexistent"},
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


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
    assert modules & HEAVY == set()
    rooms = {".".join(name.split(".")[:2]) for name in modules if name.startswith("builder.")}
    assert rooms & {"builder.verify", "builder.launch", "builder.doctor", "builder.making"} == set()
    assert {name for name in modules if name.startswith("builder.engine")} <= {"builder.engine", "builder.engine.base"}
