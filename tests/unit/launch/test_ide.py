"""Which dev container file is opened, by which address, and whose containers are whose."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from builder.engine.base import ContainerInfo, EngineInfo
from builder.launch import ide_container
from builder.launch.container import Identity, RunOptions, container_request
from builder.launch.ide import chosen_variant, found_command, jupyter_command, pycharm_url, vscode_uri
from tests.fakes.engine import INFO

USUAL, GPU, CPU, ROOT = (f".devcontainer/{name}devcontainer.json" for name in ("", "gpu/", "cpu/", "root/"))
SOMEBODY, SUPERUSER = Identity(uid=1001, gid=1001), Identity(uid=0, gid=0)
PROJECT = Path("/home/ada/proj")
METADATA = json.dumps([{"init": True, "remoteUser": "dev"}])


def info(**changes: object) -> EngineInfo:
    given = {name: getattr(INFO, name) for name in ("kind", "version", "api_version", "os", "arch")}
    return EngineInfo(**{**given, **changes})  # type: ignore[arg-type]


def chosen(
    passthrough: str,
    who: Identity = SOMEBODY,
    engine: EngineInfo = INFO,
    has: Callable[[str], bool] = lambda _: True,
    **wanted: str,
) -> str:
    return chosen_variant({"passthrough": passthrough}, who, engine, has, **wanted).path


def test_the_usual_file_is_opened_where_the_ide_finds_the_gpu_or_there_is_none() -> None:
    assert chosen("none") == USUAL
    assert chosen("gpus") == USUAL


@pytest.mark.parametrize("mode", ["cdi", "runtime", "rocm", "xpu"])
def test_the_gpu_file_is_opened_where_the_ide_would_not_find_it(mode: str) -> None:
    assert chosen(mode) == GPU
    assert chosen(mode, has=lambda path: path == USUAL) == USUAL


def test_root_and_whoever_is_root_inside_get_the_file_for_root() -> None:
    assert chosen("gpus", SUPERUSER) == ROOT
    assert chosen("none", engine=info(is_rootless=True)) == ROOT
    assert chosen("none", SUPERUSER, has=lambda path: path != ROOT) == USUAL


def test_podman_which_stops_at_an_optional_gpu_is_told_plainly() -> None:
    podman = info(kind="podman", is_rootless=True)  # keep-id makes the user inside the one outside
    assert chosen("none", engine=podman) == CPU
    assert chosen("cdi", engine=podman) == GPU


def test_what_is_asked_for_is_taken() -> None:
    assert chosen("cdi", SUPERUSER, wanted="cpu") == CPU


def test_vscodes_address_holds_the_folder_and_the_file_unless_it_is_the_usual_one() -> None:
    usual = vscode_uri(PROJECT, chosen_variant({}, SOMEBODY, INFO, lambda _: True))
    assert usual == f"vscode-remote://dev-container+{b'/home/ada/proj'.hex()}/workspace"
    other = vscode_uri(PROJECT, chosen_variant({}, SOMEBODY, INFO, lambda _: True, "gpu"))
    told = json.loads(bytes.fromhex(other.partition("+")[2].partition("/")[0]))
    assert told["hostPath"] == "/home/ada/proj"
    assert told["configFile"]["path"] == f"/home/ada/proj/{GPU}"
    windows = vscode_uri(PROJECT, chosen_variant({}, SOMEBODY, INFO, lambda _: True), wsl_distribution="Ubuntu")
    assert bytes.fromhex(windows.partition("+")[2].partition("/")[0]).decode() == r"\\wsl.localhost\Ubuntu\home\ada\proj"


def test_pycharms_address_is_one_url() -> None:
    url = pycharm_url(Path("/home/ada/my proj"), chosen_variant({}, SOMEBODY, INFO, lambda _: True))
    assert url == "jetbrains://pycharm/navigate/reference?project=my%20proj&path=.devcontainer/devcontainer.json"


def test_the_first_command_that_is_installed_is_taken() -> None:
    assert found_command(("code", "codium"), {"codium": "/usr/bin/codium"}.get) == "/usr/bin/codium"
    assert found_command(("code",), lambda _: None) is None


def test_no_list_of_processes_shows_jupyters_token() -> None:
    assert not any("token" in word for word in jupyter_command("jupyterlab", 8888))


def container(**labels: str) -> ContainerInfo:
    return ContainerInfo(id="1", name="n", image="i", labels={name.replace("__", "."): text for name, text in labels.items()})


def test_an_ides_container_is_found_and_wsbs_own_is_not_taken_for_one(tmp_path: Path) -> None:
    folder, link = tmp_path / "proj", tmp_path / "link"
    folder.mkdir()
    link.symlink_to(folder)
    ide = container(devcontainer__local_folder=str(link), devcontainer__config_file=f"{link}/.devcontainer/devcontainer.json")
    own = ContainerInfo(id="2", name="n", image="i", labels=ide_container.labels(folder, {}, "dev"))
    other = container(devcontainer__local_folder=str(tmp_path))
    assert ide_container.of_project([own, other, ide], folder) is ide
    assert ide_container.of_project([own, other], folder) is None


@pytest.mark.parametrize(("who", "user"), [(Identity(uid=1000, gid=1000), "dev"), (SOMEBODY, "1001:1001"), (SUPERUSER, "0:0")])
def test_whoever_attaches_to_a_container_of_wsb_run_is_who_runs_in_it(who: Identity, user: str) -> None:
    request = container_request(
        image="i",
        document={"name": "proj", "user": {"name": "dev", "uid": 1000}},
        project=PROJECT,
        command=["true"],
        identity=who,
        info=INFO,
        options=RunOptions(env={}),
        image_labels={"devcontainer.metadata": METADATA},
    )
    assert request.labels["devcontainer.local_folder"] == str(PROJECT)
    # an IDE that opens the folder makes its own: this file is none of its
    assert request.labels["devcontainer.config_file"] == f"{PROJECT}/wsb.yaml"
    assert ide_container.remote_user({"devcontainer.metadata": METADATA, **request.labels}) == request.user == user


@pytest.mark.parametrize("text", ["", "{", "[1]", "7", '{"remoteUser": ""}'])
def test_a_label_that_says_nothing_names_nobody(text: str) -> None:
    assert ide_container.remote_user({"devcontainer.metadata": text}) == ""
