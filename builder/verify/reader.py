"""Reads what the probes' runner prints, as it comes, and makes the Report of it.

In come bytes in pieces of any size; out go events for whoever shows progress, and in the end a Report. Lines that are not
the protocol's are kept as diagnostics. A check that was announced and never answered is a failure, and so is a runner that
did not come to its end: silence must never look like success.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from builder.model.frozen import frozen
from builder.model.report import Check, Report, Status

COMPLETE_ID = "runner.complete"
KEPT_LINES = 200


@frozen
class RunBegun:
    """The checks that will run, in order."""

    ids: tuple[str, ...]


@frozen
class CheckStarted:
    id: str


@frozen
class CheckFinished:
    check: Check


CheckEvent = RunBegun | CheckStarted | CheckFinished
CheckListener = Callable[[CheckEvent], None]


def _ignore(event: CheckEvent) -> None:
    del event


class ReportReader:
    """Feed it the runner's standard output (and, if wanted, its standard error); then ask for the report."""

    def __init__(self, listener: CheckListener = _ignore) -> None:
        self._listener = listener
        self._partial = b""
        self._announced: tuple[str, ...] = ()
        self._running: str | None = None
        self._checks: dict[str, Check] = {}
        self._has_begun = False
        self._has_ended = False
        self._diagnostics: list[str] = []

    @property
    def diagnostics(self) -> tuple[str, ...]:
        """The last lines that were not the protocol's, standard error among them."""
        return tuple(self._diagnostics)

    def feed(self, data: bytes) -> None:
        """A piece of standard output."""
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            self._read(line)

    def feed_stderr(self, data: bytes) -> None:
        """A piece of standard error; only kept."""
        for line in data.decode("utf-8", "replace").splitlines():
            self._keep(line)

    def report(self, image: str, exit_code: int | None = 0) -> Report:
        """Everything that was answered. exit_code: the runner's, None when it was stopped from outside.

        The last line may lack its newline when the connection broke.
        """
        if self._partial:
            line, self._partial = self._partial, b""
            self._read(line)
        checks = [self._checks[id] for id in self._announced if id in self._checks]
        checks += [check for id, check in self._checks.items() if id not in self._announced]
        checks += [self._unanswered(id) for id in self._announced if id not in self._checks]
        problem = self._problem(exit_code)
        if problem:
            checks.append(
                Check(
                    id=COMPLETE_ID,
                    group="environment",
                    status=Status.FAIL,
                    measured=problem,
                    expected="the runner comes to its end",
                    hint="\n".join(self._diagnostics[-10:]),
                )
            )
        return Report(image=image, device=device_of(checks), checks=tuple(checks))

    def _problem(self, exit_code: int | None) -> str:
        if not self._has_begun:
            return "the runner did not start" + _with_code(exit_code)
        if not self._has_ended:
            where = f" during {self._running}" if self._running else ""
            return f"the runner stopped{where}" + _with_code(exit_code)
        if exit_code:
            return "the runner ended" + _with_code(exit_code)
        return ""

    def _unanswered(self, id: str) -> Check:
        what = "the run ended while this check ran" if id == self._running else "the run ended before this check"
        return Check(
            id=id,
            group=id.split(".")[0],
            status=Status.FAIL,
            measured="no answer",
            expected="an answer",
            hint=f"{what}: see {COMPLETE_ID}",
        )

    def _read(self, line: bytes) -> None:
        try:
            document = json.loads(line)
            event = document["event"]
            match event:
                case "begin":
                    self._announced = tuple(_text(id) for id in document["checks"])
                    self._has_begun = True
                    self._listener(RunBegun(ids=self._announced))
                case "started":
                    self._running = _text(document["id"])
                    self._listener(CheckStarted(id=self._running))
                case "finished":
                    check = check_from(document["check"])
                    self._checks[check.id] = check
                    self._running = None
                    self._listener(CheckFinished(check=check))
                case "end":
                    self._has_ended = True
                case _:
                    self._keep(line.decode("utf-8", "replace"))
        except (ValueError, KeyError, TypeError, RecursionError):
            self._keep(line.decode("utf-8", "replace"))

    def _keep(self, line: str) -> None:
        if line.strip():
            self._diagnostics.append(line.rstrip("\r"))
            del self._diagnostics[:-KEPT_LINES]


def _with_code(exit_code: int | None) -> str:
    if exit_code is None:
        return ": it was stopped from outside"
    if exit_code == 137:
        return " (exit code 137: killed, as the kernel does when memory runs out)"
    return f" (exit code {exit_code})"


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def check_from(document: dict[str, Any]) -> Check:
    """A check from its JSON. Raises KeyError, TypeError or ValueError for anything that is not one."""
    return Check(
        id=_text(document["id"]),
        group=_text(document["group"]),
        status=Status(document["status"]),
        measured=document.get("measured"),
        expected=document.get("expected"),
        seconds=float(document.get("seconds", 0.0)),
        hint=_text(document.get("hint", "")),
    )


def device_of(checks: list[Check]) -> str:
    """On what the gpu group ran: the devices' names, "mock" for wiring without a device, "none"."""
    told = [check.measured for check in checks if check.group == "gpu" and isinstance(check.measured, dict)]
    names: list[str] = []
    for measured in told:
        devices = measured.get("devices")
        names += [str(name) for name in devices] if isinstance(devices, list) else []
        names += [str(measured["device"])] if "device" in measured else []
    if names:
        return ", ".join(dict.fromkeys(names))
    return "mock" if any(measured.get("is_mock") for measured in told) else "none"
