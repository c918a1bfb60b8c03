"""What a project asks for, each with the place it was written: wsb.yaml and the files it leads to, read as one list."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from typing import Literal

from builder.catalog.catalog import Catalog
from builder.catalog.imports import normal
from builder.config.text import decode_loosely
from builder.model.frozen import frozen
from builder.model.project import Project
from builder.model.spec import Spec
from builder.model.values import Located, Location, VersionRequest
from builder.resolve.lines import conda_line, pip_line
from builder.scan.items import Item, PipItem
from builder.scan.pyproject import read_pyproject
from builder.scan.setup_files import read_setup_cfg, read_setup_py

Kind = Literal["pip", "conda", "apt", "torch"]
TORCH = ("torch", "torchvision", "torchaudio")


@frozen
class Declared:
    """One package asked for. name: normalised. text: as written. names: all that it may be called on an index.

    is_own: written in wsb.yaml's packages, so wsb can change it.
    """

    name: str
    text: str
    where: Location
    kind: Kind
    names: tuple[str, ...]
    asks: str = ""
    url: str | None = None
    is_own: bool = False


def read_declared(spec: Spec, project: Project, catalog: Catalog) -> tuple[Declared, ...]:
    """Everything asked for: wsb.yaml's own first, then the project's files in their order."""
    own = [_pip(one, is_own=True) for one in spec.packages.pip]
    own += [_conda(one, catalog, is_own=True) for one in spec.packages.conda]
    own += [_apt(one) for one in spec.packages.apt]
    others = [_pip(one) for one in project.pip] + [_conda(one, catalog) for one in project.conda]
    return (*own, *_torch(spec, project), *_python(project), *others)


def read_local(spec: Spec, project: Project, read: Callable[[str], bytes | None]) -> tuple[Declared, ...]:
    """What folders of the project that are installed themselves ("-e .") ask for by their own files, and their own names.

    read: path relative to the project → bytes, None when there is no such file.
    """
    folders = [one.value for one in project.local_paths]
    folders += [one.value for one in spec.packages.pip if pip_line(one.value).url and one.value.startswith(".")]
    found: dict[str, Declared] = {}
    for written in folders:
        folder = posixpath.normpath(written.partition("[")[0])
        for name, reader in _READERS.items():
            path = posixpath.normpath(posixpath.join(folder, name))
            content = read(path)
            if content is None:
                continue
            for item in reader(decode_loosely(content, path)[0], path):
                if isinstance(item, PipItem) and item.name:
                    line = Located(item.text, item.where)
                    found.setdefault(item.name, _pip(line))
    return tuple(found.values())


_READERS: Mapping[str, Callable[[str, str], tuple[Item, ...]]] = {
    "pyproject.toml": read_pyproject,
    "setup.cfg": read_setup_cfg,
    "setup.py": read_setup_py,
}


def _pip(one: Located[str], *, is_own: bool = False) -> Declared:
    line = pip_line(one.value)
    return Declared(
        name=line.name,
        text=one.value,
        where=one.where,
        kind="pip",
        names=(line.name,),
        asks=line.asks,
        url=line.url,
        is_own=is_own,
    )


def _conda(one: Located[str], catalog: Catalog, *, is_own: bool = False) -> Declared:
    """A conda package may be called otherwise on the index: pyg is torch-geometric."""
    line = conda_line(one.value)
    row = catalog.conda_name(line.name)
    elsewhere = normal(row["pip"]) if row is not None and "pip" in row else ""
    names = tuple(name for name in dict.fromkeys((normal(line.name), elsewhere)) if name)
    return Declared(
        name=normal(line.name),
        text=one.value,
        where=one.where,
        kind="conda",
        names=names,
        asks=line.asks,
        is_own=is_own,
    )


def _apt(one: Located[str]) -> Declared:
    name = re.split(r"[=:]", one.value)[0]
    return Declared(name=name, text=one.value, where=one.where, kind="apt", names=(name,), is_own=True)


def _torch(spec: Spec, project: Project) -> list[Declared]:
    """torch is there without being asked for; its companions when the project's files name them."""
    if spec.torch is not None and spec.torch.value.version is None:
        return []
    requests: dict[str, Located[VersionRequest] | None] = {
        "torch": project.torch,
        "torchvision": project.torchvision,
        "torchaudio": project.torchaudio,
    }
    found = []
    for name, request in requests.items():
        where = request.where if request else spec.torch.where if name == "torch" and spec.torch else spec.where
        if name == "torch" or request is not None:
            text = name if request is None or request.value.is_any else f"{name} {request.value}"
            found.append(Declared(name=name, text=text, where=where, kind="torch", names=(name,)))
    return found


def _python(project: Project) -> list[Declared]:
    """The Python that the project's files ask for, which wsb.yaml may overrule."""
    asked = project.python
    if asked is None or asked.value.is_any:
        return []
    return [Declared(name="python", text=f"python {asked.value}", where=asked.where, kind="torch", names=("python",))]
