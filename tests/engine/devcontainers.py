"""Fixtures of the dev container tests: the CLI as several people, and one workspace that all of them open."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from builder.engine.docker_sdk import DockerEngine
from tests.engine.workspaces import wsb
from tests.support.devcontainer_cli import DevcontainerCli, NoDevcontainerCli, Opened, fetched
from tests.support.people import Person, person

__all__ = ["devcontainer_cli", "ide_project", "opener"]

NAME = "wsbtest-ide"
PREFIX = f"/opt/venv/{NAME}"
# the torch image of the other workspaces, found rather than built
WSB_YAML = f"name: {NAME}\ntorch: '>=2.2'\nmanager: venv\nbase: {{bootstrap: bookworm}}\nrequirements: [requirements.txt]\n"
WSB_YAML += "ide: [vscode, pycharm, jupyter]\n"
EXAMPLE = Path(__file__).parents[2] / "examples" / "digits"


@dataclass(frozen=True, kw_only=True)
class Home:
    """A project opened by one person."""

    cli: DevcontainerCli
    folder: Path
    person: Person
    opened: Opened
    config: Path

    def exec(self, *words: str) -> str:
        return self.cli.exec(self.folder, self.config, *words)


@pytest.fixture(scope="session")
def devcontainer_cli(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> DevcontainerCli:
    """The CLI as this process's own user, on the machine's engine; without buildx, which not every machine has."""
    try:
        node, program = fetched(request.config.rootpath / ".cache")
    except NoDevcontainerCli as error:
        pytest.skip(str(error))
    return DevcontainerCli(node=node, program=program, home=tmp_path_factory.mktemp("devcontainer"), environ=os.environ)


@pytest.fixture(scope="session")
def ide_project(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example as a project of its own name, built and rendered once for all tests of IDEs."""
    folder = tmp_path_factory.mktemp("ide") / "project"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache", ".wsb"))
    (folder / "wsb.yaml").write_text(WSB_YAML)
    built = wsb(folder, "build", "--fallback", "--no-test")
    assert built.code == 0, built.err
    rendered = wsb(folder, "render", "--fallback")
    assert rendered.code == 0, rendered.err
    return folder


Opener = Callable[..., Home]  # (project, uid, "" or the folder of one of the other dev container files)


@pytest.fixture(scope="module")
def opener(devcontainer_cli: DevcontainerCli, engine: DockerEngine) -> Iterator[Opener]:
    """Opens a copy of a project as the person with a uid; containers, images and people are gone afterwards."""
    if os.geteuid() != 0:
        pytest.skip("only root can act as several people")
    with ExitStack() as gone:

        def opens(project: Path, uid: int, variant: str = "") -> Home:
            somebody = gone.enter_context(person(uid))
            # the CLI where everybody can read it
            program = somebody.home / "cli" / "devcontainer.js"
            shutil.copytree(devcontainer_cli.program.parent, program.parent)
            folder = somebody.home / "project"
            shutil.copytree(project, folder)
            somebody.owns(somebody.home)
            cli = replace(devcontainer_cli, program=program, home=somebody.home, uid=uid, groups=_engine_groups())
            gone.callback(clean, engine, folder)
            config = folder / ".devcontainer" / variant / "devcontainer.json"
            opened = cli("up", "--workspace-folder", str(folder), "--config", str(config), "--buildkit", "never")
            assert opened.code == 0, opened.log
            return Home(cli=cli, folder=folder, person=somebody, opened=opened, config=config)

        yield opens


def _engine_groups() -> tuple[int, ...]:
    """The group that may speak to the engine, where its socket is a file with one."""
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    path = Path(host.removeprefix("unix://"))
    return (path.stat().st_gid,) if path.exists() and stat.S_ISSOCK(path.stat().st_mode) else ()


def clean(engine: DockerEngine, folder: Path) -> None:
    """Containers of this folder, and the image the CLI made for its user."""
    api = engine._api
    for found in api.containers(all=True, filters={"label": f"devcontainer.local_folder={folder}"}):
        image = found["Image"]
        api.remove_container(found["Id"], force=True, v=True)
        if image.startswith("vsc-"):
            engine.remove_image(image)
