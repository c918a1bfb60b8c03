"""The one Jinja environment: templates place values and never decide.

An undefined name and a None are errors, and each target syntax has one filter.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined


def make_environment(templates: Mapping[str, str]) -> Environment:
    """A Jinja environment over template texts by path."""
    environment = Environment(
        loader=DictLoader(dict(templates)),
        undefined=StrictUndefined,
        finalize=_refuse_none,
        autoescape=False,  # the targets are Dockerfiles and shell scripts, never HTML
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["shell"] = shlex.quote
    environment.filters["env_value"] = env_value
    environment.filters["exec_form"] = json.dumps
    return environment


def env_value(text: str) -> str:
    """A value as ENV and LABEL want it: in double quotes, with what Docker would expand made literal."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    if "\n" in escaped:
        raise ValueError("a value of ENV or LABEL holds no newline")
    return f'"{escaped}"'


def _refuse_none(value: Any) -> Any:
    if value is None:
        raise ValueError("a template placed None: what is missing is decided in render, not in a template")
    return value
