"""What the real devcontainer CLI asks of Podman for wsb's files. Podman is a script that writes down what it is asked:
nothing runs, so this is about the words alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from builder.cli.main import run
from tests.engine.devcontainers import *  # noqa: F403
from tests.support.devcontainer_cli import DevcontainerCli

pytestmark = pytest.mark.engine

# `info` fails as Podman's does, which knows no runtimes; nothing is started, so `run` fails too
PODMAN = """#!/bin/sh
echo "$@" >> "{log}"
case "$*" in
  -v) echo "podman version 5.4.0" ;;
  "version --format"*) echo 5.4.0 ;;
  "image inspect"*) echo built ;;
  "inspect --type image"*) echo '[{{"Id":"sha256:1","Architecture":"amd64","Os":"linux",
    "Config":{{"User":"dev","Env":["PATH=/bin"],"Labels":{{}}}}}}]' ;;
  "ps "* | build*) ;;
  events*) exec cat ;;
  *) exit 125 ;;
esac
"""


@pytest.fixture
def project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "wsb.yaml").write_text("name: mnist\ntorch: '2.6'\n")
    assert run(["-C", str(folder), "render", "--driver", "550.54.15", "--gpu", "RTX 3090"]) == 0
    return folder


def asked(cli: DevcontainerCli, project: Path, variant: str) -> dict[str, str]:
    """Podman's subcommand → the last words it was asked with."""
    podman, log = project.parent / "podman", project.parent / "log"
    podman.write_text(PODMAN.format(log=log))
    podman.chmod(0o755)
    (project.parent / "docker").symlink_to(podman)  # as the package podman-docker has it
    alone = replace(cli, environ={**cli.environ, "PATH": f"{project.parent}:/usr/bin:/bin"})
    config = project / ".devcontainer" / variant / "devcontainer.json"
    words = ("--workspace-folder", str(project), "--config", str(config), "--docker-path", str(podman))
    assert alone("up", *words, "--skip-post-create").document["outcome"] == "error"  # nothing was started
    return {line.partition(" ")[0]: line for line in log.read_text().splitlines()}


def test_the_cpu_file_runs_as_the_user_outside_and_asks_for_no_gpu(devcontainer_cli: DevcontainerCli, project: Path) -> None:
    run_words = asked(devcontainer_cli, project, "cpu")["run"]
    assert "--userns=keep-id" in run_words
    assert "target=/workspace,type=bind" in run_words
    assert not any(word in run_words for word in ("--gpus", "--device", "--runtime"))


def test_the_gpu_file_names_the_gpu_and_asks_podman_for_no_runtimes(devcontainer_cli: DevcontainerCli, project: Path) -> None:
    words = asked(devcontainer_cli, project, "gpu")
    assert " --gpus all " in words["run"]
    assert "info" not in words


def test_the_usual_file_stops_podman_so_wsb_open_takes_another(devcontainer_cli: DevcontainerCli, project: Path) -> None:
    """Held here so that the work-around goes when the CLI no longer needs it; see launch.ide.chosen_variant."""
    words = asked(devcontainer_cli, project, ".")
    assert "run" not in words
    assert "Runtimes.nvidia" in words["info"]
