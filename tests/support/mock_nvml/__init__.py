"""A libnvidia-ml.so.1 of our own, built in the test: nvidia-ml-py, wsb and the probes meet any host they are told of.

with the library's folder on LD_LIBRARY_PATH and WSB_MOCK_NVML naming a file that write_host() made,
NVML tells of those cards.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SOURCE = Path(__file__).with_name("nvml.c")
CUDA_SOURCE = SOURCE.with_name("cuda.c")
MISMATCH, NOT_LOADED, LOST, NO_PERMISSION, UNKNOWN = 18, 9, 15, 4, 999


class NoCompiler(RuntimeError):
    """A reason to skip."""


@dataclass(frozen=True, kw_only=True)
class Slice:
    """One MIG instance."""

    name: str
    uuid: str
    memory_mib: int


@dataclass(frozen=True, kw_only=True)
class Card:
    """One GPU as NVML tells it; None and what `errors` names is not told, or fails. errors: function → NVML's code."""

    name: str
    uuid: str
    capability: str = "8.6"
    memory_mib: int = 24576
    used_mib: int = 1
    pci: str | None = None
    busy: int | None = 0
    processes: int | None = 0
    mig_mode: int | None = None
    ecc_mode: int | None = None
    ecc_errors: int | None = None
    persistence: int | None = 1
    compute_mode: int | None = 0
    nvlinks: int | None = None
    slices: Sequence[Slice] = ()
    errors: Mapping[str, int] = field(default_factory=dict)


def build(folder: Path, name: str = "libnvidia-ml.so.1", source: Path = SOURCE) -> Path:
    """The library in this folder, with its file's name as soname, as the real one has. Raises NoCompiler."""
    compiler = next((found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), None)
    if compiler is None:
        raise NoCompiler("needs a C compiler to build the mock NVML: apt-get install gcc libc6-dev")
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / name
    command = [compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Werror", f"-Wl,-soname,{name}", "-o", str(target), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        if "stdio.h" in done.stderr:
            raise NoCompiler("needs the C library's headers to build the mock NVML: apt-get install libc6-dev")
        raise RuntimeError(f"the mock NVML does not compile:\n{done.stderr}")
    return target


def write_host(path: Path, cards: Sequence[Card] = (), *, driver: str = "550.54.15", cuda: int = 12040, init: int = 0) -> Path:
    """The file that the library reads."""
    lines = [f"init {init}", f"driver {driver}", f"cuda {cuda}"]
    for card in cards:
        lines += ["gpu", *_facts(card)]
        for one in card.slices:
            lines += ["mig", f"name {one.name}", f"uuid {one.uuid}", f"memory_mib {one.memory_mib}"]
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def _facts(card: Card) -> list[str]:
    plain = ("name", "uuid", "capability", "memory_mib", "used_mib", "pci", "busy", "processes", "mig_mode", "ecc_mode")
    more = ("ecc_errors", "persistence", "compute_mode", "nvlinks")
    told = [(key, getattr(card, key)) for key in (*plain, *more)]
    facts = [f"{key} {value}" for key, value in told if value is not None]
    return [*facts, *(f"error {function} {code}" for function, code in card.errors.items())]


def environment(library: Path, host_file: Path) -> dict[str, str]:
    """What a process needs in its environment to meet that host."""
    return {"LD_LIBRARY_PATH": str(library.parent), "WSB_MOCK_NVML": str(host_file)}
