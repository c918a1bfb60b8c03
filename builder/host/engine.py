"""What is added to what an engine says of itself: the CDI devices that its spec folders hold, when it is on this machine.

Engines before Docker 28.2 tell their folders and not what is in them, and some tell neither.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from builder.model.engine import EngineInfo

USUAL_FOLDERS = ("/etc/cdi", "/var/run/cdi")


def with_cdi_devices(info: EngineInfo, root: Path = Path("/")) -> EngineInfo:
    """The engine with the CDI devices it can hand in. Unchanged when it told them, or stands on another machine."""
    if info.cdi_devices or info.is_remote or info.is_desktop:
        return info
    folders = info.cdi_spec_dirs or (USUAL_FOLDERS if _may_read_the_usual(info) else ())
    return replace(info, cdi_devices=spec_devices(root / folder.lstrip("/") for folder in folders))


def _may_read_the_usual(info: EngineInfo) -> bool:
    """Podman does not tell its folders; Docker 29 was seen with an empty answer though /etc/cdi worked."""
    return info.kind == "podman" or info.numbers >= (28, 2)


def spec_devices(folders: Iterable[Path]) -> tuple[str, ...]:
    """Fully qualified names of the devices in the spec files of these folders; a file that cannot be read holds none.

    A name that two specs of one folder claim is left out, as engines do.
    """
    names: dict[str, int] = {}
    for folder in folders:
        try:
            files = sorted(path for path in folder.iterdir() if path.suffix in (".json", ".yaml", ".yml"))
        except OSError:
            continue
        for path in files:
            for name in _devices(path):
                names[name] = names.get(name, 0) + 1
    return tuple(sorted(name for name, count in names.items() if count == 1))


def _devices(path: Path) -> set[str]:
    try:
        spec = _parsed(path)
        return {f"{spec['kind']}={device['name']}" for device in spec["devices"]}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return set()


def _parsed(path: Path) -> Any:
    text = path.read_text("utf-8", "replace")
    if path.suffix == ".json":
        return json.loads(text)
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None
