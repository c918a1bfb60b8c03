"""`wsb run` and `wsb shell`: a container on this process's own terminal, driven from outside as a user's shell does."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from builder.engine.docker_sdk import DockerEngine
from tests.engine.support import containers
from tests.support.polling import eventually

pytestmark = pytest.mark.engine

ROOT = Path(__file__).parents[2]


def command(label: str, tiny: str, *words: str, has_tty: bool = False) -> list[str]:
    return [sys.executable, "-m", "tests.support.attached", *(["--tty"] * has_tty), label, tiny, *words]


def attached(label: str, tiny: str, script: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return ran(command(label, tiny, "sh", "-c", script), input=stdin)


def ran(words: list[str], **stdin: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(words, capture_output=True, cwd=ROOT, timeout=120, check=False, **stdin)


def test_streams_and_exit_code_are_the_command_s_own(tiny: str, label: str) -> None:
    done = attached(label, tiny, "echo out; echo err >&2; exit 9")
    assert (done.stdout, done.stderr, done.returncode) == (b"out\n", b"err\n", 9)


def test_what_was_printed_is_handed_over_as_a_copy_with_a_terminal_and_without(tiny: str, label: str, tmp_path: Path) -> None:
    words = ["--copy", str(tmp_path / "copy"), label, tiny, "sh", "-c", "echo out; echo err >&2; exit 3"]
    done = ran([sys.executable, "-m", "tests.support.attached", *words])
    assert (done.stdout, done.stderr, done.returncode) == (b"out\n", b"err\n", 3)
    assert sorted((tmp_path / "copy").read_bytes().splitlines()) == [b"err", b"out"]
    screen, terminal = pty.openpty()
    done = ran([sys.executable, "-m", "tests.support.attached", "--tty", *words[:-1], "tty; exit 4"], stdin=terminal)
    os.close(terminal)
    os.close(screen)
    assert done.returncode == 4
    assert (tmp_path / "copy").read_bytes() == done.stdout
    assert done.stdout.startswith(b"/dev/")


def test_the_end_of_the_input_reaches_the_command(tiny: str, label: str) -> None:
    assert attached(label, tiny, "cat; echo end", b"x\n").stdout == b"x\nend\n"


def test_bytes_pass_unchanged_both_ways_at_once(tiny: str, label: str) -> None:
    data = bytes(range(256)) * 40000
    assert attached(label, tiny, "cat", data).stdout == data


def test_input_from_a_file_is_read_to_its_end(tiny: str, label: str, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"one\ntwo\n")
    with (tmp_path / "in").open("rb") as file:
        done = ran(command(label, tiny, "wc", "-l"), stdin=file)
    assert done.stdout.split() == [b"2"]


def test_a_command_that_leaves_its_input_unread_ends(tiny: str, label: str) -> None:
    assert attached(label, tiny, "exit 4", bytes(1 << 22)).returncode == 4


def test_a_killed_command_is_137(tiny: str, label: str) -> None:
    assert attached(label, tiny, "sh -c 'kill -9 $$'; exit $?").returncode == 137


def test_a_command_that_does_not_exist_is_127(tiny: str, label: str) -> None:
    done = subprocess.run(
        command(label, tiny, "no-such-command"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=ROOT,
        timeout=120,
        check=False,
    )
    assert done.returncode in (127, 1)  # 1: Podman's init reports it so
    assert b"no-such-command" in done.stderr or b"No such file" in done.stderr


@pytest.mark.parametrize("name", ["TERM", "INT", "HUP", "QUIT"])
def test_a_signal_reaches_the_command(tiny: str, label: str, name: str) -> None:
    script = f"trap 'echo got; exit 42' {name}; echo ready; while :; do sleep 0.05; done"
    with subprocess.Popen(
        command(label, tiny, "sh", "-c", script), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, cwd=ROOT
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.Signals[f"SIG{name}"])
        assert process.stdout.read() == b"got\n"
        assert process.wait(60) == 42


def test_the_third_interrupt_kills_a_command_that_ignores_it(tiny: str, label: str) -> None:
    script = "trap 'echo ignored' INT; echo ready; while :; do sleep 0.05; done"
    with subprocess.Popen(
        command(label, tiny, "sh", "-c", script), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, cwd=ROOT
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        for _ in range(2):
            process.send_signal(signal.SIGINT)
            assert process.stdout.readline() == b"ignored\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 137


def test_a_reader_that_goes_away_ends_the_command(tiny: str, label: str) -> None:
    with subprocess.Popen(
        command(label, tiny, "yes"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == b"y\n"
        process.stdout.close()
        assert process.wait(60) == 141
        assert process.stderr.read() == b""


class Terminal:
    """A terminal with a process on it, as in a window."""

    def __init__(self, words: list[str], lines: int = 24, columns: int = 80) -> None:
        self.seen = b""
        self.descriptors: tuple[int, ...] = pty.openpty()
        self.master, self.slave = self.descriptors
        self.resize(lines, columns)
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(
            words, stdin=self.slave, stdout=self.slave, stderr=self.slave, cwd=ROOT, start_new_session=True
        )
        os.set_blocking(self.master, False)

    def resize(self, lines: int, columns: int) -> None:
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def type(self, text: bytes) -> None:
        os.write(self.master, text)

    def shows(self, text: bytes) -> bool:
        with suppress(BlockingIOError):
            self.seen += os.read(self.master, 65536)
        return text in self.seen

    def wait_for(self, text: bytes) -> None:
        eventually(lambda: self.shows(text), f"{text!r} on the terminal, which shows {self.seen!r}")

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGHUP)  # what a window that closes sends; a shell ignores SIGTERM
            self.process.wait(60)
        self.vanish()

    def vanish(self) -> None:
        """Close the window."""
        for descriptor in self.descriptors:
            os.close(descriptor)
        self.descriptors = ()


@pytest.fixture
def shell(tiny: str, label: str) -> Iterator[Terminal]:
    terminal = Terminal(command(label, tiny, "sh", has_tty=True), 33, 101)
    yield terminal
    terminal.close()


def test_a_shell_on_a_terminal_is_a_shell(shell: Terminal) -> None:
    shell.wait_for(b"# ")
    shell.type(b"tty && echo a''b; exit 6\n")
    shell.wait_for(b"/dev/pts/0\r\nab\r\n")
    assert shell.process.wait(60) == 6


def test_the_terminal_s_size_is_known_inside_and_follows(shell: Terminal) -> None:
    shell.wait_for(b"# ")
    shell.type(b"while ! stty size | grep '^33 101$'; do :; done\n")
    shell.wait_for(b"33 101\r\n")
    shell.resize(40, 120)
    os.kill(shell.process.pid, signal.SIGWINCH)
    shell.type(b"while ! stty size | grep '^40 120$'; do :; done\n")
    shell.wait_for(b"40 120\r\n")


def test_ctrl_c_is_a_key_and_ends_what_runs_inside(shell: Terminal) -> None:
    shell.wait_for(b"# ")
    shell.type(b"echo be''gin; sleep 80000\n")
    shell.wait_for(b"begin\r\n")
    shell.type(b"\x03")
    shell.type(b"echo a''live\n")
    shell.wait_for(b"alive\r\n")


def test_ctrl_d_ends_the_shell(shell: Terminal) -> None:
    shell.wait_for(b"# ")
    shell.type(b"\x04")
    assert shell.process.wait(60) == 0


def test_the_terminal_is_raw_meanwhile_and_as_before_afterwards(shell: Terminal) -> None:
    shell.wait_for(b"# ")
    assert not termios.tcgetattr(shell.slave)[3] & termios.ICANON
    shell.type(b"exit\n")
    shell.process.wait(60)
    assert termios.tcgetattr(shell.slave) == shell.before


def test_a_terminal_that_closes_leaves_no_container(engine: DockerEngine, shell: Terminal, label: str) -> None:
    shell.wait_for(b"# ")
    assert len(containers(engine, label)) == 1
    shell.process.send_signal(signal.SIGHUP)
    shell.process.wait(60)
    assert termios.tcgetattr(shell.slave) == shell.before


def test_a_terminal_that_is_simply_gone_leaves_no_container(engine: DockerEngine, shell: Terminal, label: str) -> None:
    shell.wait_for(b"# ")
    shell.vanish()
    assert shell.process.wait(60) == 141
    assert containers(engine, label) == []
