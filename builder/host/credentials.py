"""Passwords of package sources, from where pip and curl keep them: netrc, pip's configuration, pip's keyring.

Only those of hosts that a build asks are taken, and they are handed to its steps as one netrc file.
"""

from __future__ import annotations

import json
import netrc
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from builder.errors import WsbError
from builder.host.pip_config import PipConfig
from builder.model.values import Location

KEYRING_LIMIT_S = 20.0


@dataclass(frozen=True, slots=True, order=True)
class Credential:
    """The password is never part of a message."""

    host: str
    login: str
    password: str = field(repr=False)

    @property
    def line(self) -> str:
        return f"machine {self.host} login {self.login} password {self.password}\n"


def credentials(urls: Iterable[str], environ: Mapping[str, str], home: Path, pip: PipConfig) -> tuple[Credential, ...]:
    """One for each host of the URLs that has one, sorted. Raises WsbError bad-value for a netrc that cannot be read."""
    wanted = {host for url in urls if (host := urlsplit(url).hostname)}
    found = dict(_of_pip(pip))
    found |= _of_netrc(environ, home)
    chosen = {host: found[host] for host in wanted if host in found}
    if pip.keyring == "subprocess":  # pip asks it only where the user said so, and so does wsb
        chosen |= {host: one for host in sorted(wanted - set(chosen)) if (one := _of_keyring(host, environ))}
    return tuple(sorted(one for one in chosen.values() if _is_one_word(one)))


def _of_pip(pip: PipConfig) -> Iterable[tuple[str, Credential]]:
    for url in (pip.index_url, *pip.extra_index_urls):
        parts = urlsplit(url or "")
        if parts.hostname and parts.username:
            yield parts.hostname, Credential(parts.hostname, unquote(parts.username), unquote(parts.password or ""))


def _of_netrc(environ: Mapping[str, str], home: Path) -> dict[str, Credential]:
    path = Path(environ.get("NETRC") or home / ".netrc")
    try:
        hosts = netrc.netrc(str(path)).hosts
    except OSError:
        return {}
    except netrc.NetrcParseError as error:
        place = Location(file=str(path), line=error.lineno or 0)
        raise WsbError("bad-value", f"{path} cannot be understood: {error.msg}", where=place) from None
    return {host: Credential(host, login, password or "") for host, (login, _, password) in hosts.items() if host != "default"}


def _of_keyring(host: str, environ: Mapping[str, str]) -> Credential | None:
    program = shutil.which("keyring", path=environ.get("PATH"))
    if program is None:
        return None
    command = [program, "--mode", "creds", "--output", "json", "get", host, ""]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=KEYRING_LIMIT_S, stdin=subprocess.DEVNULL
        )
        told = json.loads(done.stdout)
        return Credential(host, str(told["username"]), str(told["password"]))
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
        return None


def _is_one_word(one: Credential) -> bool:
    """A netrc file separates by blanks, so a password with one in it cannot be told."""
    return not any(char.isspace() or char == '"' for char in one.login + one.password) and bool(one.login)


def without_password(url: str) -> str:
    """The same address for everyone."""
    scheme, found, rest = url.partition("://")
    if not found:
        return url
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"
