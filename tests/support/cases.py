"""Asks `wsb plan --json` and `wsb catalog --json` the question of one line of a cases file.

A case: {"id", "kind", "input", "expect", "source"}. Each goes through the command line as a user would type it: files in a
directory, arguments, one JSON document back. What is expected is compared key by key; `why` is for readers.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from builder.cli.main import run

_ERRORS = {"no-official-base": "no-such-base", "no-wheel": "python-not-supported"}
_NATIVE = {"x86_64": "macos_x86_64", "aarch64": "macos_arm64"}


@dataclass(frozen=True)
class Asked:
    """A command line, and the files of the project it is asked in."""

    arguments: tuple[str, ...]
    files: Mapping[str, str] = field(default_factory=dict)

    def answer(self, directory: Path) -> tuple[int, dict[str, Any]]:
        """Exit code and document."""
        for name, text in self.files.items():
            (directory / name).write_text(text, "utf-8")
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            code = run(["-C", str(directory), *(word.replace("{dir}", str(directory)) for word in self.arguments), "--json"])
        return code, json.loads(out.getvalue())


def misses(case: dict[str, Any], directory: Path) -> list[str]:
    """Every expectation that is not met, as a sentence; empty when the case comes out as expected."""
    code, document = asked(case).answer(directory)
    expect = {key: value for key, value in case["expect"].items() if key != "why"}
    if document["schema"] == "wsb.error/1":
        return _error_misses(expect, document, code)
    got = _flat(document) if document["schema"] == "wsb.plan/1" else {"index": "pypi", **document}
    found = [f"exit code {code}"] if code else []
    for key, value in expect.items():
        if key == "newest_ok" and document["schema"] == "wsb.plan/1":
            continue
        if (mine := _same(key, got.get(key))) != _same(key, value):
            found.append(f"{key}: expected {value!r}, got {mine!r}")
    return found


def _same(key: str, value: Any) -> Any:
    """Spellings that mean the same: the catalog writes its answers with hyphens."""
    return value.replace("_", "-") if key == "error" and isinstance(value, str) else value


def _error_misses(expect: dict[str, Any], document: dict[str, Any], exit_code: int) -> list[str]:
    wanted = str(expect.get("error", "")).replace("_", "-")
    if _ERRORS.get(wanted, wanted) != document["code"]:
        return [f"expected {expect}, got the error {document['code']}: {document['message']}"]
    said = " ".join((document["message"], *document["hints"], *document.get("details", ())))
    named = [str(value) for key, value in expect.items() if key not in ("error", "reason")]
    parts = [part.strip() for value in named for part in value.replace(">=", " or ").split(" or ")]
    missing = [f"{part} is not named in: {said}" for part in parts if part not in ("", "glibc") and part not in said]
    return missing + ([] if exit_code == 3 else [f"exit code {exit_code}"])


def _flat(document: dict[str, Any]) -> dict[str, Any]:
    """The plan's document in the words of the cases."""
    torch = document["torch"]
    url = torch.get("index_url")
    constraints = document["packages"].get("constraints", [])
    return {
        **torch,
        "torch": torch["version"],
        "index": url.rsplit("/", 1)[-1] if url else "pypi",
        "python": document["python"],
        "base": document["base"]["image"],
        "needs_devel": document["base"]["flavour"] == "devel",
        "add_pin": next((one for one in constraints if one.startswith("mkl")), None),
        "constraints": constraints,
        "find_links": document.get("sources", {}).get("find_links", []),
        "warnings": [warned["code"] for warned in document["warnings"]],
    }


def asked(case: dict[str, Any]) -> Asked:
    """The command line for a case."""
    return _ASK[case["kind"]](case["input"])


def _plan(settings: dict[str, Any], host: dict[str, Any] | None, **files: str) -> Asked:
    """`wsb plan` in a project with this wsb.yaml, for this host; one that is not known without."""
    spec = {"name": "case", **{key: value for key, value in settings.items() if value is not None}}
    there = {"schema": "wsb.host/1", **(host or {"os": "linux", "arch": "x86_64"})}
    written = {"wsb.yaml": yaml.safe_dump(spec), "host.json": json.dumps(there)}
    return Asked(
        ("plan", "--host", "{dir}/host.json"), written | {name.replace("_", "."): text for name, text in files.items()}
    )


def _catalog(*words: str, **options: str | None) -> Asked:
    return Asked(("catalog", *words, *(word for name, value in options.items() if value for word in (f"--{name}", value))))


def _pick(case: dict[str, Any]) -> Asked:
    machine = case["host"]
    if machine["os"] == "macos" and machine["arch"] == "x86_64":
        # a wheel for the Mac itself, which no container has: a question to the table
        return _catalog("torch", case["torch"], python=case["python"], platform=_NATIVE[machine["arch"]])
    asked = {"torch": case["torch"], "python": case["python"], "accelerator": case.get("accelerator")}
    return _plan(asked, _machine(machine))


def _machine(machine: dict[str, Any]) -> dict[str, Any]:
    """The machine of a case as a --host file tells it; without a card and a driver it is known to have none."""
    cards = [{"name": machine["gpu"], "compute_capability": machine["cc"]}] if "gpu" in machine else []
    return {"os": machine["os"], "arch": machine["arch"], "driver": machine.get("driver"), "gpus": cards}


def _conda_env(case: dict[str, Any]) -> Asked:
    lines = [line for line in case["dependencies"] if not line.startswith("(")]
    environment = yaml.safe_dump({"name": "case", "channels": ["pytorch", "conda-forge"], "dependencies": lines})
    return _plan({"environment": "environment.yml", "accelerator": "cuda"}, None, environment_yml=environment)


def _image(case: dict[str, Any]) -> Asked:
    if "requirements" in case:
        gpu = {"name": "NVIDIA GeForce RTX 3090", "compute_capability": "8.6"}
        host = {"os": "linux", "arch": "x86_64", "driver": "550.54.15", "gpus": [gpu]}
        return _plan({"requirements": ["requirements.txt"]}, host, requirements_txt="\n".join(case["requirements"]))
    if "base" in case:
        machine = case.get("host", {"os": "linux", "arch": "x86_64"})
        return _plan({"torch": case["torch"], "base": case["base"]}, _machine(machine))
    options = {key: case.get(key) for key in ("torch", "cuda", "variant", "ubuntu")}
    return _catalog("image", case["want"], **options)


def _python(case: dict[str, Any]) -> Asked:
    options = {key: case.get(key) for key in ("torch", "platform", "torchvision", "torchaudio")}
    return _catalog("python", case["python"], **options)


def _ecosystem(case: dict[str, Any]) -> Asked:
    return _catalog("package", case["pkg"], **{key: case.get(key) for key in ("torch", "variant", "python")})


_ASK = {
    "pick": _pick,
    "conda_env": _conda_env,
    "image": _image,
    "ecosystem": _ecosystem,
    "pypi_default": lambda case: _catalog("torch", case["torch"], platform=case["platform"]),
    "python": _python,
    "companions": lambda case: _catalog("companions", case["torch"]),
    "import": lambda case: _catalog("import", case["import_name"]),
}
