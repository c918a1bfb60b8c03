"""Wheels from PyPI as conda packages: pure ones become `noarch: python`, compiled ones one package for each Python."""

from __future__ import annotations

import configparser
import platform
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.support.channel.conda_package import Package, write_package

#: (requirement, run dependencies): what the channel offers, pinned so that it is the same next year.
PURE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("pip==25.3", ("python >=3.9", "setuptools", "wheel")),
    ("setuptools==80.9.0", ("python >=3.9",)),
    ("wheel==0.45.1", ("python >=3.9",)),
    ("six==1.16.0", ("python",)),
    ("six==1.17.0", ("python",)),
    ("tqdm==4.67.1", ("colorama", "python >=3.7")),
    ("colorama==0.4.6", ("python >=3.7",)),
)
COMPILED: tuple[str, ...] = ("markupsafe==3.0.2",)


def download(requirements: Iterable[str], folder: Path, *, python: str | None = None) -> list[Path]:
    """The wheels of `requirements`, in their order. python: whose compiled wheels are wanted, such as 3.11; None: pure ones."""
    wanted = list(requirements)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", str(folder)]
    if python:
        tag = python.replace(".", "")
        command += ["--python-version", python, "--platform", f"manylinux2014_{platform.machine()}"]
        command += [word for abi in (f"cp{tag}", "abi3", "none") for word in ("--abi", abi)]
    # pip takes one version of a project at a time.
    rounds: list[list[str]] = []
    for requirement in wanted:
        name = requirement.partition("==")[0]
        fits = next((batch for batch in rounds if all(name != other.partition("==")[0] for other in batch)), None)
        rounds.append([requirement]) if fits is None else fits.append(requirement)
    for batch in rounds:
        done = subprocess.run([*command, *batch], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"pip download {' '.join(batch)} failed:\n{done.stderr}")
    return [_find(requirement, folder) for requirement in wanted]


def _find(requirement: str, folder: Path) -> Path:
    name, _, version = requirement.partition("==")
    for wheel in sorted(folder.glob("*.whl")):
        found = wheel.name.split("-")
        if found[0].lower().replace("_", "-") == name.lower() and found[1] == version:
            return wheel
    raise RuntimeError(f"pip downloaded no wheel of {requirement}: {sorted(folder.iterdir())}")


def write_pure(scratch: Path, channel: Path) -> None:
    """Every pure wheel as a `noarch: python` package."""
    for wheel, (requirement, depends) in zip(download([name for name, _ in PURE], scratch / "wheels"), PURE, strict=True):
        name, _, version = requirement.partition("==")
        files = scratch / "noarch" / f"{name}-{version}"
        unpack(wheel, files, site_packages="site-packages")
        package = Package(
            name=name,
            version=version,
            build="pyh_wsb_0",
            subdir="noarch",
            noarch="python",
            summary=f"{name}, from its wheel on PyPI",
            depends=depends,
            entry_points=tuple(entry_points(files / "site-packages")),
        )
        write_package(package, files, channel)


def write_compiled(pythons: Iterable[str], scratch: Path, channel: Path, subdir: str) -> None:
    """Every compiled wheel as one package for each of `pythons`."""
    for python in pythons:
        tag = python.replace(".", "")
        for wheel, requirement in zip(download(COMPILED, scratch / f"wheels-{tag}", python=python), COMPILED, strict=True):
            name, _, version = requirement.partition("==")
            files = scratch / subdir / f"{name}-{version}-{tag}"
            unpack(wheel, files, site_packages=f"lib/python{python}/site-packages")
            package = Package(
                name=name,
                version=version,
                build=f"py{tag}_wsb_0",
                subdir=subdir,
                summary=f"{name}, from its compiled wheel on PyPI",
                depends=("__glibc >=2.17", f"python {python}.*", f"python_abi {python}.* *_cp{tag}*"),
            )
            write_package(package, files, channel)


def unpack(wheel: Path, files: Path, *, site_packages: str) -> None:
    """A wheel laid out as an installer would, under `files`."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(files / site_packages)
    for info in (files / site_packages).glob("*.dist-info"):
        (info / "INSTALLER").write_text("conda\n")


def entry_points(site_packages: Path) -> Iterator[str]:
    """`pip = pip._internal.cli.main:main`, for each console script of the one distribution in this folder."""
    for listed in sorted(site_packages.glob("*.dist-info/entry_points.txt")):
        parser = configparser.ConfigParser(delimiters=("=",))
        parser.optionxform = str  # type: ignore[assignment, method-assign]
        parser.read(listed)
        if parser.has_section("console_scripts"):
            yield from (f"{name} = {target}" for name, target in sorted(parser.items("console_scripts")))
