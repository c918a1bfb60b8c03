"""The project's own code: its imports, its files, and which of Python's own modules it uses. Read, never run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from builder.catalog.catalog import Catalog
from builder.folder import Folder
from builder.model.frozen import frozen
from builder.packages.declared import Declared
from builder.scan.imports import Imports, is_source, read_imports
from builder.scan.standard_library import is_standard


@frozen
class Code:
    """files: all of the project's. imported_standard: names of Python's own modules that a file of the project also has."""

    imports: Imports
    files: tuple[str, ...]
    imported_standard: frozenset[str]
    source_count: int


def read_code(folder: Folder, declared: Iterable[Declared], catalog: Catalog) -> Code:
    """What the code of a folder imports, packages that are declared kept apart from its own modules."""
    sources = folder.texts(is_source)
    names = folder.names()
    known = {name.partition(".")[0] for one in declared for own in one.names for name in catalog.imports_of(own)}
    known |= {own.replace("-", "_") for one in declared for own in one.names}
    return Code(
        imports=read_imports(sources, names, known),
        files=names,
        imported_standard=_standard(sources),
        source_count=len(sources),
    )


def _standard(sources: Mapping[str, str]) -> frozenset[str]:
    """Only looked for where some file has such a name, which is rare."""
    stems = {path.rpartition("/")[2].removesuffix(".py") for path in sources if path.endswith(".py")}
    stems = {stem for stem in stems if is_standard(stem) and stem.isidentifier()}
    if not stems:
        return frozenset()
    pattern = re.compile(rf"^[ \t]*(?:import|from)[ \t]+({'|'.join(sorted(stems))})\b", re.MULTILINE)
    return frozenset(found[1] for text in sources.values() for found in pattern.finditer(text))


def own_module(names: Iterable[str], top: str) -> str:
    """The file or folder of a project that a module's top-level name is, "" when none; the one nearest to the root."""
    found = set()
    for path in names:
        if path.endswith((f"/{top}.py", f"/{top}.so")) or path in (f"{top}.py", f"{top}.so"):
            found.add(path)
        elif path.endswith(".py") and f"/{top}/" in f"/{path}":
            found.add(f"/{path}"[1 : f"/{path}".index(f"/{top}/") + len(top) + 1])
    return min(found, key=lambda path: (path.count("/"), path), default="")
