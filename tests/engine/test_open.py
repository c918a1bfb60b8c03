"""`wsb open`: Jupyter for real, and the IDEs' own commands where they are installed and where they are not."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.engine.devcontainers import *  # noqa: F403
from tests.engine.devcontainers import PREFIX
from tests.engine.workspaces import WSB, wsb
from tests.support.polling import eventually

pytestmark = pytest.mark.engine


def test_jupyter_is_opened_on_loopback_with_a_token(ide_project: Path) -> None:
    with started(ide_project, "open", "jupyter") as opening:
        assert opening.stdout
        url = opening.stdout.readline().strip()
        base, _, token = url.partition("/lab?token=")
        assert base.startswith("http://127.0.0.1:")
        address = f"{base}/api/kernelspecs?token={token}"
        eventually(lambda: answer(address), "Jupyter's answer", 240)
        kernels = answer(address) or b""
        assert json.loads(kernels)["kernelspecs"]["python3"]["spec"]["argv"][0] == f"{PREFIX}/bin/python"
        assert answer(f"{base}/api/kernelspecs") is None
        opening.send_signal(signal.SIGINT)
        opening.wait(120)
    assert opening.returncode == 0


def test_opening_says_what_to_click_where_the_ide_is_not_installed(ide_project: Path) -> None:
    for what, words in (("vscode", "Dev Containers: Reopen in Container"), ("pycharm", f"{PREFIX}/bin/python")):
        opened = wsb(ide_project, "open", what, "--variant", "cpu", PATH="/nowhere")
        assert opened.code == 0, opened.err
        assert words in opened.err
        assert opened.out.startswith(("vscode-remote://dev-container+", "jetbrains://pycharm/"))
        assert len(opened.out.splitlines()) == 1


def test_vscodes_command_is_given_the_folder_and_the_file(ide_project: Path, tmp_path: Path) -> None:
    told, code = tmp_path / "told", tmp_path / "code"
    code.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {told}.part && /bin/mv {told}.part {told}\n')
    code.chmod(0o755)
    opened = wsb(ide_project, "open", "vscode", "--variant", "cpu", PATH=str(tmp_path))
    assert opened.code == 0, opened.err
    eventually(told.exists, "the command `code`")
    assert told.read_text().splitlines() == ["--folder-uri", opened.out.strip()]
    assert "not installed" not in opened.err


@contextmanager
def started(folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """wsb as it runs, gone afterwards whatever happened."""
    environ = {**os.environ, "XDG_STATE_HOME": str(folder.parent / "state")}
    process = subprocess.Popen(
        [*WSB, *words],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate()


def answer(url: str) -> bytes | None:
    """What a server says; None where it does not answer, or refuses."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            content: bytes = response.read()
            return content
    except (OSError, http.client.HTTPException):
        return None
