"""The word a person types → the package it means, where it is taken from, and why; or why it cannot be meant.

The rule for pip or conda, in its order:
1. `--pip`, `--conda` or `--apt` says it, and so does an address (pip) or `channel::name` (conda).
2. python, torch and CUDA are keys of wsb.yaml, not packages.
3. A library file such as libGL.so.1 is apt's.
4. What is no Python package (ffmpeg, cmake) or exists for conda only (rdkit's tools, blast): conda where the environment is
   made by a conda manager; apt, else refused, where it is made by pip.
5. Everything else: pip, where torch itself comes from, since a conda package could bring a second torch or numpy unseen;
   but conda for what the project has from conda already (adding.py, which knows what is declared).
"""

from __future__ import annotations

import re
from typing import Literal

from packaging.requirements import InvalidRequirement, Requirement

from builder.catalog.catalog import Catalog
from builder.catalog.imports import distribution_name, normal
from builder.catalog.rows import Row
from builder.config.kinds import RefusedError
from builder.config.packages import parse_apt, parse_conda, parse_pip
from builder.config.suggest import as_yaml
from builder.errors import WsbError
from builder.model.frozen import frozen
from builder.model.values import Manager
from builder.packages.libraries import apt_package_of, is_library
from builder.resolve.lines import as_pip, conda_line, pip_line

Kind = Literal["pip", "conda", "apt"]

_WORD = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?P<extras>\[[^\]]*\])?\s*(?P<asks>[=<>!~][^;]*)?(?P<marker>;.*)?")
_SHARED = "{0} is shared by many packages, named like the part that is imported: {1}-…"
_CUDA = re.compile(r"cuda|cudatoolkit|cuda-?toolkit|pytorch-cuda|nvidia-cuda-toolkit|cudnn|nvcc", re.IGNORECASE)


@frozen
class Chosen:
    """kind: the list of packages it belongs to, or "key" for a key of wsb.yaml. item: the line, or the key's value.

    name: normalised. because: why this and from there, "" when it is plainly what was typed.
    """

    kind: Literal["pip", "conda", "apt", "key"]
    name: str
    item: str
    because: str = ""


def choose(catalog: Catalog, manager: Manager, word: str, forced: Kind | None = None) -> Chosen:
    """What a word means. Raises WsbError wrong-name for what is another package, bad-value for what is none."""
    word = word.strip()
    if forced == "apt" or is_library(word):
        return _apt(catalog, word)
    if forced == "conda" or "::" in word:
        return _conda(catalog, manager, word)
    if re.match(r"(git|hg|svn|bzr)\+|https?://|file:|\.{1,2}(/|$)", word) or " @ " in word:
        return Chosen(kind="pip", name=pip_line(word).name, item=_checked(parse_pip, word))
    match = _WORD.fullmatch(word)
    if match is None:
        return Chosen(kind="pip", name=pip_line(word).name, item=_checked(parse_pip, word))
    name, rest = match["name"], f"{match['extras'] or ''}"
    asks = (match["asks"] or "").strip()
    key = _key(name, asks)
    if key is not None:
        return key
    if forced is None and not match["extras"]:
        other = _not_python(catalog, manager, name, asks)
        if other is not None:
            return other
    if catalog.is_managed_by_torch(name):
        raise WsbError(
            "wrong-name",
            f"{name} comes with torch, in the one version that fits it; another would break it",
            hints=(f"`wsb explain torch` shows the build; its CUDA builds bring {name}",),
        )
    line, because = _distribution(catalog, name)
    if "://" in line:
        return Chosen(kind="pip", name=distribution_name(line), item=f"{normal(name)} @ {line}", because=because)
    text = as_pip(f"{line}{rest}", asks) if asks else f"{line}{rest}"
    return Chosen(kind="pip", name=normal(line), item=_checked(parse_pip, text + _marker(match["marker"])), because=because)


def _marker(text: str | None) -> str:
    return f" {text.strip()}" if text else ""


def _distribution(catalog: Catalog, name: str) -> tuple[str, str]:
    """(name or address for pip, why). Raises WsbError wrong-name."""
    trap, row = catalog.import_trap(name), catalog.import_named_like(name)
    if trap is not None and not trap.get("dummy"):
        raise _trapped(trap, row)
    conda = catalog.conda_name(name)
    if row is not None and normal(name) not in catalog.providers(row["import"]):
        return _of_row(row), _reason(row, trap)
    if row is None and conda is not None and "pip" in conda and normal(conda["pip"]) != normal(name):
        return conda["pip"], f"{name} is conda's name; the index calls it {distribution_name(conda['pip'])}"
    known = catalog.package(name)
    if known is not None and "git" in known and known.get("trap"):
        raise _trapped({"name": name, "is": known["trap"]}, row)
    if known is not None and "git" in known:
        return str(known["git"]), f"{name} is on no index; it comes from its repository, and {known['because']}"
    return name, ""


def _of_row(row: Row) -> str:
    """What the row tells to install. Raises WsbError wrong-name where it is nothing that can be named."""
    written = str(row["distribution"])
    if written.startswith("("):
        what = written.strip("()")
        raise WsbError(
            "wrong-name",
            f"{row['import']} is on no index: {what}" + (f" ({row['note']})" if "note" in row else ""),
            hints=("add its folder in the project: `wsb add ./PATH`, after `git submodule update --init` where it is one",),
        )
    return written


def _reason(row: Row, trap: Row | None) -> str:
    note = f"; {row['note']}" if "note" in row else ""
    if trap is not None:
        return f"{trap['name']} on the index is only a stub ({trap['is']}){note}"
    return f"import {row['import']} comes from {distribution_name(row['distribution'])}{note}"


def _trapped(trap: Row, row: Row | None) -> WsbError:
    hints = []
    if row is not None and not str(row["distribution"]).startswith("("):
        right = str(row["distribution"])
        word = f'"{row["import"]} @ {right}"' if "://" in right else normal(right)
        hints.append(f"`wsb add {word}` adds what `import {row['import']}` means")
    hints.append("to have that other package all the same, write it into wsb.yaml yourself")
    released = f", last released {trap['last_release']}" if "last_release" in trap else ""
    return WsbError("wrong-name", f"{trap['name']} on the index is another package: {trap['is']}{released}", hints=tuple(hints))


def _key(name: str, asks: str) -> Chosen | None:
    """python and torch, which are keys of wsb.yaml. Raises WsbError wrong-name for CUDA."""
    version = re.sub(r"^={1,2}", "", asks.replace(" ", "")).removesuffix(".*")
    if name.lower() == "python":
        return _as_key("python", version or "latest")
    if name.lower() in ("torch", "pytorch"):
        return _as_key("torch", version or "latest")
    if _CUDA.fullmatch(name):
        raise WsbError(
            "wrong-name",
            f"{name} is not added as a package: torch's wheels bring CUDA, and a compiler comes with the base image",
            hints=('`accelerator: "12.6"` chooses the CUDA of torch; what is compiled gets nvcc by itself',),
        )
    return None


def _as_key(key: str, value: str) -> Chosen:
    return Chosen(kind="key", name=key, item=value, because=f"{key} is a key of wsb.yaml: `{key}: {as_yaml(value)}`")


def _not_python(catalog: Catalog, manager: Manager, name: str, asks: str) -> Chosen | None:
    """Programs and libraries, and what exists for conda only."""
    row = catalog.conda_name(name)
    if row is None or catalog.import_named_like(name) is not None:
        return None
    if "apt" in row:
        if manager.is_conda:
            return _conda(catalog, manager, f"{name}{asks}", f"{name} is no Python package")
        return Chosen(kind="apt", name=name, item=str(row["apt"]).split()[0], because=f"{name} is no Python package")
    if row.get("drop"):
        raise WsbError(
            "wrong-name",
            f"{name} comes by itself with what needs it",
            hints=(f"`wsb add --conda {name}` adds it all the same",),
        )
    return _conda(catalog, manager, f"{name}{asks}", f"{name} exists for conda only") if row.get("conda_only") else None


def _conda(catalog: Catalog, manager: Manager, word: str, because: str = "") -> Chosen:
    line = conda_line(word)
    if not manager.is_conda:
        raise WsbError(
            "wrong-name",
            f"{line.name} would be a conda package, and this environment is made with pip (`manager: venv`)",
            hints=("set `manager: miniconda` (or miniforge) in wsb.yaml",),
        )
    key = _key(line.name, re.split(r"(?<=\d)=", line.asks)[0])
    if key is not None:
        return key
    if catalog.conda_brings_torch(line.name):
        because = f"{line.name} of conda would bring a torch of its own, so the plan takes it from pip"
    return Chosen(kind="conda", name=normal(line.name), item=_checked(parse_conda, word), because=because)


def _apt(catalog: Catalog, word: str) -> Chosen:
    if is_library(word):
        package = apt_package_of(catalog, word)
        if package is None:
            raise WsbError(
                "wrong-name",
                f"which Debian package holds {word} is not known here",
                hints=(f"`apt-file search {word}` on a Debian machine tells; then `wsb add --apt NAME`",),
            )
        return Chosen(kind="apt", name=package, item=package, because=f"{word} is a file of {package}")
    return Chosen(kind="apt", name=re.split(r"[=:]", word)[0], item=_checked(parse_apt, word))


def _checked(parse: object, text: str) -> str:
    """The line, when wsb.yaml's own reader takes it."""
    try:
        return str(parse(text))  # type: ignore[operator]
    except RefusedError as error:
        raise WsbError("bad-value", error.message, hints=(error.hint,) if error.hint else ()) from None


@frozen
class Suggestion:
    """How an import is had. command: to type, "" when there is none. item: the pip line behind it, "" as well."""

    command: str
    item: str
    because: str


def suggest(catalog: Catalog, name: str) -> Suggestion:
    """For an import that nothing provides. name: dotted only where several packages share its top."""
    row = catalog.import_name(name)
    if row is None:
        top = normal(name.partition(".")[0])
        if "." in name:
            return Suggestion(command="", item="", because=_SHARED.format(name.partition(".")[0], normal(name)))
        if catalog.is_managed_by_torch(top):
            return Suggestion(command="", item="", because="torch's CUDA builds bring it, this build does not")
        trap = catalog.import_trap(top)
        if trap is not None:
            because = f"{top} on the index is another package: {trap['is']}"
            return Suggestion(command="", item="", because=because)
        return Suggestion(command=f"wsb add {top}", item=top, because="its package is taken to have the same name")
    written = str(row["distribution"])
    note = str(row.get("note", ""))
    if written.startswith("("):
        return Suggestion(command="", item="", because=f"{written.strip('()')}; {note}".strip("; "))
    if "://" in written:
        item = f"{normal(row['import'])} @ {written}"
        return Suggestion(command=f'wsb add "{item}"', item=item, because=note)
    return Suggestion(command=f"wsb add {normal(written)}", item=normal(written), because=note)


def name_of_item(item: str) -> str:
    """The normalised name of a line of packages.pip."""
    try:
        return normal(Requirement(item).name)
    except InvalidRequirement:
        return pip_line(item).name
