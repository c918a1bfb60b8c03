"""Whether something of the project itself must be compiled, and with what: nvcc, or a C compiler alone."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence

from builder.catalog import Catalog
from builder.model.project import Project
from builder.model.values import Located, Location

_CUDA = re.compile(r"\bCUDAExtension\s*\(|\bcuda_extension\b|nvcc", re.IGNORECASE)
_C = re.compile(r"\b(Extension|CppExtension|cythonize|Pybind11Extension|CMakeExtension)\s*\(")


def is_build_script(path: str) -> bool:
    """Whether a file may say what is compiled."""
    name = posixpath.basename(path)
    return name == "setup.py" or name.endswith((".cu", ".pyx"))


def needs_nvcc(
    project: Project,
    others: Sequence[Project],
    submodules: Sequence[Located[str]],
    scripts: Mapping[str, str],
    catalog: Catalog,
) -> Located[str] | None:
    """What has to be compiled with nvcc, in words; None when nothing does.

    others: what documents say: a README installs folders too. scripts: path → text of is_build_script files.
    """
    folders = [one for each in (project, *others) for one in each.local_paths]
    for one in (*folders, *submodules):
        row = catalog.package(_last_part(one.value)) if _last_part(one.value) not in ("", ".") else None
        if row is not None and row.get("compiles") == "install":
            return Located(f"{one.value} is compiled with nvcc", one.where)
    for note in project.notes:
        if "named for the build only; " in note.value:
            return Located("torch is needed to build the project, as an extension of it is", note.where)
    for one in project.pip:
        if re.fullmatch(r"ninja\b[^@]*", one.value) and not one.where.file.endswith((".toml", ".yml", ".yaml")):
            return Located("ninja is asked for, which builds extensions of torch", one.where)
    for path in sorted(scripts, key=lambda path: (path.count("/"), path)):
        if path.endswith("setup.py") and (found := _CUDA.search(scripts[path])):
            line = scripts[path].count("\n", 0, found.start()) + 1
            return Located(f"{path} compiles CUDA code", Location(file=path, line=line))
    return None


def _last_part(path: str) -> str:
    return posixpath.basename(path.split("[")[0].rstrip("/").removesuffix(".git"))


def submodules_of(text: str, file: str = ".gitmodules") -> tuple[Located[str], ...]:
    """The repositories that a .gitmodules brings in: in a plain copy their folders are empty."""
    found = []
    for number, line in enumerate(text.splitlines()[:2000], 1):
        told = re.fullmatch(r"\s*(?:url|path)\s*=\s*(\S+)\s*", line)
        if told:
            found.append(Located(told[1], Location(file=file, line=number)))
    return tuple(found)


def needs_c_compiler(
    project: Project, submodules: Sequence[Located[str]], scripts: Mapping[str, str], catalog: Catalog
) -> Located[str] | None:
    """What has to be compiled with a C compiler."""
    for one in submodules:
        needs = catalog.apt_needs(_last_part(one.value))
        if needs is not None and "build-essential" in needs["apt"]:
            return Located(f"{one.value} is compiled", one.where)
    for one in project.pip:
        if re.fullmatch(r"cython\b[^@]*", one.value, re.IGNORECASE) and one.where.file.endswith((".txt", ".in")):
            return Located("Cython is asked for, which compiles to C", one.where)
    for note in project.notes:
        if "named for the build only, beside Cython" in note.value:
            return Located("Cython is needed to build the project", note.where)
    for path in sorted(scripts, key=lambda path: (path.count("/"), path)):
        if path.endswith("setup.py") and (found := _C.search(scripts[path])):
            line = scripts[path].count("\n", 0, found.start()) + 1
            return Located(f"{path} compiles an extension", Location(file=path, line=line))
        if path.endswith(".pyx"):
            return Located(f"{path} is Cython, which is compiled", Location(file=path))
    return None


def wanted_scripts(names: Iterable[str]) -> list[str]:
    """The build scripts of a project, nearest first, not endlessly many."""
    return sorted((name for name in names if is_build_script(name)), key=lambda name: (name.count("/"), name))[:200]
