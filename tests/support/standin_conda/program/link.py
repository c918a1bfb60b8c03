"""Linking, with py-rattler: puts the packages of a solved environment into its prefix, as conda leaves them there."""

from __future__ import annotations

import asyncio
import stat
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from . import CONDA_VERSION, STANDIN, transaction
from .errors import CondaError
from .settings import Settings
from .transaction import Difference

if TYPE_CHECKING:
    from rattler import RepoDataRecord


def apply(
    settings: Settings,
    prefix: Path,
    after: list[RepoDataRecord],
    change: Difference,
    *,
    requested: list[str],
    remembered: list[str],
    label: str,
) -> None:
    """Downloads and links. What is written has the modes that conda gives it: the package's, less this process's umask.

    requested: what this command asked for. remembered: what earlier ones did and still holds.
    """
    import rattler
    from rattler.exceptions import InstallerError

    meta = prefix / "conda-meta"
    meta.mkdir(parents=True, exist_ok=True)
    had_tag = (prefix / "CACHEDIR.TAG").exists()
    config = rattler.Config.from_toml("allow-hard-links = false\nallow-ref-links = false\n" if settings["always_copy"] else "")
    cache = transaction.package_cache(settings)
    try:
        asyncio.run(
            rattler.install(
                after,
                prefix,
                cache_dir=cache,
                client=transaction.client(settings),
                config=config,
                execute_link_scripts=True,
                reinstall_packages={record.name.normalized for record in change.link},
                requested_specs=[transaction.match_spec(settings, spec)._match_spec for spec in [*requested, *remembered]],
                show_progress=False,
            )
        )
    except InstallerError as error:
        raise CondaError(f"{error}\n(said by rattler, which links here)") from error
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
        command = [str(prefix / "bin" / "python"), "-Wi", "-m", "compileall", "-q", "-l", "-i", "-"]
        subprocess.run(command, input="\n".join(sources), text=True, cwd=prefix, capture_output=True, check=False)


def _set_modes(prefix: Path, linked: list[Path]) -> None:
    import json

    umask = transaction.current_umask()
    for record in linked:
        record.chmod(0o666 & ~umask)  # rattler writes these for the owner alone
        for name in json.loads(record.read_text())["files"]:
            path = prefix / name
            if path.is_symlink() or not path.is_file():
                continue
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & umask:
                path.chmod(mode & ~umask)


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
