"""Solving, with py-rattler: which packages an environment will hold, and how that differs from what it holds."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import web
from .errors import (
    ChecksumMismatchError,
    CondaHTTPError,
    LibMambaUnsatisfiableError,
    NoWritablePkgsDirError,
    PackagesNotFoundInChannelsError,
)
from .settings import Settings

if TYPE_CHECKING:
    from rattler import PrefixRecord, RepoDataRecord


def subdir() -> str:
    return {"x86_64": "linux-64", "aarch64": "linux-aarch64"}[os.uname().machine]


def package_cache(settings: Settings) -> Path:
    """The first pkgs_dir that can be written to."""
    for folder in settings.pkgs_dirs:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    raise NoWritablePkgsDirError([str(folder) for folder in settings.pkgs_dirs])


def installed(prefix: Path) -> list[PrefixRecord]:
    from rattler import PrefixRecord

    paths = sorted(path for path in (prefix / "conda-meta").glob("*.json"))
    return [PrefixRecord.from_path(path) for path in paths]


@dataclass
class Wish:
    """What a solve is asked for. keep: records to leave as they are if possible. fixed: records that may not change."""

    specs: list[str]
    channels: list[str]
    keep: Sequence[RepoDataRecord] = ()
    fixed: Sequence[RepoDataRecord] = ()


def solve(settings: Settings, wish: Wish) -> list[RepoDataRecord]:
    """The records of the finished environment.

    Raises PackagesNotFoundInChannelsError where a name is in no channel, LibMambaUnsatisfiableError where nothing fits.
    """
    from rattler import ChannelPriority
    from rattler.exceptions import GatewayError, SolverError

    web.look_at(settings, wish.channels, subdir())
    # Flexible priority, conda's default: the first channel that has a package wins, unless nothing fits that way.
    priorities = {"strict": ["Strict"], "disabled": ["Disabled"]}.get(settings["channel_priority"], ["Strict", "Disabled"])
    explanation = ""
    for priority in priorities:
        try:
            return asyncio.run(_solve(settings, wish, getattr(ChannelPriority, priority)))
        except SolverError as error:
            explanation = explanation or str(error)
        except GatewayError as error:
            raise CondaHTTPError(wish.channels[0] if wish.channels else "", cause=str(error)) from error
        finally:
            for path in (package_cache(settings) / "cache").glob("*.json"):
                if path.stat().st_uid == os.geteuid():
                    path.chmod(0o666 & ~current_umask())  # rattler writes these for the owner alone
    missing = asyncio.run(_missing(settings, wish))
    if missing:
        raise PackagesNotFoundInChannelsError(missing, wish.channels)
    raise LibMambaUnsatisfiableError(explanation)


def gateway_of(settings: Settings) -> Any:
    from rattler import Gateway

    cache = package_cache(settings) / "cache"
    cache.mkdir(exist_ok=True)
    return Gateway(cache_dir=cache, client=client(settings))


def client(settings: Settings) -> Any:
    from rattler import Client, Config

    toml = "" if web.verifies(settings) else "tls-no-verify = true\n"
    return Client.from_config(Config.from_toml(toml))


async def _solve(settings: Settings, wish: Wish, priority: Any) -> list[RepoDataRecord]:
    import rattler

    return await rattler.solve(
        sources=[rattler.Channel(f"{url}/") for url in wish.channels],
        specs=[match_spec(settings, spec) for spec in wish.specs],
        gateway=gateway_of(settings),
        locked_packages=list(wish.keep),
        pinned_packages=list(wish.fixed),
        virtual_packages=rattler.VirtualPackage.detect(rattler.VirtualPackageOverrides.from_env()),
        channel_priority=priority,
    )


def match_spec(settings: Settings, spec: str) -> Any:
    from rattler import MatchSpec

    channel, mark, rest = spec.rpartition("::")
    if mark and "://" not in channel:
        spec = f"{web.channel_urls(settings, [channel])[0]}::{rest}"
    # conda reads `name=1.2` as "1.2 or any 1.2.something", and so does rattler unless it is told to be strict.
    return MatchSpec(re.sub(r"\s*(==|>=|<=|!=|~=|=|<|>)\s*", r"\1", spec).replace(" ", "=") if "::" not in spec else spec)


def spec_name(spec: str) -> str:
    return re.split(r"[ =<>!~\[]", spec.rpartition("::")[2].strip(), maxsplit=1)[0].lower()


async def _missing(settings: Settings, wish: Wish) -> list[str]:
    """The specs that nothing in any channel fits, whatever else is asked for."""
    from rattler import Channel, Subdir

    channels, subdirs = [Channel(f"{url}/") for url in wish.channels], [Subdir(subdir()), Subdir("noarch")]
    gateway = gateway_of(settings)
    missing = []
    for spec in wish.specs:
        match = match_spec(settings, spec)
        answers = await gateway.query(channels, subdirs, [match], recursive=False)
        if not any(match.matches(record) for records in answers for record in records):
            missing.append(spec)
    return missing


def from_addresses(settings: Settings, addresses: Iterable[str]) -> list[RepoDataRecord]:
    """The records behind explicit package addresses; a hash after # is checked against the channel's."""
    return asyncio.run(_from_addresses(settings, list(addresses)))


async def _from_addresses(settings: Settings, addresses: list[str]) -> list[RepoDataRecord]:
    from rattler import Channel, MatchSpec, Subdir

    found = []
    for address in addresses:
        url, _, wanted = address.partition("#")
        channel, part, file_name = url.rsplit("/", 2)
        name, version, build = re.sub(r"\.(conda|tar\.bz2)$", "", file_name).rsplit("-", 2)
        web.look_at(settings, [channel], part)
        answers = await gateway_of(settings).query(
            [Channel(f"{channel}/")], [Subdir(part)], [MatchSpec(f"{name}=={version}={build}")], recursive=False
        )
        fitting = [record for records in answers for record in records if record.url == url]
        if not fitting:
            raise PackagesNotFoundInChannelsError([url], [f"{channel}/{part}"])
        record = fitting[0]
        hashes = {digest.hex() for digest in (record.md5, record.sha256) if digest}
        if wanted and wanted.removeprefix("sha256:") not in hashes:
            raise ChecksumMismatchError(f"Conda detected a mismatch between the expected content and downloaded content\n{url}")
        found.append(record)
    return found


@dataclass(frozen=True)
class Difference:
    """link and unlink: what changes. distinct records of one name are an update."""

    link: list[RepoDataRecord]
    unlink: list[PrefixRecord]

    @property
    def is_empty(self) -> bool:
        return not (self.link or self.unlink)


def difference(before: Sequence[PrefixRecord], after: Sequence[RepoDataRecord], *, reinstall: set[str]) -> Difference:
    def key(record: RepoDataRecord) -> tuple[str, str, str]:
        return (record.name.normalized, str(record.version), str(record.build))

    old, new = {key(record) for record in before}, {key(record) for record in after}
    return Difference(
        link=[record for record in after if key(record) not in old or record.name.normalized in reinstall],
        unlink=[record for record in before if key(record) not in new or record.name.normalized in reinstall],
    )


def current_umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask
