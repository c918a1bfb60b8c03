"""The machine a plan is made for, as told: a file of host facts, or --driver and --gpu. Text in, Host out."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

from builder.catalog.catalog import Catalog
from builder.errors import Problems, WsbError
from builder.model.engine import EngineInfo
from builder.model.host import Architecture, Gpu, Host, OperatingSystem
from builder.model.values import ComputeCapability, DriverVersion, Location, Unknown

SCHEMA = "wsb.host/1"
_ARCHITECTURES = {"amd64": "x86_64", "x86-64": "x86_64", "arm64": "aarch64"}
_NONE = ("none", "no", "")


def parse_host(text: str, file: str, catalog: Catalog) -> Host:
    """The host that a file describes, or that stands under `host` in what `wsb doctor --json` printed.

    A driver or gpus that the file leaves out are unknown; null and [] say that there are none.
    Raises WsbError for text that is not JSON, Problems with every wrong value otherwise.
    """
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        where = Location(file=file, line=error.lineno, column=error.colno)
        raise WsbError("bad-value", f"this is not JSON: {error.msg}", where, hints=(_EXAMPLE,)) from None
    facts = document.get("host", document) if isinstance(document, dict) else document
    if not isinstance(facts, dict):
        raise WsbError("bad-value", "host facts are an object", Location(file=file, line=1, column=1), hints=(_EXAMPLE,))
    reader = _Reader(text, file, catalog)
    host = reader.host(facts)
    if reader.problems:
        raise Problems(reader.problems)
    return host


def told(host: Host, catalog: Catalog, *, driver: str | None, gpus: Sequence[str]) -> Host:
    """This host with a driver and GPUs that were told on the command line; "none" says that there are none.

    What is not told beside them is unknown, unless this machine has it: one plans for another machine then.
    Raises WsbError bad-value, with similar names, for a GPU that is in no table.
    """
    if driver is not None:
        gpus_there: tuple[Gpu, ...] | Unknown = host.gpus
        if not isinstance(gpus_there, Unknown):  # an AMD card beside it tells nothing about the machine one plans for
            gpus_there = tuple(gpu for gpu in gpus_there if gpu.vendor == "nvidia")
        gpus_there = gpus_there or Unknown("only the driver was told")
        host = replace(host, driver=_driver(driver), gpus=gpus_there)
    if gpus:
        driver_there = host.driver if host.driver is not None else Unknown("only the GPU was told")
        if [name.lower() for name in gpus] in ([one] for one in _NONE):
            return replace(host, gpus=(), driver=host.driver if driver is not None else None)
        host = replace(host, gpus=tuple(_gpu(name, catalog) for name in gpus), driver=driver_there)
    return host


def _driver(text: str) -> DriverVersion | None:
    if text.lower() in _NONE:
        return None
    try:
        return DriverVersion.parse(text)
    except ValueError:
        raise WsbError(
            "bad-value",
            f"{text!r} is not a driver version such as 550.54.15",
            hints=("nvidia-smi shows it at the top; the CUDA version beside it is something else",),
        ) from None


def _gpu(name: str, catalog: Catalog) -> Gpu:
    """A GPU by name, or by its compute capability."""
    if re.fullmatch(r"\d{1,2}\.\d", name):
        return Gpu(name=f"GPU of compute capability {name}", compute_capability=ComputeCapability.parse(name))
    model = catalog.gpu(name)
    if model is None:
        called = catalog.gpus_called(name)
        if called:
            kinds = ", ".join(f"{one.name} ({one.compute_capability})" for one in called)
            raise WsbError("bad-value", f"several GPUs are called {name!r}", hints=(f"say which one: {kinds}",))
        similar = catalog.similar_gpus(name)
        hints = [f"did you mean {' or '.join(similar)}?"] if similar else []
        hints.append("a compute capability such as 8.6 does as well")
        raise WsbError("bad-value", f"the GPU {name!r} is in no table", hints=hints)
    # a capability that nobody verified is left to the plan, which looks it up again and warns
    return Gpu(name=model.name, compute_capability=None if model.unverified else model.compute_capability)


class _Reader:
    """Reads one file, collecting what is wrong with it."""

    def __init__(self, text: str, file: str, catalog: Catalog) -> None:
        self._text = text
        self._file = file
        self._catalog = catalog
        self.problems: list[WsbError] = []

    def host(self, facts: dict[str, Any]) -> Host:
        known = {"schema", "os", "arch", "driver", "gpus", "engine"}
        schema = facts.get("schema", SCHEMA)
        if schema != SCHEMA:
            self._wrong("schema", f"this is {schema!r}, not {SCHEMA!r}")
        for key in facts:
            if key not in known and not isinstance(facts[key], (dict, list)) and key in ("gpu", "cuda", "cpu", "platform"):
                self._wrong(key, f"host facts have no key {key!r}; there are {', '.join(sorted(known))}")
        return Host(
            os=self._os(facts),
            arch=self._arch(facts),
            driver=self._driver(facts),
            gpus=self._gpus(facts),
            engine=self._engine(facts.get("engine")),
        )

    def _os(self, facts: dict[str, Any]) -> OperatingSystem:
        names: tuple[OperatingSystem, ...] = get_args(OperatingSystem)
        value = facts.get("os", "linux")
        for name in names:
            if value == name:
                return name
        self._wrong("os", f"{value!r} is none of {', '.join(names)}")
        return "linux"

    def _arch(self, facts: dict[str, Any]) -> Architecture:
        names: tuple[Architecture, ...] = get_args(Architecture)
        value = facts.get("arch", "x86_64")
        value = _ARCHITECTURES.get(value, value) if isinstance(value, str) else value
        for name in names:
            if value == name:
                return name
        self._wrong("arch", f"{value!r} is none of {', '.join(names)}")
        return "x86_64"

    def _driver(self, facts: dict[str, Any]) -> DriverVersion | Unknown | None:
        if "driver" not in facts:
            return Unknown(f"{self._file} does not tell it")
        value = facts["driver"]
        if value is None:
            return None
        if isinstance(value, dict):  # as doctor prints an unknown one
            return Unknown(str(value.get("unknown", "nobody told")))
        try:
            return DriverVersion.parse(value)
        except (ValueError, AttributeError, TypeError):
            self._wrong("driver", f'{value!r} is not a driver version in quotes, such as "550.54.15"')
            return None

    def _engine(self, facts: Any) -> EngineInfo | Unknown | None:
        """What starts containers there, as doctor prints it; null and absent mean that nobody asked."""
        if facts is None:
            return None
        if not isinstance(facts, dict) or facts.get("kind", "docker") not in ("docker", "podman"):
            self._wrong("engine", "an engine is an object whose kind is docker or podman")
            return None
        if "unknown" in facts:
            return Unknown(str(facts["unknown"]))
        lists = {key: facts.get(key, []) for key in ("runtimes", "cdi_devices", "cdi_spec_dirs")}
        for key, names in lists.items():
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                self._wrong(key, f"{key} is a list of names")
                return None
        return EngineInfo(
            kind=facts.get("kind", "docker"),
            version=str(facts.get("version", "")),
            api_version=str(facts.get("api_version", "")),
            os="linux",
            arch=str(facts.get("arch", "")),
            is_rootless=facts.get("is_rootless") is True,
            is_desktop=facts.get("is_desktop") is True,
            is_remote=facts.get("is_remote") is True,
            runtimes=tuple(lists["runtimes"]),
            cdi_devices=tuple(lists["cdi_devices"]),
            cdi_spec_dirs=tuple(lists["cdi_spec_dirs"]),
        )

    def _gpus(self, facts: dict[str, Any]) -> tuple[Gpu, ...] | Unknown:
        value = facts.get("gpus", Unknown(f"{self._file} does not tell them"))
        if isinstance(value, Unknown):
            return value
        if isinstance(value, dict):
            return Unknown(str(value.get("unknown", "nobody told")))
        if value is None:
            return Unknown(f"{self._file} does not tell them")
        if not isinstance(value, list):
            self._wrong("gpus", "gpus is a list")
            return ()
        return tuple(gpu for one in value if (gpu := self._gpu(one)) is not None)

    def _gpu(self, facts: Any) -> Gpu | None:
        if not isinstance(facts, dict) or not isinstance(facts.get("name"), str):
            self._wrong("gpus", f"a GPU is an object with a name, not {facts!r}")
            return None
        name, memory = facts["name"], facts.get("memory_mib")
        capability = self._capability(facts.get("compute_capability"))
        model = self._catalog.gpu(name) if capability is None else None
        if memory is not None and (not isinstance(memory, int) or isinstance(memory, bool)):
            self._wrong("memory_mib", f"{memory!r} is not a number of MiB")
            memory = None
        return Gpu(
            name=name,
            compute_capability=model.compute_capability if model and not model.unverified else capability,
            memory_mib=memory,
            uuid=facts.get("uuid"),
        )

    def _capability(self, value: Any) -> ComputeCapability | None:
        if value is None:
            return None
        try:
            return ComputeCapability.parse(value)
        except (ValueError, AttributeError, TypeError):
            self._wrong("compute_capability", f'{value!r} is not a compute capability in quotes, such as "8.6"')
            return None

    def _wrong(self, key: str, message: str) -> None:
        """One more problem, at the first place the key is written."""
        found = re.search(rf'"{re.escape(key)}"\s*:\s*', self._text)
        at = found.end() if found else 0
        line = self._text.count("\n", 0, at) + 1
        column = at - (self._text.rfind("\n", 0, at) + 1) + 1
        where = Location(file=self._file, line=line, column=column)
        self.problems.append(WsbError("bad-value", message, where, hints=(_EXAMPLE,)))


_EXAMPLE = (
    '{"schema": "wsb.host/1", "os": "linux", "arch": "x86_64", "driver": "550.54.15", '
    '"gpus": [{"name": "NVIDIA GeForce RTX 3090", "compute_capability": "8.6"}]}'
)
