"""Mutated inputs to every reader of other people's files: none may fail, run anything, or take memory without bound.

`python -m tests.support.fuzz_readers 100000` gives each reader that many, and says what came of it; a name after the number
takes that reader alone. A quick run of the same is part of the tests.
"""

from __future__ import annotations

import difflib  # noqa: F401 - the suggestions of errors load these late
import heapq  # noqa: F401
import random
import resource
import sys
import time
import unicodedata  # noqa: F401
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from builder.errors import WsbError
from builder.model.values import Location
from builder.scan import documents
from builder.scan.command_line import read_script
from builder.scan.conda_list import read_conda_list
from builder.scan.conda_lock import read_conda_lock
from builder.scan.environment import read_environment
from builder.scan.gathering import Gathering
from builder.scan.imports import imports_of
from builder.scan.pyproject import read_pyproject
from builder.scan.requirements import read_requirements
from builder.scan.setup_files import read_pipfile, read_setup_cfg, read_setup_py
from tests.support.fuzz_seeds import SEEDS

MEMORY_LIMIT = 2 << 30  # bytes of address space; a reader that wants more than this has no bound
_FORBIDDEN = frozenset(
    {
        "exec",
        "subprocess.Popen",
        "os.system",
        "os.exec",
        "os.posix_spawn",
        "os.fork",
        "socket.connect",
        "socket.getaddrinfo",
        "open",
        "import",
        "ctypes.dlopen",
        "shutil.rmtree",
        "os.remove",
    }
)

READERS: dict[str, Callable[[str, str], Any]] = {
    "requirements.txt": read_requirements,
    "conda-list.txt": read_conda_list,
    "environment.yml": read_environment,
    "conda-lock.yml": read_conda_lock,
    "pyproject.toml": read_pyproject,
    "pixi.toml": read_pyproject,
    "setup.py": read_setup_py,
    "setup.cfg": read_setup_cfg,
    "Pipfile": read_pipfile,
    "Dockerfile": documents.read_dockerfile,
    "devcontainer.json": documents.read_devcontainer,
    "README.md": documents.read_readme,
    "cog.yaml": documents.read_cog,
    "install.sh": documents.read_shell_script,
    ".python-version": documents.read_python_version,
    "train.py": imports_of,
    "train.ipynb": imports_of,
    "installs.ipynb": documents.read_notebook_installs,
    "commands": lambda text, file: read_script(text, Location(file=file)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one reader. failures: the seed's number and what was raised, at most ten."""

    reader: str
    cases: int
    seconds: float
    failures: tuple[str, ...]
    peak_mib: int


@contextmanager
def watched() -> Iterator[list[str]]:
    """Collects what the interpreter is asked to run, open or load meanwhile."""
    seen: list[str] = []
    is_on = True

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if is_on and event in _FORBIDDEN and arguments[:1] != ("<unknown>",):  # what the parser shows of a wrong line
            seen.append(f"{event} {arguments!r:.200}")

    sys.addaudithook(hook)  # cannot be taken off again, so it is switched off
    try:
        yield seen
    finally:
        is_on = False


def fuzz(reader: str, cases: int) -> Outcome:
    """Runs one reader on mutated seeds, the same ones each time."""
    read, seeds = READERS[reader], SEEDS[reader]
    for seed in seeds:
        _take(read(seed, reader))  # what is imported on first use is imported before anything is watched
    failures: list[str] = []
    start = time.perf_counter()
    with watched() as seen:
        for number in range(cases):
            chance = random.Random(f"{reader}-{number}")
            text = mutated(chance.choice(seeds), chance)
            try:
                _take(read(text, reader))
            except Exception as error:  # any at all is a finding
                failures.append(f"{number}: {error!r:.200}")
            if seen:
                failures.append(f"{number}: {seen.pop()}")
            if len(failures) >= 10:
                break
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    seconds = time.perf_counter() - start
    return Outcome(reader=reader, cases=cases, seconds=seconds, failures=tuple(failures), peak_mib=peak)


def _take(result: Any) -> None:
    """What is read goes on into a Project, as it does in a plan."""
    items = result[0] if result and isinstance(result[0], tuple) else result
    gathering = Gathering()
    for item in items:
        if isinstance(item, WsbError):
            assert item.where is not None
            assert len(item.message) < 2000
        elif hasattr(item, "own_file"):
            continue
        else:
            list(gathering.take(item))
    gathering.project(())


_PIECES = (
    *"\0\n\r\t \\\"'`#$%&*{}[]()<>|;:,=~!?/@-_.+0123456789",
    *(
        "\ufeff",
        "\ufffd",
        "\u2028",
        "\ud800",
        "é",
        "漢",
        "${",
        "$(",
        "[[",
        "]]",
        '"""',
        "'''",
        "==",
        ">=",
        "<<: *a",
        "&a",
        "!!python/object:os.system ",
    ),
    *(
        "__import__('os').system('x')",
        "import torch",
        "pip install torch",
        "-r ../../etc/passwd",
        "FROM ",
        "https://u:p@h/",
        "9" * 400,
        "a" * 5000,
    ),
    *("[" * 300, "(" * 300, "{" * 300, "- " * 300, "\n" * 300, "1e999999", "0x", "None", "null", "true"),
)


def mutated(seed: str, chance: random.Random) -> str:
    """The seed with a few changes: characters and lines lost, doubled, swapped, or something foreign put in."""
    text = seed
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(text) + 1)
        match chance.randrange(8):
            case 0:
                text = text[:place] + text[place + chance.randint(1, 30) :]
            case 1 | 2:
                text = text[:place] + chance.choice(_PIECES) + text[place:]
            case 3:
                lines = text.split("\n")
                lines.insert(chance.randrange(len(lines)), chance.choice(lines))
                text = "\n".join(lines)
            case 4:
                lines = text.split("\n")
                del lines[chance.randrange(len(lines))]
                text = "\n".join(lines)
            case 5:
                end = min(len(text), place + chance.randint(1, 200))
                text = text[:place] + text[place:end] * chance.randint(2, 20) + text[end:]
            case 6:
                text = text[:place] + chr(chance.choice((chance.randrange(128), chance.randrange(0x10000)))) + text[place + 1 :]
            case 7:
                text = text[:place]
    return text[:200_000]


def main(arguments: list[str]) -> int:
    """0 when no reader failed."""
    cases = int(arguments[0]) if arguments else 2000
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    failed = 0
    for reader in arguments[1:] or READERS:
        outcome = fuzz(reader, cases)
        failed += bool(outcome.failures)
        said = "; ".join(outcome.failures) or "no failure"
        print(
            f"{reader:<18} {outcome.cases:>7} inputs {outcome.seconds:7.1f} s  peak {outcome.peak_mib} MiB  {said}", flush=True
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
