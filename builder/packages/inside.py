"""Runs inside the container, under its own Python (3.6 and later) and with nothing but it: prints what is installed, as JSON.

Only files are read, nothing is imported: a broken package must not stop the answer.
"""

import json
import os
import platform
import re
import sys
from typing import Any, Dict, Iterator, List, Set

MAX_DEPTH = 4  # of a namespace such as google.cloud.storage.v1
CODE = (".py", ".so", ".pyd", ".pyc")


def read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""


def headers(text: str) -> Dict[str, List[str]]:
    """The fields of a METADATA file, up to its description."""
    found: Dict[str, List[str]] = {}
    for line in text.split("\n"):
        if not line.strip():
            break
        name, colon, value = line.partition(":")
        if colon and not line[0].isspace():
            found.setdefault(name.lower(), []).append(value.strip())
    return found


def recorded(folder: str) -> List[str]:
    """Installed files of a distribution, relative to where its modules lie."""
    record = read(os.path.join(folder, "RECORD"))
    if record:
        return [line.split('"')[1] if line.startswith('"') else line.split(",")[0] for line in record.split("\n") if line]
    listed = read(os.path.join(folder, "installed-files.txt"))
    base = os.path.basename(folder)
    return [os.path.normpath(os.path.join(base, line)) for line in listed.split("\n") if line]


def modules(files: List[str]) -> Set[str]:
    """Dotted names that can be imported: a package, a module, or what stands below a namespace without an __init__."""
    packages = {os.path.dirname(path) for path in files if os.path.basename(path).startswith("__init__.")}
    found: Set[str] = set()
    for path in files:
        parts = path.split("/")
        if ".." in parts or path.startswith("/") or "__pycache__" in parts or not path.endswith(CODE):
            continue
        for depth in range(1, min(len(parts), MAX_DEPTH + 1)):
            if "/".join(parts[:depth]) in packages:
                found.add(".".join(parts[:depth]))
                break
        else:
            name = parts[-1].split(".")[0]
            if len(parts) <= MAX_DEPTH and name != "__init__":
                found.add(".".join([*parts[:-1], name]))
    return {name for name in found if all(part.isidentifier() for part in name.split("."))}


def old_requirements(folder: str) -> List[str]:
    """Of a distribution from before wheels, without its extras."""
    return [line.strip() for line in read(os.path.join(folder, "requires.txt")).split("[")[0].split("\n") if line.strip()]


def has_commands(folder: str, files: List[str]) -> bool:
    """Whether it brings programs to type, so is of use without an import."""
    if any(os.path.basename(os.path.dirname(path)) == "bin" and path.startswith("..") for path in files):
        return True
    return bool(re.search(r"^\[(console|gui)_scripts\]", read(os.path.join(folder, "entry_points.txt")), re.M))


def distribution(folder: str) -> Dict[str, Any]:
    is_new = folder.endswith(".dist-info")
    metadata = os.path.join(folder, "METADATA" if is_new else "PKG-INFO") if os.path.isdir(folder) else folder
    fields = headers(read(metadata))
    tops = read(os.path.join(folder, "top_level.txt")).split()
    files = recorded(folder)
    provides = modules(files)
    beside = os.path.dirname(folder)
    for top in tops:
        is_there = any(name == top or name.startswith(top + ".") for name in provides)
        if not is_there and (not files or os.path.exists(os.path.join(beside, top))):
            provides.add(top)
    origin = read(os.path.join(folder, "direct_url.json"))
    return {
        "name": (fields.get("name") or [""])[0],
        "version": (fields.get("version") or [""])[0],
        "requires": fields.get("requires-dist") or old_requirements(folder),
        "provides": sorted(provides),
        "installer": read(os.path.join(folder, "INSTALLER")).strip(),
        "has_commands": has_commands(folder, files),
        "origin": json.loads(origin).get("url", "") if origin else "",
    }


def distributions() -> Iterator[Dict[str, Any]]:
    """Of every folder Python looks into; the first of a name counts, as for an import."""
    seen: Set[str] = set()
    for place in sys.path:
        if not place or not os.path.isdir(place):
            continue
        for name in sorted(os.listdir(place)):
            if name.endswith((".dist-info", ".egg-info")):
                found = distribution(os.path.join(place, name))
                key = re.sub(r"[-_.]+", "-", found["name"]).lower()
                if key and key not in seen:
                    seen.add(key)
                    yield found


def conda() -> Iterator[Dict[str, Any]]:
    folder = os.path.join(sys.prefix, "conda-meta")
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
        if name.endswith(".json"):
            record = json.loads(read(os.path.join(folder, name)) or "{}")
            if record.get("name"):
                yield {
                    "name": record["name"],
                    "version": str(record.get("version", "")),
                    "channel": str(record.get("channel", "")),
                    "depends": record.get("depends", []),
                }


def apt() -> Iterator[Dict[str, Any]]:
    states = [headers(block) for block in read("/var/lib/apt/extended_states").split("\n\n")]
    automatic = {state["package"][0] for state in states if state.get("auto-installed") == ["1"]}
    for block in read("/var/lib/dpkg/status").split("\n\n"):
        fields = headers(block)
        if "installed" in (fields.get("status") or [""])[0].split():
            name = fields["package"][0]
            yield {
                "name": name,
                "version": (fields.get("version") or [""])[0],
                "is_automatic": name in automatic,
                "depends": re.findall(r"(?:^|[,|])\s*([a-z0-9][a-z0-9+.-]+)", ", ".join(fields.get("depends", []))),
            }


def markers() -> Dict[str, str]:
    """What requirement markers are held against, as PEP 508 names it."""
    return {
        "implementation_name": sys.implementation.name,
        "implementation_version": platform.python_version(),
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
    }


print(
    json.dumps(
        {
            "schema": "wsb.installed/1",
            "markers": markers(),
            "distributions": list(distributions()),
            "conda": list(conda()),
            "apt": list(apt()),
        }
    )
)
