"""Who builds: wsb, three hand-written Dockerfiles, and envd. Each turns a project's folder into an image of a given name."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

OPPONENTS = Path(__file__).parent / "opponents"
REPOSITORY = Path(__file__).parents[2]


class BuildError(RuntimeError):
    """A builder that did not build; the last lines of what it said."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where everybody builds. environ: finds the engine. index: of the packages.

    bases: images that are there before anything is measured; the first is everybody's, the second envd's with Python in it.
    """

    environ: Mapping[str, str]
    index: str
    bases: tuple[str, str]
    uv: str
    scratch: Path

    @property
    def base(self) -> str:
        return self.bases[0]

    def run(self, command: Sequence[str], folder: Path, **environ: str) -> str:
        done = subprocess.run(
            command, cwd=folder, env={**self.environ, **environ}, capture_output=True, text=True, check=False, errors="replace"
        )
        if done.returncode:
            last = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
            raise BuildError(f"{' '.join(command)} ended with {done.returncode}:\n{last}")
        return done.stdout


class Builder(Protocol):
    name: str

    def build(self, place: Place, folder: Path, image: str) -> None:
        """Build the project in folder into image. Raises BuildError."""
        ...


@dataclass(frozen=True)
class Handwritten:
    """One of the Dockerfiles of opponents/, built by the docker command with BuildKit. more: arguments of the build."""

    name: str
    dockerfile: str
    more: Mapping[str, str] = field(default_factory=dict)

    def build(self, place: Place, folder: Path, image: str) -> None:
        args = {"BASE": place.base, "INDEX": place.index, "UV_VERSION": place.uv, **self.more}
        command = ["docker", "build", "--quiet", "--tag", image, "--file", str(OPPONENTS / f"{self.dockerfile}.Dockerfile")]
        command += [word for key, value in args.items() for word in ("--build-arg", f"{key}={value}")]
        place.run([*command, "."], folder, DOCKER_BUILDKIT="1")


@dataclass(frozen=True)
class Wsb:
    """This repository's wsb, its proof left out: the others prove nothing either."""

    name: str = "wsb"

    def build(self, place: Place, folder: Path, image: str) -> None:
        # pip's own configuration must not lead wsb to a wheel on disk that the others fetch from the index
        environ = {"PYTHONPATH": str(REPOSITORY), "XDG_STATE_HOME": str(place.scratch / "state"), "PIP_CONFIG_FILE": os.devnull}
        place.run([sys.executable, "-m", "builder", "build", "--no-test"], folder, **environ)
        place.run(["docker", "tag", f"{folder.name}:latest", image], folder)


@dataclass(frozen=True)
class Envd:
    """envd of PyPI, on the engine's own BuildKit. Its base has Python and pip already, since it cannot install them offline."""

    program: str
    name: str = "envd"

    def build(self, place: Place, folder: Path, image: str) -> None:
        registries = place.scratch / "home" / ".config" / "containers" / "registries.conf"
        registries.parent.mkdir(parents=True, exist_ok=True)
        registries.write_text(f'[[registry]]\nlocation = "{place.bases[1].partition("/")[0]}"\ninsecure = true\n')
        (folder / "build.envd").write_text(
            "def build():\n"
            f'    base(image="{place.bases[1]}", dev=False)\n'
            f'    config.pip_index(url="{place.index}", trust=True)\n'
            '    install.python_packages(requirements="requirements.txt")\n'
            '    io.copy("train.py", "/workspace/")\n'
        )
        command = [self.program, "--analytics-enabled=false", "build", "-f", "build.envd:build", "-t", image]
        place.run(command, folder, HOME=str(place.scratch / "home"))


def find_envd(scratch: Path) -> str | None:
    """envd's program, installed into a folder of the run; None where PyPI has none for this machine."""
    folder = scratch / "envd"
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder), "envd==1.3.6"], check=False
    )
    found = shutil.which("envd", path=str(folder / "bin"))
    return found if done.returncode == 0 else None
