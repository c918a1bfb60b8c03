"""Solving and linking, with py-rattler: which packages an environment will hold, and putting them there."""

from __future__ import annotations

import asyncio
import os
import re
import stat
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import CONDA_VERSION, STANDIN, web
from .errors import ChecksumMismatchError, LibMambaUnsatisfiableError, NoWritablePkgsDirError, PackagesNotFoundInChannelsError
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
    from rattler.exceptions import SolverError

    web.look_at(settings, wish.channels, subdir())
    # Flexible priority, conda's default: the first channel that has a package wins, unless nothing fits that way.
    priorities = {"strict": ["Strict"], "disabled": ["Disabled"]}.get(settings["channel_priority"], ["Strict", "Disabled"])
    explanation = ""
    for priority in priorities:
        try:
            return asyncio.run(_solve(settings, wish, getattr(ChannelPriority, priority)))
        except SolverError as error:
            explanation = explanation or str(error)
        finally:
            for path in (package_cache(settings) / "cache").glob("*.json"):
                if path.stat().st_uid == os.geteuid():
                    path.chmod(0o666 & ~_umask())  # rattler writes these for the owner alone
    missing = asyncio.run(_missing(settings, wish))
    if missing:
        raise PackagesNotFoundInChannelsError(
            missing, [f"{url}/{part}" for url in wish.channels for part in (subdir(), "noarch")]
        )
    raise LibMambaUnsatisfiableError(explanation)


def _gateway(settings: Settings) -> Any:
    from rattler import Gateway

    cache = package_cache(settings) / "cache"
    cache.mkdir(exist_ok=True)
    return Gateway(cache_dir=cache, client=_client(settings))


def _client(settings: Settings) -> Any:
    from rattler import Client, Config

    toml = "" if web.verifies(settings) else "tls-no-verify = true\n"
    return Client.from_config(Config.from_toml(toml))


async def _solve(settings: Settings, wish: Wish, priority: Any) -> list[RepoDataRecord]:
    import rattler

    return await rattler.solve(
        sources=[rattler.Channel(f"{url}/") for url in wish.channels],
        specs=[_match_spec(settings, spec) for spec in wish.specs],
        gateway=_gateway(settings),
        locked_packages=list(wish.keep),
        pinned_packages=list(wish.fixed),
        virtual_packages=rattler.VirtualPackage.detect(rattler.VirtualPackageOverrides.from_env()),
        channel_priority=priority,
    )


def _match_spec(settings: Settings, spec: str) -> Any:
    from rattler import MatchSpec

    channel, mark, rest = spec.rpartition("::")
    if mark and "://" not in channel:
        spec = f"{web.channel_urls(settings, [channel])[0]}::{rest}"
    # conda reads `name=1.2` as "1.2 or any 1.2.something", and so does rattler unless it is told to be strict.
    return MatchSpec(re.sub(r"\s*(==|>=|<=|!=|~=|=|<|>)\s*", r"\1", spec).replace(" ", "=") if "::" not in spec else spec)


def spec_name(spec: str) -> str:
    return re.split(r"[ =<>!~\[]", spec.rpartition("::")[2].strip(), maxsplit=1)[0].lower()


async def _missing(settings: Settings, wish: Wish) -> list[str]:
    from rattler import Channel, Subdir

    channels = [Channel(f"{url}/") for url in wish.channels]
    names = await _gateway(settings).names(channels, [Subdir(subdir()), Subdir("noarch")])
    known = {name.normalized for name in names}
    return [spec for spec in wish.specs if spec_name(spec) not in known and not spec_name(spec).startswith("__")]


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
        answers = await _gateway(settings).query(
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
        return (record.name.normalized, str(record.version), record.build)

    old, new = {key(record) for record in before}, {key(record) for record in after}
    return Difference(
        link=[record for record in after if key(record) not in old or record.name.normalized in reinstall],
        unlink=[record for record in before if key(record) not in new or record.name.normalized in reinstall],
    )


def apply(
    settings: Settings, prefix: Path, after: list[RepoDataRecord], change: Difference, *, requested: list[str], label: str
) -> None:
    """Downloads and links. What is written has the modes that conda gives it: the package's, less this process's umask."""
    import rattler

    meta = prefix / "conda-meta"
    meta.mkdir(parents=True, exist_ok=True)
    had_tag = (prefix / "CACHEDIR.TAG").exists()
    config = rattler.Config.from_toml("allow-hard-links = false\nallow-ref-links = false\n" if settings["always_copy"] else "")
    cache = package_cache(settings)
    asyncio.run(
        rattler.install(
            after,
            prefix,
            cache_dir=cache,
            client=_client(settings),
            config=config,
            execute_link_scripts=True,
            reinstall_packages={record.name.normalized for record in change.link},
            requested_specs=[_match_spec(settings, spec)._match_spec for spec in requested],
            show_progress=False,
        )
    )
    if not had_tag:
        (prefix / "CACHEDIR.TAG").unlink(missing_ok=True)  # rattler's own mark; conda leaves none
    _note_addresses(cache, change.link)
    linked = [
        path for record in change.link for path in meta.glob(f"{record.name.normalized}-{record.version}-{record.build}.json")
    ]
    _compile_noarch(prefix, linked)
    _set_modes(prefix, linked)
    _write_history(prefix, change, requested, label)


def _note_addresses(cache: Path, records: Iterable[RepoDataRecord]) -> None:
    with (cache / "urls.txt").open("a") as file:
        file.writelines(f"{record.url}\n" for record in records)


def _compile_noarch(prefix: Path, linked: list[Path]) -> None:
    """Byte-compiles `noarch: python` packages, which come without, and notes the files as the package's own."""
    import json

    sources: list[str] = []
    documents = {path: json.loads(path.read_text()) for path in linked}
    for path, document in documents.items():
        if document.get("noarch") != "python":
            continue
        own = [name for name in document["files"] if name.endswith(".py") and name.startswith("lib/")]
        sources += own
        for name in own:
            folder, _, stem = name.rpartition("/")
            compiled = f"{folder}/__pycache__/{stem[:-3]}.cpython-{name.split('/')[1][6:].replace('.', '')}.pyc"
            document["files"].append(compiled)
            document["paths_data"]["paths"].append({"_path": compiled, "path_type": "pyc_file"})
        path.write_text(json.dumps(document, indent=2))
    if sources and (prefix / "bin" / "python").exists():
        command = [prefix / "bin" / "python", "-Wi", "-m", "compileall", "-q", "-l", "-i", "-"]
        subprocess.run(command, input="\n".join(sources), text=True, cwd=prefix, capture_output=True, check=False)


def _set_modes(prefix: Path, linked: list[Path]) -> None:
    import json

    umask = _umask()
    for record in linked:
        record.chmod(0o666 & ~umask)  # rattler writes these for the owner alone
        for name in json.loads(record.read_text())["files"]:
            path = prefix / name
            if path.is_symlink() or not path.is_file():
                continue
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & umask:
                path.chmod(mode & ~umask)


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


def _write_history(prefix: Path, change: Difference, requested: list[str], label: str) -> None:
    lines = [time.strftime("==> %Y-%m-%d %H:%M:%S <=="), f"# cmd: {' '.join(sys.argv)}"]
    lines.append(f"# conda version: {CONDA_VERSION} {STANDIN}")
    for sign, records in (("-", change.unlink), ("+", change.link)):
        lines += [
            f"{sign}{record.channel}{record.subdir}::{record.name.normalized}-{record.version}-{record.build}"
            for record in records
        ]
    if requested:
        lines.append(f"# {label} specs: {requested!r}")
    with (prefix / "conda-meta" / "history").open("a") as file:
        file.write("\n".join(lines) + "\n")
