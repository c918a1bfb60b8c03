"""Containers that an IDE started for a project, and labels by which an IDE's tools find the ones that wsb starts.

`devcontainer up` takes a container for its own when both of its labels fit. A container of `wsb run` lives as long as its
command: its second label names wsb.yaml, so it is found and can be attached to, but no IDE moves into it by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from builder.engine.base import ContainerInfo

LOCAL_FOLDER = "devcontainer.local_folder"
CONFIG_FILE = "devcontainer.config_file"
METADATA = "devcontainer.metadata"


def labels(project: Path, image_labels: Mapping[str, str], user: str) -> dict[str, str]:
    """For a container of wsb's own. user: as its processes run, which is whom an IDE that attaches should be."""
    found = {LOCAL_FOLDER: str(project), CONFIG_FILE: str(project / "wsb.yaml")}
    metadata = _entries(image_labels)
    if metadata and remote_user(image_labels) != user:
        told = json.dumps([*metadata, {"remoteUser": user, "updateRemoteUserUID": False}], separators=(",", ":"))
        found[METADATA] = told
    return found


def of_project(containers: Iterable[ContainerInfo], project: Path) -> ContainerInfo | None:
    """The first container that an IDE started on this folder; wsb's own are not taken for it."""
    for one in containers:
        config = one.labels.get(CONFIG_FILE, "")
        if _is(one.labels.get(LOCAL_FOLDER, ""), project) and not config.endswith("wsb.yaml"):
            return one
    return None


def _is(folder: str, project: Path) -> bool:
    """Whether a label means this folder; an IDE writes it as it was opened, through links too."""
    try:
        return bool(folder) and Path(folder).resolve() == project.resolve()
    except OSError:
        return False


def remote_user(labels: Mapping[str, str]) -> str:
    """Who an IDE is inside such a container; "" when its labels do not say."""
    named = [str(entry["remoteUser"]) for entry in _entries(labels) if entry.get("remoteUser")]
    return named[-1] if named else ""


def _entries(labels: Mapping[str, str]) -> list[dict[str, Any]]:
    try:
        found = json.loads(labels.get(METADATA, "[]"))
    except ValueError:
        return []
    entries = found if isinstance(found, list) else [found]
    return [entry for entry in entries if isinstance(entry, dict)]
