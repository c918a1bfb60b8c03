"""Passwords of package sources: whose are taken, from where, and that they show nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.errors import WsbError
from builder.host.credentials import Credential, credentials
from builder.host.pip_config import PipConfig, read_pip_config

URL = "https://index.example.org/simple"


def netrc(folder: Path, text: str) -> dict[str, str]:
    path = folder / "netrc"
    path.write_text(text)
    path.chmod(0o600)
    return {"NETRC": str(path)}


def test_only_the_hosts_that_are_asked_are_taken(tmp_path: Path) -> None:
    environ = netrc(
        tmp_path,
        "machine index.example.org login a password one\nmachine mail.example.org login b password two\n"
        "default login c password three\n",
    )
    found = credentials([URL, "https://pypi.org/simple", "/a/folder"], environ, tmp_path, PipConfig())
    assert [one.line for one in found] == ["machine index.example.org login a password one\n"]


def test_what_pip_is_configured_with_counts_and_netrc_goes_before_it(tmp_path: Path) -> None:
    pip = PipConfig(
        index_url="https://a:p%40ss@index.example.org/simple", extra_index_urls=("https://t0ken@more.example.org/x",)
    )
    found = credentials([URL, "https://more.example.org/x"], {}, tmp_path, pip)
    assert [(one.host, one.login, one.password) for one in found] == [
        ("index.example.org", "a", "p@ss"),
        ("more.example.org", "t0ken", ""),
    ]
    environ = netrc(tmp_path, "machine index.example.org login b password other\n")
    assert credentials([URL], environ, tmp_path, pip)[0].login == "b"


def test_the_keyring_is_asked_only_where_pip_may_ask_it(tmp_path: Path) -> None:
    program = tmp_path / "keyring"
    program.write_text('#!/bin/sh\necho \'{"username": "u", "password": "from-keyring"}\'\n')
    program.chmod(0o755)
    environ = {"PATH": str(tmp_path)}
    assert credentials([URL], environ, tmp_path, PipConfig()) == ()
    allowed = read_pip_config({"PIP_CONFIG_FILE": "/dev/null", "PIP_KEYRING_PROVIDER": "subprocess"}, tmp_path)
    assert credentials([URL], environ, tmp_path, allowed)[0].password == "from-keyring"


def test_a_keyring_that_knows_nothing_is_no_error(tmp_path: Path) -> None:
    program = tmp_path / "keyring"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    assert credentials([URL], {"PATH": str(tmp_path)}, tmp_path, PipConfig(keyring="subprocess")) == ()


def test_a_password_does_not_show_in_a_message() -> None:
    assert "geheim" not in repr(Credential("index.example.org", "a", "geheim"))


def test_a_netrc_that_cannot_be_read_is_said_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(WsbError) as caught:
        credentials([URL], netrc(tmp_path, "machine a login b password c\nnonsense here\n"), tmp_path, PipConfig())
    assert caught.value.where is not None
    assert caught.value.where.line == 2
