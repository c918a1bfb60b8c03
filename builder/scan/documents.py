"""Documents that say between other things what a project needs → items: README, Dockerfile, devcontainer.json, cog.yaml,
install scripts, .python-version. They are evidence for `wsb init`, not files that a plan is made from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from builder.config.nodes import ListNode, MapNode, Node, TextNode, read_nodes
from builder.errors import WsbError
from builder.model.values import Location
from builder.scan.command_line import read_script, read_shell_command
from builder.scan.items import CondaItem, ImageItem, IndexItem, Item
from builder.scan.notebooks import read_notebook
from builder.scan.pip_line import read_pip_requirement

MAX_LINES = 20_000
MAX_CONFIG = 200_000  # characters of a devcontainer.json
MAX_LINE = 4000  # characters that are looked through for a command
_COMMAND = re.compile(r"(pip3?|conda|mamba|uv|apt|apt-get)\s+[^`\n]*\b(install|create)\b[^`\n]*")


# --- README --------------------------------------------------------------------------------------------------------

_VERSION = r"v?(?P<version>{})(?:\.[0-9]+)?(?P<more>\s*(?:\+|or (?:later|newer|above|higher|greater)|and (?:above|later|up)))?"
_BEFORE = r"\s*(?:version\s*)?(?P<least>>=|≥|>|at least)?\s*(?:==|=|:|-)?\s*"
_PYTHON_SAID = re.compile(r"\bpython" + _BEFORE + _VERSION.format(r"3\.[0-9]{1,2}") + r"(?!\.?x)", re.IGNORECASE)
_TORCH_SAID = re.compile(r"\b(?:pytorch|torch)" + _BEFORE + _VERSION.format(r"[0-9]\.[0-9]{1,2}(?:\.[0-9])?"), re.IGNORECASE)
_CUDA_SAID = re.compile(r"\bcuda\s*(?:toolkit)?" + _BEFORE + _VERSION.format(r"[0-9]{1,2}\.[0-9]"), re.IGNORECASE)


def read_readme(text: str, file: str) -> tuple[Item, ...]:
    """Install commands first, in their order; then what the prose says of Python, torch and CUDA."""
    items: list[Item] = []
    lines = text.splitlines()[:MAX_LINES]
    number = 0
    while number < len(lines):
        start = number
        line = lines[number]
        while line.rstrip().endswith("\\") and number + 1 < len(lines) and len(line) < 8000:
            number += 1
            line = line.rstrip()[:-1] + " " + lines[number]
        number += 1
        where = Location(file=file, line=start + 1)
        for found in _COMMAND.finditer(line[:MAX_LINE].replace("&&", "`")):
            items.extend(read_shell_command(found[0], where))
    return (*items, *_said(lines, file))


def _said(lines: list[str], file: str) -> Iterator[Item]:
    for name, pattern in (("python", _PYTHON_SAID), ("pytorch", _TORCH_SAID), ("cudatoolkit", _CUDA_SAID)):
        for number, line in enumerate(lines, 1):
            found = pattern.search(line[:2000]) if "install" not in line else None
            if found:
                where = Location(file=file, line=number, column=found.start() + 1)
                version = found["version"]
                asked = f">={version}" if found["least"] or found["more"] else f"={version}"
                yield CondaItem(name=name, text=f"{name}{asked}", version=asked, where=where)
                break


# --- Dockerfile ----------------------------------------------------------------------------------------------------


def read_dockerfile(text: str, file: str) -> tuple[Item, ...]:
    """Base images and what RUN installs, with ARG defaults put in."""
    values: dict[str, str] = {}
    items: list[Item] = []
    for line, number in _instructions(text):
        where = Location(file=file, line=number)
        word, _, rest = line.partition(" ")
        rest = re.sub(r"\$\{(\w+)(?::-([^}]*))?\}|\$(\w+)", lambda m: values.get(m[1] or m[3], m[2] or m[0]), rest)[:20_000]
        match word.upper():
            case "ARG" | "ENV":
                for name, value in re.findall(r"(\w+)[= ]\"?([^\s\"]+)\"?", rest):
                    values.setdefault(name, value)
            case "FROM":
                image = next((part for part in rest.split() if not part.startswith("--")), "")
                if image and "$" not in image:
                    items.append(ImageItem(image=image, where=where))
            case "RUN":
                script = re.sub(r"^(--\S+\s+)*", "", rest)
                items.extend(read_script(script, where))
                items.extend(_rewritten(script, where))
    return tuple(items)


def _instructions(text: str) -> Iterator[tuple[str, int]]:
    """Instructions with their first line; continuations joined, comments gone."""
    parts: list[str] = []
    start = 1
    for number, raw in enumerate(text.splitlines()[:MAX_LINES], 1):
        line = raw.strip()
        if line.startswith("#") or (not line and parts):
            continue
        if not parts:
            start = number
        if line.endswith("\\"):
            parts.append(line[:-1])
            continue
        yield " ".join([*parts, line]).strip(), start
        parts = []
    if parts:
        yield " ".join(parts).strip(), start


def _rewritten(script: str, where: Location) -> Iterator[Item]:
    """`sed -i 's/torch>=1.7/torch==1.9.1+cu111/g' requirements.txt`: what it writes."""
    for found in re.finditer(r"s([/|#])[^/|#\n]{1,200}?\1((?:torch|torchvision|torchaudio)==[\w.+]+)\1", script):
        yield from read_pip_requirement(found[2], where)


# --- the others ----------------------------------------------------------------------------------------------------


def read_shell_script(text: str, file: str) -> tuple[Item, ...]:
    """What an install script installs."""
    items: list[Item] = []
    for line, number in _instructions(text):
        items.extend(read_script(line, Location(file=file, line=number)))
    return tuple(items)


def read_notebook_installs(text: str, file: str) -> tuple[Item, ...]:
    """`!pip install …` of a notebook's cells."""
    return tuple(
        item
        for cell in read_notebook(text, file)
        for number, line in cell.shell
        for item in read_shell_command(line, Location(file=cell.file, line=number))
    )


def read_python_version(text: str, file: str) -> tuple[Item, ...]:
    """.python-version of pyenv and uv, runtime.txt of Heroku."""
    found = (
        re.search(r"(?:^|python-?)\s*([0-9]\.[0-9]+)(?:\.[0-9]+)?\s*$", text.strip().splitlines()[0]) if text.strip() else None
    )
    if not found:
        return ()
    where = Location(file=file, line=1)
    return (CondaItem(name="python", text=f"python={found[1]}", version=f"={found[1]}", where=where),)


def read_devcontainer(text: str, file: str) -> tuple[Item, ...]:
    """The image, the Python feature, and what the commands after creation install."""
    if len(text) > MAX_CONFIG:
        return ()
    bare = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    bare = re.sub(r"(^|[ \t,])//[^\n\"]*$", r"\1", bare, flags=re.MULTILINE)
    bare = re.sub(r",(\s*[}\]])", r"\1", bare)
    try:
        document = json.loads(bare)
    except (ValueError, RecursionError):
        return ()
    where = Location(file=file)
    items: list[Item] = []
    if not isinstance(document, dict):
        return ()
    if isinstance(document.get("image"), str):
        items.append(ImageItem(image=document["image"], where=where))
    features = document.get("features")
    for name, options in (features if isinstance(features, dict) else {}).items():
        version = options.get("version") if isinstance(options, dict) else None
        if "/python" in name and isinstance(version, str) and re.match(r"3\.[0-9]+", version):
            items.append(CondaItem(name="python", text=f"python={version}", version=f"={version}", where=where))
    for key in ("onCreateCommand", "updateContentCommand", "postCreateCommand", "postStartCommand"):
        command = document.get(key)
        parts = command.values() if isinstance(command, dict) else [command]
        for part in parts:
            script = " ".join(map(str, part)) if isinstance(part, list) else part
            if isinstance(script, str):
                items.extend(read_script(script, where))
    return tuple(items)


def read_cog(text: str, file: str) -> tuple[Item, ...]:
    """cog.yaml of Replicate: cuda, python_version, python_packages and run lines."""
    problems: list[WsbError] = []
    try:
        node = read_nodes(text, file, problems)
    except WsbError:
        return ()
    build = _entry(node, "build")
    items: list[Item] = []
    for key, name in (("python_version", "python"), ("cuda", "cudatoolkit")):
        value = _entry(build, key)
        if isinstance(value, TextNode) and re.fullmatch(r"[0-9]+\.[0-9]+(\.[0-9]+)?", value.text.strip()):
            version = ".".join(value.text.strip().split(".")[:2])
            items.append(CondaItem(name=name, text=f"{name}={version}", version=f"={version}", where=value.where))
    for one in _list(_entry(build, "python_packages")):
        items.extend(read_pip_requirement(one.text, one.where))
    for one in _list(_entry(build, "run")):
        items.extend(read_script(one.text, one.where))
    return tuple(item for item in items if not isinstance(item, IndexItem | WsbError) or isinstance(item, IndexItem))


def _entry(node: Node | None, name: str) -> Node | None:
    if not isinstance(node, MapNode):
        return None
    return next((value for key, value in node.entries if key.text == name), None)


def _list(node: Node | None) -> list[TextNode]:
    return [item for item in node.items if isinstance(item, TextNode)] if isinstance(node, ListNode) else []
