"""What this machine's pip is configured with: mirrors and folders of wheels that a build should use too.

Only what pip itself documents is read: its configuration files in order, then its environment variables.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from builder.model.frozen import frozen


@frozen
class PipConfig:
    """index_url: None means PyPI. find_links: as written; local folders among them hold wheels. keyring: pip's provider."""

    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    keyring: str | None = None

    def wheels(self) -> tuple[Path, ...]:
        """Every wheel in the local folders, sorted by name."""
        folders = [Path(link.removeprefix("file://")) for link in self.find_links if not link.startswith("http")]
        return tuple(
            sorted((wheel for folder in folders if folder.is_dir() for wheel in folder.glob("*.whl")), key=lambda p: p.name)
        )


def read_pip_config(environ: Mapping[str, str], home: Path) -> PipConfig:
    """pip's configuration of this user on this machine; what cannot be read is as if it were not there."""
    values: dict[str, str] = {}
    if environ.get("PIP_CONFIG_FILE") != "/dev/null":
        for path in _files(environ, home):
            values |= _global_section(path)
    for key in ("index-url", "extra-index-url", "find-links", "keyring-provider"):
        from_environ = environ.get("PIP_" + key.upper().replace("-", "_"))
        if from_environ:
            values[key] = from_environ
    return PipConfig(
        index_url=values.get("index-url"),
        extra_index_urls=tuple(values.get("extra-index-url", "").split()),
        find_links=tuple(values.get("find-links", "").split()),
        keyring=values.get("keyring-provider"),
    )


def _files(environ: Mapping[str, str], home: Path) -> list[Path]:
    config_home = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    files = [
        Path("/etc/xdg/pip/pip.conf"),
        Path("/etc/pip.conf"),
        home / ".pip" / "pip.conf",
        config_home / "pip" / "pip.conf",
    ]
    if environ.get("VIRTUAL_ENV"):
        files.append(Path(environ["VIRTUAL_ENV"]) / "pip.conf")
    if environ.get("PIP_CONFIG_FILE"):
        files.append(Path(environ["PIP_CONFIG_FILE"]))
    return files


def _global_section(path: Path) -> dict[str, str]:
    try:
        text = path.read_text("utf-8", "replace")
    except OSError:
        return {}
    import configparser  # most machines have none of these files

    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except configparser.Error:
        return {}
    merged: dict[str, str] = {}
    for section in ("global", "install"):
        if parser.has_section(section):
            merged |= dict(parser.items(section))
    return merged
