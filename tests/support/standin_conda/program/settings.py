"""conda's configuration: condarc files, CONDA_* variables and command-line values, merged as conda merges them.

Later files outrank earlier ones, variables outrank files, the command line outranks both; lists of all of them are joined,
the strongest first.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import CondaKeyError, StandinDoesNotKnow

_ANACONDA = "https://repo.anaconda.com/pkgs"

#: Settings that do something here: name → (kind, default).
HONOURED: dict[str, tuple[str, Any]] = {
    "always_copy": ("bool", False),
    "always_yes": ("bool", False),
    "auto_activate": ("bool", True),
    "auto_activate_base": ("bool", True),
    "changeps1": ("bool", True),
    "channel_alias": ("str", "https://conda.anaconda.org"),
    "channel_priority": ("str", "flexible"),
    "channels": ("list", ()),
    "create_default_packages": ("list", ()),
    "custom_channels": ("map", {"pkgs/pro": "https://repo.anaconda.com"}),
    "custom_multichannels": ("map", {}),
    "default_channels": ("list", (f"{_ANACONDA}/main", f"{_ANACONDA}/r")),
    "env_prompt": ("str", "({default_env}) "),
    "envs_dirs": ("list", ()),
    "offline": ("bool", False),
    "override_channels_enabled": ("bool", True),
    "pkgs_dirs": ("list", ()),
    "plugins.auto_accept_tos": ("bool", False),
    "proxy_servers": ("map", {}),
    "quiet": ("bool", False),
    "register_envs": ("bool", True),
    "ssl_verify": ("str", "True"),
}
#: Real settings that change nothing that a test could see here.
TOLERATED: dict[str, tuple[str, Any]] = {
    "aggressive_update_packages": ("list", ()),
    "anaconda_upload": ("str", None),
    "auto_update_conda": ("bool", False),
    "fetch_threads": ("str", None),
    "notify_outdated_conda": ("bool", True),
    "number_channel_notices": ("str", "5"),
    "pip_interop_enabled": ("bool", False),
    "remote_backoff_factor": ("str", "1"),
    "remote_connect_timeout_secs": ("str", "9.15"),
    "remote_max_retries": ("str", "3"),
    "remote_read_timeout_secs": ("str", "60.0"),
    "repodata_threads": ("str", None),
    "report_errors": ("bool", False),
    "safety_checks": ("str", "warn"),
    "show_channel_urls": ("str", None),
    "solver": ("str", "libmamba"),
    "use_only_tar_bz2": ("bool", False),
}
KNOWN = HONOURED | TOLERATED

_LISTS_SPLIT_AT = {"pkgs_dirs": os.pathsep, "envs_dirs": os.pathsep}
_ALIASES = {"channel": "channels", "envs_path": "envs_dirs", "yes": "always_yes", "auto_activate_base": "auto_activate"}


def as_bool(value: object) -> bool:
    return str(value).strip().lower() in ("1", "true", "yes", "on", "y")


@dataclass
class Settings:
    """The merged configuration.

    root: the installation's own prefix. values: by name. sources: a file's path, envvars or cmd_line → what it says.
    """

    root: Path
    environment: Mapping[str, str]
    values: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    @property
    def pkgs_dirs(self) -> list[Path]:
        configured = [Path(path) for path in self["pkgs_dirs"]]
        return configured or self._beside_root("pkgs")

    @property
    def envs_dirs(self) -> list[Path]:
        found = [Path(path) for path in self["envs_dirs"]]
        return found + [path for path in self._beside_root("envs") if path not in found]

    def _beside_root(self, folder: str) -> list[Path]:
        home = Path(self.environment.get("HOME") or "~").expanduser() / ".conda" / folder
        shared = self.root / folder
        return [shared, home] if os.access(self.root, os.W_OK) else [home, shared]


def rc_paths(root: Path, environment: Mapping[str, str]) -> list[Path]:
    """Every place conda looks for configuration, weakest first."""
    names: list[str] = []
    for base in ("/etc/conda", "/var/lib/conda", str(root)):
        names += [f"{base}/.condarc", f"{base}/condarc", f"{base}/condarc.d/"]
    home = environment.get("HOME") or str(Path("~").expanduser())
    bases = [f"{home}/.config/conda", f"{home}/.conda"]
    if environment.get("XDG_CONFIG_HOME"):
        bases.insert(0, f"{environment['XDG_CONFIG_HOME']}/conda")
    for base in bases:
        names += [f"{base}/.condarc", f"{base}/condarc", f"{base}/condarc.d/"]
    names.append(f"{home}/.condarc")
    if environment.get("CONDA_PREFIX"):
        base = environment["CONDA_PREFIX"]
        names += [f"{base}/.condarc", f"{base}/condarc", f"{base}/condarc.d/"]
    if environment.get("CONDARC"):
        names.append(environment["CONDARC"])
    paths: list[Path] = []
    for name in names:
        folder = Path(name)
        if name.endswith("/"):
            found = sorted([*folder.glob("*.yml"), *folder.glob("*.yaml")]) if folder.is_dir() else []
        else:
            found = [folder] if folder.is_file() else []
        paths += [path for path in found if path not in paths]
    return paths


def read_rc(path: Path) -> dict[str, Any]:
    """One condarc file; `plugins:` is flattened to plugins.name."""
    import yaml

    loaded = yaml.safe_load(path.read_text()) or {}
    plugins = loaded.pop("plugins", None) or {}
    return {**loaded, **{f"plugins.{name}": value for name, value in plugins.items()}}


def load(root: Path, environment: Mapping[str, str], command_line: Mapping[str, Any] | None = None) -> Settings:
    """All sources, merged."""
    layers: list[tuple[str, dict[str, Any]]] = [(str(path), read_rc(path)) for path in rc_paths(root, environment)]
    layers.append(("envvars", _from_environment(environment)))
    layers.append(("cmd_line", {name: value for name, value in (command_line or {}).items() if value is not None}))
    settings = Settings(root=root, environment=environment, sources={name: values for name, values in layers if values})
    for name, (kind, default) in KNOWN.items():
        given = [normal[name] for _, values in layers if name in (normal := _unalias(values)) and normal[name] is not None]
        settings.values[name] = _merge(kind, default, given, environment)
    return settings


def _unalias(values: Mapping[str, Any]) -> dict[str, Any]:
    return {_ALIASES.get(name, name): value for name, value in values.items()}


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for variable, value in environment.items():
        name = _ALIASES.get(variable[6:].lower(), variable[6:].lower()) if variable.startswith("CONDA_") else ""
        name = name.replace("plugins_", "plugins.", 1)
        if name in KNOWN:
            split_at = _LISTS_SPLIT_AT.get(name, ",")
            parts = [part.strip() for part in value.split(split_at) if part.strip()]
            values[name] = parts if KNOWN[name][0] == "list" else value
    return values


def _merge(kind: str, default: Any, given: list[Any], environment: Mapping[str, str]) -> Any:
    """given: weakest first."""
    if kind == "list":
        joined: list[str] = []
        for values in reversed(given):
            for value in [values] if isinstance(values, str) else values:
                expanded = _expand(str(value), environment)
                if expanded not in joined:
                    joined.append(expanded)
        return joined or list(default)
    if kind == "map":
        merged = dict(default)
        for values in given:
            merged |= values
        return merged
    if not given:
        return default
    return as_bool(given[-1]) if kind == "bool" else _expand(str(given[-1]), environment)


def _expand(value: str, environment: Mapping[str, str]) -> str:
    home = environment.get("HOME", "")
    expanded = os.path.expandvars(value)
    return home + expanded[1:] if home and (expanded == "~" or expanded.startswith("~/")) else expanded


def check_key(name: str) -> str:
    """The kind of a setting; refuses what conda, or this stand-in, does not know."""
    name = _ALIASES.get(name, name) if name not in KNOWN else name
    if name in KNOWN:
        return str(KNOWN[name][0])
    if name.startswith(("plugins.", "channel_settings")) or name in _REAL_BUT_UNKNOWN:
        raise StandinDoesNotKnow(f"the setting {name}")
    raise CondaKeyError(name, "unknown parameter")


_REAL_BUT_UNKNOWN = {
    "add_pip_as_python_dependency",
    "allow_softlinks",
    "allowlist_channels",
    "client_ssl_cert",
    "client_ssl_cert_key",
    "default_python",
    "denylist_channels",
    "migrated_channel_aliases",
    "path_conflict",
    "pinned_packages",
    "repodata_fns",
    "subdir",
    "track_features",
    "unsatisfiable_hints",
    "update_modifier",
    "virtual_packages",
}
