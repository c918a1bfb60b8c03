"""The rendered dev container opened by the real CLI, as a person whose uid is not the image's: what an IDE then finds."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import io
import json
import os
import pty
import shutil
import struct
import subprocess
import termios
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from builder.cli.common import built_workspace
from builder.engine.containers import created
from builder.engine.docker_sdk import DockerEngine
from builder.host.local import ca_bundle
from builder.launch.container import Identity, RunOptions, container_request
from tests.engine.devcontainers import *  # noqa: F403
from tests.engine.devcontainers import NAME, PREFIX, Home, Opener, clean
from tests.engine.workspaces import PYTHON_PREFIX, WSB, project, wsb
from tests.support.debugging import Debugger
from tests.support.devcontainer_cli import DevcontainerCli
from tests.support.private_engine import PrivateEngine

pytestmark = pytest.mark.engine

KERNEL = """
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name="python3", startup_timeout=120)
said = []
client.execute_interactive("import sys, torch; print(sys.prefix, torch.ones(2).sum().item())", timeout=120,
                           output_hook=lambda message: said.append(message["content"].get("text", "")))
manager.shutdown_kernel(now=True)
print("".join(said))
"""


@pytest.fixture(scope="module")
def home(opener: Opener, ide_project: Path) -> Home:
    """Opened by a person with uid 1001: the image's own user has 1000."""
    return opener(ide_project, 1001)


def test_a_start_shows_the_quick_smoke_result(home: Home) -> None:
    assert "checks passed, 0 failed" in home.opened.log
    assert f"wsb: {NAME}: Python 3." in home.opened.log
    assert home.opened.document["remoteUser"] == "dev"
    assert home.opened.document["remoteWorkspaceFolder"] == "/workspace"


@pytest.mark.parametrize("shell", [(), ("bash", "-c"), ("bash", "-lc"), ("bash", "-ic")])
def test_the_interpreter_is_the_environments_in_every_terminal(home: Home, shell: tuple[str, ...]) -> None:
    words = (*shell, f"python -c '{PYTHON_PREFIX}'") if shell else ("python", "-c", PYTHON_PREFIX)
    assert home.exec(*words).strip() == PREFIX


def test_files_belong_to_whoever_opened_it(home: Home) -> None:
    home.exec("sh", "-c", "echo x > written; mkdir folder")
    assert {(home.folder / name).stat().st_uid for name in ("written", "folder")} == {home.person.uid}


def test_the_environment_was_not_chowned_and_can_be_written(home: Home) -> None:
    owned = "find /opt/venv -user dev ! -path '*/__pycache__*' | wc -l"  # without what an import has left there
    assert home.exec("sh", "-c", f"{owned}; stat -c '%u %G' /opt/venv/wsb/lib").split() == ["0", "0", "wsb"]
    (home.folder / "tiny_of_wsb-1.0-py3-none-any.whl").write_bytes(wheel("tiny_of_wsb"))
    home.exec("pip", "install", "--quiet", "--no-index", "./tiny_of_wsb-1.0-py3-none-any.whl")
    assert home.exec("python", "-c", "import tiny_of_wsb; print(tiny_of_wsb.__file__)").startswith("/opt/venv/")


def test_pytest_finds_the_tests(home: Home) -> None:
    found = home.exec("python", "-m", "pytest", "--collect-only", "-q")
    assert "tests/test_model.py::test_the_network_can_learn_a_few_images_by_heart" in found


def test_a_kernel_of_the_environment_runs_a_cell(home: Home) -> None:
    assert home.exec("python", "-c", KERNEL).strip() == f"{PREFIX} 2.0"
    kernels = json.loads(home.exec("python", "-m", "jupyter_client.kernelspecapp", "list", "--json"))["kernelspecs"]
    assert kernels["python3"]["spec"]["argv"][0] == f"{PREFIX}/bin/python"
    assert kernels["python3"]["spec"]["display_name"].startswith(f"{NAME} (Python 3.")


def test_the_debugger_stops_at_a_breakpoint_of_the_example(home: Home) -> None:
    source = (home.folder / "train.py").read_text().splitlines()
    line = 1 + next(number for number, text in enumerate(source, 1) if text.startswith("def choose_device("))
    command = ("exec", "--workspace-folder", str(home.folder), "python", "-m", "debugpy.adapter")
    with home.cli.start(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as adapter:
        debugger = Debugger(adapter)
        debugger.ask("initialize", adapterID="debugpy", linesStartAt1=True, columnsStartAt1=True, pathFormat="path")
        launched = debugger.send(
            "launch",
            program="/workspace/train.py",
            args=["--epochs", "1", "--workers", "0"],
            cwd="/workspace",
            console="internalConsole",
            # its worker processes would wait for a debugger of their own, and this test with them if nothing stopped
            subProcess=False,
        )
        debugger.event("initialized")
        told = debugger.ask("setBreakpoints", source={"path": "/workspace/train.py"}, breakpoints=[{"line": line}])
        assert [one["verified"] for one in told["breakpoints"]] == [True]
        debugger.ask("configurationDone")
        debugger.answer(launched)
        stopped = debugger.event("stopped")
        frame = debugger.ask("stackTrace", threadId=stopped["threadId"], levels=1)["stackFrames"][0]
        prefix = debugger.ask("evaluate", expression="__import__('sys').prefix", frameId=frame["id"])["result"]
        debugger.send("disconnect", terminateDebuggee=True)
        adapter.communicate()
    assert stopped["reason"] == "breakpoint"
    assert (frame["source"]["path"], frame["line"], frame["name"]) == ("/workspace/train.py", line, "choose_device")
    assert prefix == f"'{PREFIX}'"


def test_wsb_shell_enters_the_container_the_ide_started(home: Home) -> None:
    ran = wsb(home.folder, "shell", stdin="id -u; pwd; cat /etc/hostname; exit 3\n")
    assert ran.code == 3, ran.err
    uid, where, host = ran.out.split()
    assert (uid, where) == ("1001", "/workspace")
    assert home.opened.document["containerId"].startswith(host)
    assert "the container that an IDE started" in ran.err
    assert "cat: " not in wsb(home.folder, "shell", "--new", stdin="cat wsb.yaml\n").err


def test_wsb_shell_has_the_terminal_and_its_size_there_too(home: Home) -> None:
    screen, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 99, 0, 0))
    with subprocess.Popen([*WSB, "shell"], cwd=home.folder, stdin=terminal, stdout=terminal, stderr=terminal) as shell:
        os.close(terminal)
        os.write(screen, b"until [ \"$(stty size)\" = '33 99' ]; do :; done; echo here-$(tty); exit 4\n")
        shown = b""
        with suppress(OSError):  # how a terminal tells that nobody has it open any more
            while piece := os.read(screen, 4096):
                shown += piece
    os.close(screen)
    assert shell.returncode == 4
    assert b"here-/dev/pts/" in shown


def test_a_container_of_wsb_run_can_be_attached_to(home: Home, engine: DockerEngine) -> None:
    """By the labels an IDE's tools look for, as whoever runs in it; `up` does not take it for the IDE's own."""
    present = built_workspace(engine, str(home.folder))
    request = container_request(
        image=present.image.id,
        document=present.document,
        project=home.folder,
        command=("python", "-c", "input()"),
        identity=Identity(uid=home.person.uid, gid=home.person.uid),
        info=engine.info(),
        options=RunOptions(env={}),
        image_labels=present.image.labels,
    )
    labels = (f"devcontainer.local_folder={home.folder}", f"devcontainer.config_file={home.folder}/wsb.yaml")
    with created(engine._api, request, has_stdin=True) as container:
        engine._api.start(container)
        (found,) = engine._api.containers(filters={"label": list(labels)})
        assert found["Id"] == container
        assert home.cli("set-up", "--container-id", container).document["outcome"] == "success"
        command = (
            "exec",
            "--container-id",
            container,
            "sh",
            "-c",
            "id -u; echo $HOME; python -c 'import torch, sys; print(sys.prefix)'",
        )
        said = home.cli(*command)
        assert said.code == 0, said.log
        assert said.log.split()[:3] == ["1001", "/home/dev", PREFIX]
        again = home.cli("up", "--workspace-folder", str(home.folder), "--buildkit", "never", "--skip-post-create")
        assert again.document["containerId"] == home.opened.document["containerId"]


def test_the_rendered_files_are_what_is_there(home: Home) -> None:
    assert wsb(home.folder, "render", "--fallback", "--check").code == 0


def test_a_root_user_opens_the_file_for_root(opener: Opener, ide_project: Path) -> None:
    home = opener(ide_project, 0, "root")
    assert home.opened.document["remoteUser"] == "root"
    assert "checks passed, 0 failed" in home.opened.log
    home.exec("sh", "-c", "echo x > written")
    assert (home.folder / "written").stat().st_uid == 0


@pytest.fixture
def bare(engine: DockerEngine, ide_project: Path, tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """(folder, file) of a project whose dev container says nothing but the image's name."""
    config = tmp_path / ".devcontainer" / "devcontainer.json"
    config.parent.mkdir()
    config.write_text(json.dumps({"image": f"{NAME}:latest"}))
    yield tmp_path, config
    clean(engine, tmp_path)


def test_the_bare_image_brings_its_settings_along(devcontainer_cli: DevcontainerCli, bare: tuple[Path, Path]) -> None:
    words = ("--workspace-folder", str(bare[0]), "--include-merged-configuration")
    read = devcontainer_cli("read-configuration", *words)
    assert read.code == 0, read.log
    merged = read.document["mergedConfiguration"]
    (vscode,) = merged["customizations"]["vscode"]
    assert vscode["settings"]["python.defaultInterpreterPath"] == f"{PREFIX}/bin/python"
    assert "ms-toolsai.jupyter" in vscode["extensions"]
    assert merged["customizations"]["jetbrains"] == [{"backend": "PyCharm"}]
    assert (merged["remoteUser"], merged["init"], merged["userEnvProbe"]) == ("dev", True, "none")
    assert {8888, 6006} <= set(merged["forwardPorts"])


def test_the_bare_image_opens_in_its_environment(devcontainer_cli: DevcontainerCli, bare: tuple[Path, Path]) -> None:
    opened = devcontainer_cli("up", "--workspace-folder", str(bare[0]), "--buildkit", "never")
    assert opened.code == 0, opened.log
    assert opened.document["remoteUser"] == "dev"
    assert devcontainer_cli.exec(*bare, "python", "-c", PYTHON_PREFIX).strip() == PREFIX


PLAIN = "wsbtest-plain"


def test_without_wsb_the_image_is_built_by_docker_alone(
    engine: DockerEngine, cdi_engine: PrivateEngine, tmp_path: Path
) -> None:
    """What the IDE runs first, on a machine with docker and buildx and no wsb: the rendered Dockerfile is enough."""
    text = f"name: {PLAIN}\ntorch: none\nmanager: venv\nbase: {{bootstrap: bookworm}}\nide: [vscode]\n"
    folder = project(tmp_path / "plain", wsb_yaml=text)
    assert wsb(folder, "render").code == 0
    if authorities := ca_bundle(os.environ):  # the documented place for a company's certificate authorities
        shutil.copy(authorities, folder / ".wsb/network/ca.pem")
    engine.remove_image(f"{PLAIN}:latest")
    tools = {name: value for name, value in cdi_engine.environ.items() if name != "DOCKER_HOST"}
    tools |= {"DOCKER_HOST": host} if (host := os.environ.get("DOCKER_HOST")) else {}
    tools["PATH"] = os.pathsep.join(part for part in tools["PATH"].split(os.pathsep) if not (Path(part) / "wsb").exists())
    command = json.loads((folder / ".devcontainer/devcontainer.json").read_text())["initializeCommand"]
    try:
        done = subprocess.run(command, shell=True, cwd=folder, env=tools, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        asked = wsb(folder, "test", "--quick", "--check", "environment.prefix", "--check", "environment.python", "--json")
        assert asked.code == 0, asked.err
        again = subprocess.run(command, shell=True, cwd=folder, env=tools, capture_output=True, text=True, check=False)
        assert again.stdout == "built\n"
    finally:
        engine.remove_image(f"{PLAIN}:latest")


def wheel(name: str) -> bytes:
    """A wheel with one empty module, so that pip needs no index."""
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": b"",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: wsb\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for path, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(content)}\n"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
        archive.writestr(f"{info}/RECORD", f"{record}{info}/RECORD,,\n")
    return out.getvalue()
