"""Conda's channels asked for a package by the conda that is in the image: the tool that would install it.

Its answer is JSON; conda and micromamba word it differently, and say differently that there is nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from packaging.version import InvalidVersion, Version

from builder.engine.base import ContainerRequest, Engine, Output
from builder.errors import WsbError
from builder.model.frozen import frozen
from builder.model.values import Manager
from builder.resolve.given import listed
from builder.resolve.lines import conda_line

TIME_LIMIT_S = 180.0
_CA = "/run/wsb/ca.pem"
_CA_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CONDA_SSL_VERIFY")

# Where people find what conda-forge has not, asked only after the workspace's own channels had nothing.
OTHER_CHANNELS = ("conda-forge", "bioconda", "pytorch", "nvidia")


@frozen
class Build:
    """One file of a channel. python: "3.11" for one made for a certain Python, "" for any."""

    version: str
    python: str
    channel: str


@frozen
class Found:
    """builds: () when the channels answered and have nothing. why_not: why nobody could be asked, "" otherwise."""

    builds: tuple[Build, ...] = ()
    why_not: str = ""


@frozen
class Searcher:
    """Asks in a container of this image. environ: proxies and mirrors for it. ca: a PEM file on the engine's machine."""

    engine: Engine
    image: str
    manager: Manager
    environ: Mapping[str, str]
    ca: str | None = None
    network: str = ""

    def search(self, name: str, channels: Sequence[str]) -> Found:
        out, err = bytearray(), bytearray()

        def take(output: Output) -> None:
            (err if output.is_stderr else out).extend(output.data)

        words = [word for channel in channels for word in ("--channel", channel)]
        program = "micromamba" if self.manager is Manager.MICROMAMBA else "conda"
        trust = dict.fromkeys(_CA_VARIABLES, _CA) if self.ca else {}
        request = ContainerRequest(
            image=self.image,
            command=(program, "search", "--json", "--override-channels", *words, name),
            env={**self.environ, **trust},
            mounts=((self.ca, _CA, True),) if self.ca else (),
            network=self.network,
        )
        try:
            self.engine.run(request, take, TIME_LIMIT_S)
        except WsbError as error:
            return Found(why_not=str(error))
        return parse_search(out.decode("utf-8", "replace"), name, err.decode("utf-8", "replace"))


def parse_search(text: str, name: str, errors: str = "") -> Found:
    """What conda or micromamba printed."""
    start = text.find("{")
    try:
        document: dict[str, Any] = json.loads(text[start:]) if start >= 0 else {}
    except ValueError:
        document = {}
    problem = str(document.get("exception_name") or document.get("error") or "")
    if "PackagesNotFound" in problem or "ResolvePackageNotFound" in problem:
        return Found()
    result = document.get("result")
    rows = result.get("pkgs") if isinstance(result, dict) else document.get(name, document.get(name.lower()))
    if not isinstance(rows, list):
        last = errors.strip().splitlines() or [problem or "no answer"]
        return Found(why_not=str(document.get("message") or last[-1])[:200].splitlines()[0])
    named = [row for row in rows if isinstance(row, dict) and row.get("name", name) == name]
    return Found(builds=tuple(_build(row) for row in named))


def _build(row: Mapping[str, Any]) -> Build:
    needs = " ".join(str(one) for one in row.get("depends") or ())
    python = re.search(r"python_abi (\d+\.\d+)|python >=(\d+\.\d+),<\d+\.\d+\.0a0", needs)
    tag = re.search(r"py(\d)(\d+)", str(row.get("build_string") or row.get("build") or ""))
    made_for = (python[1] or python[2]) if python else f"{tag[1]}.{tag[2]}" if tag else ""
    return Build(version=str(row.get("version", "")), python=made_for, channel=str(row.get("channel", "")))


def newest_for(found: Found, python: str) -> str:
    """The newest version that installs beside this Python, "" when there is none."""
    fitting = {one.version for one in found.builds if one.python in ("", python)}
    return max(fitting, key=_order, default="")


def _order(version: str) -> tuple[int, Version]:
    try:
        return 1, Version(version)
    except InvalidVersion:
        return 0, Version("0")


def verify_conda(searcher: Searcher, item: str, channels: Sequence[str], python: str) -> tuple[str, str]:
    """(newest version, warning) of a conda package. Raises WsbError: no-such-package, no-such-build."""
    name = conda_line(item).name
    asked = (item.partition("::")[0],) if "::" in item else tuple(channels)
    found = searcher.search(name, asked)
    if found.why_not:
        return "", f"whether the channels have {name} could not be asked ({found.why_not}); it is written down unchecked"
    version = newest_for(found, python)
    if version:
        return version, ""
    if found.builds:
        pythons = sorted({one.python for one in found.builds}, key=_order)
        raise WsbError(
            "no-such-build",
            f"{name} has no build for Python {python} on {listed(asked)}",
            hints=(f"it is built for Python {listed(pythons)}", f'set `python: "{pythons[-1]}"`, or `wsb add --pip {name}`'),
        )
    elsewhere = [one for one in OTHER_CHANNELS if one not in asked and searcher.search(name, (one,)).builds]
    hints = [f"{one} has it: `wsb add --conda {one}::{name}`" for one in elsewhere]
    hints += [] if hints else [f"it may be a pip package: `wsb add --pip {name}`"]
    raise WsbError("no-such-package", f"there is no conda package {name} on {listed(asked)}", hints=tuple(hints))
