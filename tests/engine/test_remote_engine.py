"""An engine on another machine, reached as docker reaches it: DOCKER_HOST=ssh://… and contexts, over a real ssh server.

The other machine is this one; where it must not have the project's folder, wsb alone sees that folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.engine.docker_sdk import DockerEngine
from builder.errors import WsbError
from tests.engine.workspaces import WSB, Ran, project, wsb
from tests.support.polling import eventually
from tests.support.sshd import SshServer

pytestmark = pytest.mark.engine

YAML = "name: wsbtest-remote\ntorch: none\nmanager: venv\nbase: {bootstrap: bookworm}\nide: []\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    started = SshServer(tmp_path_factory.mktemp("ssh") / "server")
    started.start()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def remote(server: SshServer) -> dict[str, str]:
    """The environment of somebody whose engine is elsewhere."""
    return {"DOCKER_HOST": f"ssh://{server.destination}", "PATH": server.path()}


@pytest.fixture(scope="module")
def workspace(engine: DockerEngine, remote: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = project(tmp_path_factory.mktemp("remote") / "project", wsb_yaml=YAML, hello_py="print('hello')\n")
    built = wsb(folder, "build", "--fallback", **remote)
    assert built.code == 0, built.err
    return folder


def tunnels() -> list[str]:
    listed = subprocess.run(["ps", "-eo", "args="], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if "wsb-tunnel-is-there" in line and "ps -eo" not in line]


def test_build_test_and_run_go_through_ssh(workspace: Path, remote: dict[str, str], engine: DockerEngine) -> None:
    assert engine.image("wsbtest-remote:latest") is not None
    tested = wsb(workspace, "test", "--quick", "--json", **remote)
    assert tested.code == 0, tested.err
    assert tested.document["summary"]["fail"] == 0
    ran = wsb(workspace, "run", "--", "sh", "-c", "python hello.py; cat; echo err >&2; exit 7", stdin="input\n", **remote)
    assert (ran.code, ran.out) == (7, "hello\ninput\n")
    assert "err\n" in ran.err
    eventually(lambda: tunnels() == [], "no tunnel is left")


def test_a_folder_that_is_not_there_is_said_so(workspace: Path, remote: dict[str, str], tmp_path: Path) -> None:
    # a file system that only this process has holds the project
    here = tmp_path / "only-here"
    here.mkdir()
    script = f'mount -t tmpfs none {here} && cp -a {workspace}/. {here} && rmdir {here}/x 2>/dev/null; cd {here} && exec "$@"'
    # the engine's machine has no such folder at all
    inner = f'mkdir {here}/deeper && cp {here}/* {here}/deeper 2>/dev/null; cd {here}/deeper && exec "$@"'
    words = ["unshare", "--mount", "sh", "-c", script, "sh", "sh", "-c", inner, "sh", *WSB, "run", "--", "true"]
    env = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state"), **remote}
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=env)
    ran = Ran(done.returncode, done.stdout, done.stderr)
    assert ran.code == 4, ran.err
    assert f"{here}/deeper does not exist on the machine of ssh://" in ran.err
    assert f"rsync -a {here}/deeper/" in ran.err


def test_a_context_is_followed_like_docker_follows_it(workspace: Path, remote: dict[str, str], tmp_path: Path) -> None:
    name = "lab"
    meta = tmp_path / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
    meta.mkdir(parents=True)
    endpoint = {"Host": remote["DOCKER_HOST"], "SkipTLSVerify": False}
    (meta / "meta.json").write_text(json.dumps({"Name": name, "Metadata": {}, "Endpoints": {"docker": endpoint}}))
    (tmp_path / "config.json").write_text(json.dumps({"currentContext": name}))
    environment = {"DOCKER_CONFIG": str(tmp_path), "PATH": remote["PATH"], "DOCKER_HOST": ""}
    ran = wsb(workspace, "run", "--", "echo", "through a context", **environment)
    assert (ran.code, ran.out) == (0, "through a context\n"), ran.err


def test_an_engine_that_ssh_does_not_reach_is_named_with_sshs_own_words(
    server: SshServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", server.path())
    with pytest.raises(WsbError) as caught:
        DockerEngine.connect({"DOCKER_HOST": f"ssh://127.0.0.1:{server.port + 1 if server.port < 65535 else 1}"})
    assert caught.value.code == "engine-unreachable"
    assert "refused" in " ".join(caught.value.details)


def test_a_tunnel_ends_when_wsb_is_killed(
    workspace: Path, remote: dict[str, str], tmp_path: Path, engine: DockerEngine
) -> None:
    env = {**os.environ, "XDG_STATE_HOME": str(tmp_path), **remote}
    words = [*WSB, "run", "--", "sh", "-c", "echo ready; exec sleep 600"]
    with subprocess.Popen(words, cwd=workspace, stdout=subprocess.PIPE, env=env) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        assert tunnels()
        process.kill()
    eventually(lambda: tunnels() == [], "no tunnel is left")
    # nobody could remove the container any more; wsb ls shows it
    for container in engine._api.containers(filters={"ancestor": "wsbtest-remote:latest"}):
        engine._api.remove_container(container["Id"], force=True)
