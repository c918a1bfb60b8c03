"""The READMEs are true: what a reader is told to type is known, and what needs no engine is typed here.

What needs an engine is typed by tests/engine/test_readme_on_an_engine.py.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from builder.cli.main import VERBS, wsb
from tests.support.readme import READMES, ROOT, commands, every_command, words

# Verbs that ask neither an engine nor anything outside of this machine.
ALONE = {"plan", "explain", "catalog", "schema", "completion", "render", "init", "diagnose"}


def of(program: str) -> list[str]:
    return [command for command in every_command() if words(command)[:1] == [program]]


def test_every_readme_shows_something_to_type() -> None:
    assert READMES
    assert all(commands(readme) for readme in READMES)


def test_only_programs_that_are_known_are_typed() -> None:
    assert {words(command)[0] for command in every_command()} <= {"make", "wsb", "python", "pip", "devcontainer", "docker"}


@pytest.mark.parametrize("command", of("make"))
def test_make_knows_the_target(command: str) -> None:
    [_, *targets] = words(command)
    written = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(targets) <= set(written)


@pytest.mark.parametrize("command", of("wsb"))
def test_the_verb_takes_these_options(command: str) -> None:
    arguments = words(command)[1:]
    with wsb.make_context("wsb", list(arguments), resilient_parsing=False) as context:
        rest = [*getattr(context, "_protected_args", []), *context.args]  # where click puts a group's own words
        name, verb, remaining = wsb.resolve_command(context, rest)
        assert isinstance(verb, click.Command)
        while isinstance(verb, click.Group) and remaining:
            name, found, remaining = verb.resolve_command(context, remaining)
            assert found is not None
            verb = found
        verb.make_context(name, list(remaining), parent=context)


@pytest.mark.parametrize("command", [command for command in of("wsb") if set(words(command)[1:2]) <= ALONE])
def test_what_needs_no_engine_works(command: str, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(ROOT / "examples" / "digits", project)
    (project / "train.log").write_text("epoch 1\nRuntimeError: CUDA error: no kernel image is available for execution\n")
    ran = subprocess.run(
        [sys.executable, "-m", "builder", *words(command)[1:]],
        cwd=project,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout


@pytest.mark.parametrize("readme", READMES, ids=lambda readme: readme.name)
def test_every_verb_is_told_of(readme: Path) -> None:
    text = readme.read_text("utf-8")
    missing = [verb for verb in VERBS if f"wsb {verb}" not in text]
    assert missing == []
