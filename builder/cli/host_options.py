"""The options that say which machine a plan is for, shared by the verbs that decide."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from builder.model.host import Host

F = TypeVar("F", bound=Callable[..., Any])


def host_options(command: F) -> F:
    """--host, --driver and --gpu, handed to the command as host_file, driver and gpus."""
    options = (
        click.option(
            "--host", "host_file", metavar="FILE", help="Plan for the machine that FILE describes (- is standard input)."
        ),
        click.option("--driver", metavar="VERSION", help='Its NVIDIA driver, such as 550.54.15; "none" for none.'),
        click.option(
            "--gpu", "gpus", metavar="NAME", multiple=True, help='Its GPU, such as "RTX 3090" or 8.6; may be repeated.'
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def host_of(host_file: str | None, driver: str | None, gpus: tuple[str, ...]) -> Host:
    """The machine to plan for: the one told, else this one. Raises WsbError for what is not understood."""
    from builder.catalog import load
    from builder.catalog.hostfile import parse_host, told

    if host_file is not None:
        host = parse_host(_text(host_file), host_file, load())
    else:
        from builder.surroundings import host_to_plan_for

        host = host_to_plan_for(os.environ)
    return told(host, load(), driver=driver, gpus=gpus)


def _text(host_file: str) -> str:
    from builder.errors import WsbError

    if host_file == "-":
        return sys.stdin.read()
    try:
        return Path(host_file).read_text("utf-8")
    except UnicodeDecodeError:
        raise WsbError("bad-value", f"{host_file} is not text in UTF-8") from None
    except OSError as error:
        raise WsbError("no-such-file", f"cannot read {host_file}: {error.strerror}") from None
