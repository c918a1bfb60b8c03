"""Environments on disk: where they are, what is in them, whether they may be changed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .errors import (
    DirectoryNotACondaEnvironmentError,
    EnvironmentIsFrozenError,
    EnvironmentLocationNotFound,
    EnvironmentNameNotFound,
    EnvironmentNotWritableError,
)
from .settings import Settings


def _absolute(path: str) -> Path:
    """Without following links: an environment that has an alias keeps both names."""
    return Path(os.path.normpath(Path(path).expanduser().absolute()))


def is_environment(prefix: Path) -> bool:
    return (prefix / "conda-meta" / "history").is_file()


def by_name(settings: Settings, name: str, *, must_exist: bool = True) -> Path:
    """`base`, or a folder of that name in one of the envs_dirs; a path is taken as it is."""
    if name in ("base", "root"):
        return settings.root
    if "/" in name:
        prefix = _absolute(name)
        if must_exist and not (prefix / "conda-meta").is_dir():
            raise EnvironmentLocationNotFound(prefix)
        return prefix
    for folder in settings.envs_dirs:
        if (folder / name / "conda-meta").is_dir():
            return folder / name
    if must_exist:
        raise EnvironmentNameNotFound(name)
    return _first_writable(settings.envs_dirs) / name


def target(settings: Settings, name: str | None, prefix: str | None, *, must_exist: bool = True) -> Path:
    """The environment that a command is about: -p, else -n, else the active one, else base."""
    if prefix:
        path = _absolute(prefix)
        if must_exist and not is_environment(path):
            raise (DirectoryNotACondaEnvironmentError if path.is_dir() else EnvironmentLocationNotFound)(path)
        return path
    if name:
        return by_name(settings, name, must_exist=must_exist)
    active = settings.environment.get("CONDA_PREFIX")
    return Path(active) if active else settings.root


def _first_writable(folders: list[Path]) -> Path:
    for folder in folders:
        existing = folder
        while not existing.exists():
            existing = existing.parent
        if os.access(existing, os.W_OK):
            return folder
    return folders[0]


def label(settings: Settings, prefix: Path) -> str:
    """What conda calls an environment: base, its name, or its whole path when it is not among the named ones."""
    if prefix == settings.root:
        return "base"
    return prefix.name if prefix.parent.name == "envs" else str(prefix)


def known(settings: Settings) -> list[Path]:
    """Every environment conda would list: base, those in the envs_dirs, those registered by their path."""
    found = [settings.root]
    for folder in settings.envs_dirs:
        if folder.is_dir():
            found += sorted(path for path in folder.iterdir() if is_environment(path))
    registry = _registry(settings)
    listed = map(Path, registry.read_text().splitlines()) if registry.is_file() else ()
    found += [path for path in listed if is_environment(path)]
    return list(dict.fromkeys(found))


def _registry(settings: Settings) -> Path:
    return Path(settings.environment.get("HOME") or "~").expanduser() / ".conda" / "environments.txt"


def register(settings: Settings, prefix: Path) -> None:
    """Notes an environment in ~/.conda/environments.txt, silently not where that cannot be written."""
    if not settings["register_envs"] or prefix == settings.root:
        return
    path = _registry(settings)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_text().splitlines() if path.is_file() else []
        if str(prefix) not in lines:
            path.write_text("".join(f"{line}\n" for line in [*lines, str(prefix)]))
    except OSError:
        return


def assert_changeable(prefix: Path, *, override_frozen: bool) -> None:
    """Raises where this user cannot write, or where the environment is marked as frozen."""
    if not os.access(prefix / "conda-meta", os.W_OK) or not os.access(prefix / "conda-meta" / "history", os.W_OK):
        raise EnvironmentNotWritableError(prefix)
    frozen = prefix / "conda-meta" / "frozen"
    if frozen.is_file() and not override_frozen:
        text = frozen.read_text().strip()
        reason = json.loads(text).get("message", "") if text.startswith("{") else ""
        raise EnvironmentIsFrozenError(prefix, reason)


def records(prefix: Path) -> list[dict[str, Any]]:
    """Every package record, by name."""
    paths = sorted((prefix / "conda-meta").glob("*.json"))
    return sorted((json.loads(path.read_text()) for path in paths), key=lambda record: str(record["name"]))


def pip_records(prefix: Path) -> Iterator[dict[str, str]]:
    """Distributions that pip or uv put there, as `conda list` shows them."""
    owned = {name for record in records(prefix) for name in record["files"]}
    for info in sorted(prefix.glob("lib/python3*/site-packages/*.dist-info")):
        metadata = info / "METADATA"
        if not metadata.is_file() or metadata.relative_to(prefix).as_posix() in owned:
            continue
        fields = dict(line.split(": ", 1) for line in metadata.read_text(errors="replace").splitlines()[:20] if ": " in line)
        name = fields.get("Name", info.name.split("-")[0]).lower().replace("_", "-").replace(".", "-")
        yield {"name": name, "version": fields.get("Version", ""), "build": "pypi_0", "channel": "pypi"}


def variables(prefix: Path) -> dict[str, str]:
    """Variables that belong to an environment: of its packages, then of the environment itself."""
    found: dict[str, str] = {}
    for path in sorted((prefix / "etc" / "conda" / "env_vars.d").glob("*.json")):
        found |= json.loads(path.read_text())
    state = prefix / "conda-meta" / "state"
    if state.is_file():
        found |= json.loads(state.read_text()).get("env_vars", {})
    return found


def set_variables(prefix: Path, values: dict[str, str]) -> None:
    state = prefix / "conda-meta" / "state"
    document: dict[str, Any] = json.loads(state.read_text()) if state.is_file() else {"version": 1, "env_vars": {}}
    document.setdefault("env_vars", {}).update({name: str(value) for name, value in values.items()})
    state.write_text(json.dumps(document, ensure_ascii=False))
