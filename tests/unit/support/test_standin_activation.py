"""Activation, as shells see it: the code that the stand-in prints is run by /bin/sh and bash, under set -eu too."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.standin_conda.program import settings, shell
from tests.support.standin_conda.program.arguments import parser

_ASK = 'echo "$CONDA_DEFAULT_ENV|$CONDA_PREFIX|$CONDA_SHLVL|$PATH|${MARK-unset}|$PS1"'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An installation with two environments, and a `conda` that is the stand-in run by this Python."""
    root = tmp_path / "conda"
    for prefix in (root, root / "envs" / "one", root / "envs" / "two"):
        (prefix / "conda-meta").mkdir(parents=True)
        (prefix / "conda-meta" / "history").touch()
        (prefix / "bin").mkdir()
        for when, text in (
            ("activate", f"export MARK='{prefix.name} on'\n"),
            ("deactivate", f"export MARK='{prefix.name} off'\n"),
        ):
            folder = prefix / "etc" / "conda" / f"{when}.d"
            folder.mkdir(parents=True)
            (folder / "mark.sh").write_text(text)
    return root


@pytest.mark.parametrize("name", ["sh", "bash"])
def test_environments_stack_up_and_come_off_again(root: Path, name: str, pytestconfig: pytest.Config) -> None:
    lines = _run(root, name, f"conda activate one; {_ASK}; conda activate two; {_ASK}; conda deactivate; {_ASK}", pytestconfig)
    one, two = root / "envs" / "one", root / "envs" / "two"
    assert lines == [
        f"one|{one}|1|{one}/bin:{root}/condabin:/usr/bin:/bin|one on|(one) $ ",
        f"two|{two}|2|{two}/bin:{root}/condabin:/usr/bin:/bin|two on|(two) $ ",
        f"one|{one}|1|{one}/bin:{root}/condabin:/usr/bin:/bin|one on|(one) $ ",
    ]


def test_the_last_deactivation_leaves_nothing(root: Path, pytestconfig: pytest.Config) -> None:
    lines = _run(root, "sh", f"conda activate {root}/envs/one; conda deactivate; {_ASK}", pytestconfig)
    assert lines == [f"||0|{root}/condabin:/usr/bin:/bin|one off|$ "]


def test_variables_of_an_environment_are_set_and_put_back(root: Path, pytestconfig: pytest.Config) -> None:
    (root / "envs" / "one" / "conda-meta" / "state").write_text('{"version": 1, "env_vars": {"DEEP": "it\'s"}}')
    text = 'DEEP=before; export DEEP; conda activate one; echo "$DEEP"; conda deactivate; echo "$DEEP"'
    assert _run(root, "sh", text, pytestconfig) == ["it's", "before"]


def test_an_alias_keeps_its_own_name(root: Path, pytestconfig: pytest.Config) -> None:
    (root / "envs" / "mnist").symlink_to(root / "envs" / "one")
    lines = _run(root, "sh", 'conda activate mnist; echo "$CONDA_DEFAULT_ENV $CONDA_PREFIX"', pytestconfig)
    assert lines == [f"mnist {root}/envs/mnist"]


def test_an_environment_that_is_not_there_is_an_error(root: Path, pytestconfig: pytest.Config) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        _run(root, "sh", "conda activate three", pytestconfig)
    assert "EnvironmentNameNotFound: Could not find conda environment: three" in failed.value.stderr


@pytest.mark.parametrize("words", [["create", "--frobnicate"], ["env", "update", "-y"], ["frob"]])
def test_what_is_not_known_is_refused_by_the_stand_in_as_such(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        parser().parse_args(words)
    assert stopped.value.code == 2
    assert "stand-in conda does not know this" in capsys.readouterr().err


def test_the_version_says_that_it_is_a_stand_in(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["--version"])
    assert capsys.readouterr().out == "conda 26.5.3 (wsb stand-in)\n"


def _run(root: Path, name: str, text: str, config: pytest.Config) -> list[str]:
    if shutil.which(name) is None:
        pytest.skip(f"needs {name}")
    conda = root / "bin" / "conda"
    conda.write_text(
        f"#!/bin/sh\nCONDA_ROOT_PREFIX_OF_STANDIN={root} PYTHONPATH={config.rootpath} "
        f'exec {sys.executable} -m tests.support.standin_conda.program "$@"\n'
    )
    conda.chmod(0o755)
    loaded = settings.load(root, {"HOME": str(root)}, {"auto_activate": False})
    script = f"set -eu\nPS1='$ '\n{shell.hook(loaded)}\n{text}\n"
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(root)}
    done = subprocess.run([name, "-c", script], env=environment, check=True, capture_output=True, text=True)
    return done.stdout.splitlines()
