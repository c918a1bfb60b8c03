"""From an exception to what the user sees and the exit code: one sentence for what is known, a report for a bug."""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

from builder import __version__
from builder.errors import ExitCode, Problems, WsbError
from builder.ui.console import Console, error_document


def report(error: BaseException, arguments: Sequence[str]) -> int:
    """Print the error (as JSON on stdout where --json was asked for) and return the exit code."""
    console = Console.standard(os.environ)
    wants_json = "--json" in _own_arguments(arguments)
    if isinstance(error, (click.exceptions.Abort, KeyboardInterrupt)):
        error = WsbError("interrupted", "interrupted")
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.ClickException):
        return _usage(error, console, wants_json)
    if isinstance(error, BrokenPipeError):
        # Whoever read our output went away (`wsb plan | head`); that is no error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE
    if not isinstance(error, (WsbError, Problems)):
        return _bug(error, console, wants_json, arguments)
    if wants_json:
        _print_json(error_document(error))
    else:
        console.error(error)
    return error.exit_code


def _own_arguments(arguments: Sequence[str]) -> Sequence[str]:
    """What is addressed to wsb: nothing after `--` is."""
    return arguments[: arguments.index("--")] if "--" in arguments else arguments


def _usage(error: click.ClickException, console: Console, wants_json: bool) -> int:
    if wants_json:
        _print_json({"schema": "wsb.error/1", "code": "usage", "message": error.format_message(), "hints": []})
        return ExitCode.USAGE
    if isinstance(error, click.UsageError) and error.ctx is not None:
        console.line(error.ctx.get_usage())
    console.line(f"error: {error.format_message()}")
    return ExitCode.USAGE


def _bug(error: BaseException, console: Console, wants_json: bool, arguments: Sequence[str]) -> int:
    """An exception nobody foresaw: versions and traceback go to a file, the user gets its path."""
    text = "".join(traceback.format_exception(error))
    details = (
        f"wsb {__version__}, Python {platform.python_version()}, {platform.platform()}\narguments: {list(arguments)}\n\n{text}"
    )
    with tempfile.NamedTemporaryFile("w", prefix="wsb-bug-", suffix=".log", delete=False, encoding="utf-8") as log:
        log.write(details)
    message = f"this is a bug in wsb: {type(error).__name__}: {error}"
    if wants_json:
        _print_json({"schema": "wsb.error/1", "code": "bug", "message": message, "hints": [f"details: {log.name}"]})
    else:
        console.line(f"error: {message}")
        console.line(f"hint: please report it with {Path(log.name)}, which holds versions and the traceback")
    return ExitCode.BUG


def _print_json(document: object) -> None:
    print(json.dumps(document, indent=2, ensure_ascii=False))
