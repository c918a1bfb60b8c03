"""A POSIX shell on the machine where a cluster is spoken to: this one, or a login node over ssh.

Both take the same scripts, so that everything above is written once. A script is text with $1, $2, …; words are never glued
into it. What a login shell prints of its own before the script is dropped.
"""

from __future__ import annotations

import contextlib
import shlex
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from builder.errors import WsbError
from builder.model.frozen import frozen

_BEGIN: Final = b"wsb-begins-here\n"
_SSH_FAILED: Final = 255


@frozen
class Done:
    """How a script ended."""

    code: int
    out: bytes
    err: bytes

    @property
    def text(self) -> str:
        return self.out.decode("utf-8", "replace")

    @property
    def trouble(self) -> str:
        """Its last words, one paragraph."""
        return (self.err or self.out).decode("utf-8", "replace").strip()


class Shell(Protocol):
    """where: how to call the machine in a message, such as "this machine"."""

    @property
    def where(self) -> str: ...

    def run(self, script: str, *words: str, stdin: Iterable[bytes] = ()) -> Done:
        """Run a script with words as $1, $2, …; raises WsbError only when the machine cannot be reached."""
        ...


@dataclass(frozen=True, slots=True)
class LocalShell:
    """The shell of this machine."""

    where: str = "this machine"

    def run(self, script: str, *words: str, stdin: Iterable[bytes] = ()) -> Done:
        return _run(["sh", "-c", script, "sh", *words], stdin)


@dataclass(frozen=True, slots=True)
class SshShell:
    """The login shell of a host, as the user's own ssh reaches it: keys, jump hosts and names come from its configuration."""

    host: str

    @property
    def where(self) -> str:
        return self.host

    def run(self, script: str, *words: str, stdin: Iterable[bytes] = ()) -> Done:
        # a login shell: clusters put Slurm into PATH by /etc/profile.d, which ssh's own shell does not read
        inner = shlex.join(["sh", "-c", f"printf %s {shlex.quote(_BEGIN.decode())}\n{script}", "sh", *words])
        done = _run(["ssh", "-o", "BatchMode=yes", "-T", self.host, shlex.join(["bash", "-lc", inner])], stdin)
        if done.code == _SSH_FAILED and _BEGIN not in done.out:
            raise WsbError(
                "cluster-unreachable",
                f"ssh does not reach {self.host}",
                details=done.trouble.splitlines()[-3:],
                hints=[f"try it by hand, it must not ask for a password: `ssh -o BatchMode=yes {self.host} true`"],
            )
        return Done(code=done.code, out=done.out.partition(_BEGIN)[2], err=done.err)


def shell_of(host: str) -> Shell:
    """The shell of a host; of this machine when it is ""."""
    return SshShell(host) if host else LocalShell()


def _run(command: list[str], stdin: Iterable[bytes]) -> Done:
    try:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except FileNotFoundError:
        raise WsbError(
            "tool-missing", f"{command[0]} is not installed here", hints=["Debian, Ubuntu: `apt-get install openssh-client`"]
        ) from None
    with process:
        _feed(process, iter(stdin))
        out, err = process.communicate()
    return Done(code=process.returncode, out=out, err=err)


def _feed(process: subprocess.Popen[bytes], pieces: Iterator[bytes]) -> None:
    """Hand over everything; a process that has heard enough is no error here, its exit code tells."""
    assert process.stdin is not None
    try:
        for piece in pieces:
            process.stdin.write(piece)
    except BrokenPipeError:
        return
    except BaseException:
        process.kill()
        raise
    finally:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        process.stdin = None
