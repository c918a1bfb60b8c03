"""The options that say which machine a plan is for, shared by the verbs that decide."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from builder.cli.option_groups import handed_as
from builder.model.frozen import frozen

if TYPE_CHECKING:
    from builder.model.host import Host

F = TypeVar("F", bound=Callable[..., Any])


_OPTIONS = (
    click.option("--host", "host_file", metavar="FILE", help="Plan for the machine that FILE describes (- is standard input)."),
    click.option("--driver", metavar="VERSION", help='Its NVIDIA driver, such as 550.54.15; "none" for none.'),
    click.option("--gpu", "gpus", metavar="NAME", multiple=True, help='Its GPU, such as "RTX 3090" or 8.6; may be repeated.'),
)


@frozen
class Machine:
    """As it was told; without any of it, this one."""

    host_file: str | None = None
    driver: str | None = None
    gpus: tuple[str, ...] = ()

    def host(self) -> Host:
        """What there is to plan for. Raises WsbError for what is not understood."""
        from builder.catalog import load
        from builder.catalog.hostfile import parse_host, told

        if self.host_file is not None:
            host = parse_host(_text(self.host_file), self.host_file, load())
        else:
            from builder.surroundings import host_to_plan_for

            host = host_to_plan_for(os.environ)
        return told(host, load(), driver=self.driver, gpus=self.gpus)


def host_options(command: F) -> F:
    """--host, --driver and --gpu, handed to the command as one argument, machine: a Machine."""
    return handed_as("machine", Machine, _OPTIONS)(command)


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
