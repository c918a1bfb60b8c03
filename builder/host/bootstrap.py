"""A base image from a distribution's own packages, for machines that reach no registry: mmdebstrap writes the tar.

What comes out is close to the distribution's slim image: no documentation, no manual pages, no translations.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from builder.errors import WsbError

# What Debian's slim images leave out, too.
LEFT_OUT = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/lintian/*")
KEPT = ("/usr/share/doc/*/copyright", "/usr/share/locale/locale.alias")

# No file is dated later, so the same packages give the same bytes: 2025-01-01.
EPOCH = 1735689600

UBUNTU = ("bionic", "focal", "jammy", "noble", "questing", "resolute")

INCLUDED = ("ca-certificates",)


def is_possible() -> bool:
    """Whether the tool is here."""
    return shutil.which("mmdebstrap") is not None


@contextmanager
def rootfs(
    suite: str, *, arch: str, mirror: str | None, environ: Mapping[str, str], say: Callable[[str], None]
) -> Iterator[BinaryIO]:
    """The tar of a root file system, in a temporary file that is gone afterwards.

    suite: such as bookworm. arch: amd64 or arm64. mirror: None means the suite's usual one. say: gets a line of progress.
    Raises WsbError tool-missing, disk-full or base-unreachable.
    """
    program = shutil.which("mmdebstrap")
    if program is None:
        raise WsbError(
            "tool-missing",
            f"a base of Debian {suite} is made by mmdebstrap, which is not installed here",
            hints=["install it: apt-get install mmdebstrap", "or name an image in wsb.yaml: `base: debian:bookworm-slim`"],
        )
    with tempfile.TemporaryDirectory(prefix="wsb-base-") as folder:
        tar = Path(folder) / "rootfs.tar"
        _run([program, *_options(arch), suite, str(tar), *([_mirror(mirror, suite)] if mirror else [])], suite, environ, say)
        with tar.open("rb") as stream:
            yield stream


def _mirror(mirror: str, suite: str) -> str:
    """The folder of the suite's distribution on this mirror, which may be named with or without it."""
    bare = mirror.rstrip("/")
    if "/archive/debian/" in bare or bare.rpartition("/")[2] in ("debian", "ubuntu"):
        return bare
    return f"{bare}/{'ubuntu' if suite in UBUNTU else 'debian'}"


def _options(arch: str) -> list[str]:
    options = ["--variant=minbase", f"--include={','.join(INCLUDED)}", f"--architectures={arch}"]
    options += [f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT]
    options += [f"--dpkgopt=path-include={pattern}" for pattern in KEPT]
    return options


def _run(command: list[str], suite: str, environ: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Run mmdebstrap, passing on its milestones; its last lines go into the error."""
    last: deque[str] = deque(maxlen=20)
    with subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env={**environ, "SOURCE_DATE_EPOCH": str(EPOCH)},
    ) as process:
        assert process.stderr is not None
        try:
            for line in process.stderr:
                last.append(line.rstrip())
                if line.startswith("I: "):
                    say(f"base {suite}: {line[3:].strip()}")
        except BaseException:
            process.terminate()  # mmdebstrap removes its own temporary folder on SIGTERM
            raise
    if process.returncode == 0:
        return
    if any("No space left" in line for line in last):
        raise WsbError("disk-full", f"no space left while making the base {suite}", hints=["free some space and run again"])
    raise WsbError(
        "base-unreachable",
        f"mmdebstrap could not make a base of {suite} (exit code {process.returncode})",
        details=list(last),
        hints=["is the distribution's mirror reachable from here? `sources: {apt: URL}` names another one"],
    )
