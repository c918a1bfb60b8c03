"""What the tests of checks share: a project in a few lines, and an image in a few more."""

from __future__ import annotations

import json
from typing import Any

from builder.catalog import load
from builder.config import read_spec
from builder.model.values import Manager
from builder.packages.check import check
from builder.packages.checked import Checked
from builder.packages.code import read_code
from builder.packages.declared import read_declared
from builder.packages.findings import Finding
from builder.packages.installed import Installed, parse_installed
from builder.scan.project import read_project

TORCH: dict[str, Any] = {"version": "2.13.0", "torchvision": "0.28.0"}


class Files:
    """A folder in memory, as builder.folder gives one."""

    def __init__(self, files: dict[str, str]) -> None:
        self.files = files

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self.files))

    def texts(self, wanted: Any) -> dict[str, str]:
        return {path: text for path, text in self.files.items() if wanted(path)}


def distribution(name: str, version: str = "1.0", **more: Any) -> dict[str, Any]:
    """One row of what inside.py prints; it brings a module of its own name unless told otherwise."""
    return {
        "name": name,
        "version": version,
        "requires": [],
        "provides": [name.lower().replace("-", "_")],
        "installer": "uv",
        "has_commands": False,
        "origin": "",
        **more,
    }


def image(*rows: dict[str, Any], conda: tuple[str, ...] = ()) -> Installed:
    """An image that has torch and these."""
    document = {
        "schema": "wsb.installed/1",
        "markers": {"python_version": "3.11", "sys_platform": "linux", "platform_machine": "x86_64"},
        "distributions": [distribution("torch", "2.13.0+cpu"), *rows],
        "conda": [{"name": name, "version": "1.0", "channel": "conda-forge", "depends": []} for name in conda],
        "apt": [],
    }
    return parse_installed("activated\n" + json.dumps(document) + "\n")


def checked(code: str, packages: str = "", installed: Installed | None = None, **files: str) -> Checked:
    """A project with main.py. packages: lines below `name:`. A keyword requirements_txt is the file requirements.txt."""
    held = {name if "/" in name else _path(name): text for name, text in files.items()}
    spec = read_spec(f"name: m\n{packages}\n", "wsb.yaml")
    project = read_project(lambda path: held[path].encode() if path in held else None, spec)
    declared = read_declared(spec, project, load())
    found = read_code(Files({"main.py": code, **held}), declared, load())  # type: ignore[arg-type]
    return Checked(
        imports=found.imports,
        declared=declared,
        document={"python": "3.11", "torch": TORCH, "manager": "venv"},
        catalog=load(),
        manager=Manager.VENV,
        installed=installed,
        files=found.files,
        imported_standard=found.imported_standard,
    )


def _path(keyword: str) -> str:
    return keyword.replace("__", "/").replace("_txt", ".txt").replace("_py", ".py")


def found(code: str, packages: str = "", installed: Installed | None = None, **files: str) -> dict[tuple[str, str], Finding]:
    """(kind, name) → finding."""
    return {(one.id, one.name): one for one in check(checked(code, packages, installed, **files))}
