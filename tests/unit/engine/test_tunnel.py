"""The words for ssh that bring an engine's socket here, and what is made of ssh's own words."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.engine.tunnel import NoTunnel, command, dig
from tests.support.programs import programs

SOCKET = Path("/tmp/x/docker.sock")


@pytest.mark.parametrize(
    ("address", "host", "port", "remote"),
    [
        ("ssh://gpu-box", "gpu-box", None, "/var/run/docker.sock"),
        ("ssh://ada@gpu-box:2222", "ada@gpu-box", "2222", "/var/run/docker.sock"),
        ("ssh://ada@gpu-box/run/user/1000/docker.sock", "ada@gpu-box", None, "/run/user/1000/docker.sock"),
    ],
)
def test_an_address_becomes_words_for_ssh(address: str, host: str, port: str | None, remote: str) -> None:
    words = command(address, SOCKET)
    assert words[words.index("--") + 1] == host
    assert words[words.index("-L") + 1] == f"{SOCKET}:{remote}"
    assert ("-p" in words) == (port is not None)
    if port:
        assert words[words.index("-p") + 1] == port


def test_sshs_own_words_are_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", programs(tmp_path, ssh="echo 'Host key verification failed.' >&2; exit 255"))
    with pytest.raises(NoTunnel, match="Host key verification failed"):
        dig("ssh://gpu-box")


def test_without_ssh_that_is_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoTunnel, match="ssh is not installed"):
        dig("ssh://gpu-box")


def test_a_greeting_before_the_word_is_no_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", programs(tmp_path, ssh="echo Welcome; echo wsb-tunnel-is-there; exec cat"))
    tunnel = dig("ssh://gpu-box")
    folder = tunnel.socket.parent
    tunnel.close()
    assert tunnel.process.returncode is not None
    assert not folder.exists()
