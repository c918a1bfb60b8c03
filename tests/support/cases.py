"""Runs a line of a cases file through the functions behind `wsb plan --json` and `wsb catalog --json`.

A case: {"id", "kind", "input", "expect", "source"}. What is expected is compared key by key; `why` is for readers.
"""

from __future__ import annotations

import re
from typing import Any

from builder.catalog import load
from builder.catalog.ask import Question, ask
from builder.errors import WsbError
from builder.model.host import Host
from builder.model.project import EMPTY_PROJECT, Project
from builder.resolve import plan_json, resolve
from builder.resolve.lines import conda_line, pip_line
from tests.support.specs import NO_GPU, UNKNOWN_HOST, host, project, spec

CATALOG = load()
_FAMILY = ("torch", "torchvision", "torchaudio")


def misses(case: dict[str, Any]) -> list[str]:
    """Every expectation that is not met, as a sentence; empty when the case comes out as expected."""
    expect = {key: value for key, value in case["expect"].items() if key != "why"}
    try:
        got = _RUN[case["kind"]](case["input"])
    except WsbError as error:
        return _error_misses(expect, error)
    found = []
    for key, value in expect.items():
        if key == "error":
            found.append(f"expected the error {value}, got {got}")
        elif key == "newest_ok":
            continue
        elif got.get(key) != value and not (isinstance(value, str) and str(got.get(key)).endswith(value) and key == "tag"):
            found.append(f"{key}: expected {value!r}, got {got.get(key)!r}")
    return found


def _error_misses(expect: dict[str, Any], error: WsbError) -> list[str]:
    wanted = str(expect.get("error", "")).replace("_", "-")
    codes = {"no-official-base": "no-such-base", "no-wheel": "python-not-supported"}
    if codes.get(wanted, wanted) != error.code:
        return [f"expected {expect}, got the error {error.code}: {error.message}"]
    said = " ".join((error.message, *error.hints, *error.details))
    named = [str(value) for key, value in expect.items() if key not in ("error", "reason")]
    parts = [part for value in named for part in re.split(r" or |>=", value) if part not in ("glibc", "")]
    return [f"{part} is not named in: {said}" for part in parts if part.strip() not in said]


def pick(case: dict[str, Any]) -> dict[str, Any]:
    machine = case["host"]
    cards = [(machine["gpu"], machine["cc"])] if "gpu" in machine else []
    if machine["os"] == "macos":  # a wheel for the Mac itself, which no container has: a question to the table
        return _native(case, "macos_x86_64" if machine["arch"] == "x86_64" else "macos_arm64")
    there = host(*cards, driver=machine.get("driver"), os=machine["os"], arch=machine["arch"])
    asked = spec(torch=case["torch"], python=case["python"], accelerator=case.get("accelerator"))
    return _flat(asked, EMPTY_PROJECT, there)


def _native(case: dict[str, Any], platform: str) -> dict[str, Any]:
    found = ask(CATALOG, Question(kind="torch", words=(case["torch"],), platform=platform, python=case["python"]))
    if found["ok"]:
        return {"torch": found["torch"], "variant": found["variant"], "index": "pypi"}
    raise WsbError("python-not-supported", found["reason"], hints=[found["newest_ok"]])


def _flat(asked: Any, declared: Project, there: Host) -> dict[str, Any]:
    document = plan_json(resolve(asked, declared, CATALOG, there))
    torch = document["torch"]
    url = torch.get("index_url")
    return {
        **torch,
        "torch": torch["version"],
        "index": url.rsplit("/", 1)[-1] if url else "pypi",
        "python": document["python"],
        "base": document["base"]["image"],
        "needs_devel": document["base"]["flavour"] == "devel",
        "constraints": document["packages"].get("constraints", []),
        "find_links": document.get("sources", {}).get("find_links", []),
        "warnings": [warned["code"] for warned in document["warnings"]],
    }


def conda_env(case: dict[str, Any]) -> dict[str, Any]:
    declared: dict[str, Any] = {}
    others = []
    for text in case["dependencies"]:
        line = conda_line(text)
        if match := re.fullmatch(r"cuda(\d+)(\d)", line.name):
            declared["cuda"] = f"{match[1]}.{match[2]}"
        elif line.name in ("cudatoolkit", "pytorch-cuda"):
            declared["cuda"] = line.asks.lstrip("=")
        elif line.name in ("pytorch", "torch", "torchvision", "torchaudio", "python"):
            declared[line.name.replace("pytorch", "torch")] = line.asks
        elif not text.startswith("("):
            others.append(text)
    found = _flat(spec(accelerator="cuda"), project(**declared, conda=others, channels=["pytorch"]), UNKNOWN_HOST)
    table = ask(CATALOG, Question(kind="conda", words=tuple(case["dependencies"])))
    assert table["torch"] == found["torch"]
    pin = next((one for one in found["constraints"] if one.startswith("mkl")), None)
    return {**found, "add_pin": pin}


def image(case: dict[str, Any]) -> dict[str, Any]:
    if "requirements" in case:
        lines = [pip_line(text) for text in case["requirements"]]
        declared = {line.name: line.asks for line in lines if line.name in _FAMILY}
        others = [line.text for line in lines if line.name not in _FAMILY]
        there = host(("RTX 3090", "8.6"), driver="550.54.15")
        return _flat(spec(), project(**declared, pip=others), there)
    if "base" in case:
        return _flat(spec(torch=case["torch"], base=case["base"]), EMPTY_PROJECT, NO_GPU)
    return ask(
        CATALOG,
        Question(
            kind="image",
            words=(case["want"],),
            torch=case.get("torch"),
            cuda=case.get("cuda") or case.get("variant"),
            ubuntu=case.get("ubuntu"),
        ),
    )


def ecosystem(case: dict[str, Any]) -> dict[str, Any]:
    words = {key: case.get(key) for key in ("torch", "variant", "python")}
    return ask(CATALOG, Question(kind="package", words=(case["pkg"],), **words))


def pypi_default(case: dict[str, Any]) -> dict[str, Any]:
    return ask(CATALOG, Question(kind="torch", words=(case["torch"],), platform=case["platform"]))


def python(case: dict[str, Any]) -> dict[str, Any]:
    others = {key: case[key] for key in ("torchvision", "torchaudio") if key in case}
    return ask(
        CATALOG,
        Question(kind="python", words=(case["python"],), torch=case["torch"], platform=case["platform"], **others),
    )


def companions(case: dict[str, Any]) -> dict[str, Any]:
    return ask(CATALOG, Question(kind="companions", words=(case["torch"],)))


def import_name(case: dict[str, Any]) -> dict[str, Any]:
    return ask(CATALOG, Question(kind="import", words=(case["import_name"],)))


_RUN = {
    "pick": pick,
    "conda_env": conda_env,
    "image": image,
    "ecosystem": ecosystem,
    "pypi_default": pypi_default,
    "python": python,
    "companions": companions,
    "import": import_name,
}
