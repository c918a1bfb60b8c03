"""`conda config`: shows what is configured and writes condarc files."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

from . import prefixes
from .errors import CondaKeyError, CondaValueError, StandinDoesNotKnow
from .settings import KNOWN, Settings, as_bool, check_key, read_rc


def config(settings: Settings, args: Namespace) -> int:
    if args.show is not None:
        for name in args.show or sorted(KNOWN):
            check_key(name)
        values = {name: _shown(settings, name) for name in args.show or sorted(KNOWN)}
        print(json.dumps(values, indent=2)) if args.json else _print_yaml(values)
        return 0
    if args.show_sources:
        print(json.dumps(settings.sources, indent=2)) if args.json else _print_sources(settings)
        return 0
    path = _rc_file(settings, args)
    content = read_rc(path) if path.is_file() else {}
    if args.get is not None:
        for name in args.get or sorted(content):
            values = content.get(name, [])
            for value in values if isinstance(values, list) else []:
                print(f"--add {name} {value!r}")
            if not isinstance(values, list):
                print(f"--set {name} {values}")
        return 0
    _change(args, content)
    path.parent.mkdir(parents=True, exist_ok=True)
    import yaml

    plugins = {name[8:]: value for name, value in content.items() if name.startswith("plugins.")}
    plain = {name: value for name, value in content.items() if not name.startswith("plugins.")}
    path.write_text(yaml.safe_dump({**plain, **({"plugins": plugins} if plugins else {})}, sort_keys=False))
    return 0


def _shown(settings: Settings, name: str) -> Any:
    if name in ("pkgs_dirs", "envs_dirs"):
        return [str(folder) for folder in getattr(settings, name)]
    return settings[name] if name in settings.values else None


def _print_yaml(values: dict[str, Any]) -> None:
    for name, value in values.items():
        if isinstance(value, list | tuple):
            print(f"{name}:" + "".join(f"\n  - {part}" for part in value) if value else f"{name}: []")
        elif isinstance(value, dict):
            print(f"{name}:" + "".join(f"\n  {key}: {part}" for key, part in value.items()) if value else f"{name}: {{}}")
        else:
            print(f"{name}: {value}")


def _print_sources(settings: Settings) -> None:
    for source, values in settings.sources.items():
        print(f"==> {source} <==")
        _print_yaml(values)
        print()


def _rc_file(settings: Settings, args: Namespace) -> Path:
    if args.file:
        return Path(args.file)
    if args.system:
        return settings.root / ".condarc"
    if args.prefix or args.name:
        return prefixes.target(settings, args.name, args.prefix) / ".condarc"
    if args.env and settings.environment.get("CONDA_PREFIX"):
        return Path(settings.environment["CONDA_PREFIX"]) / ".condarc"
    return Path(settings.environment.get("CONDARC") or f"{settings.environment.get('HOME') or '/root'}/.condarc")


def _change(args: Namespace, content: dict[str, Any]) -> None:
    for at_end, pairs in ((False, args.prepend), (True, args.append)):
        for name, value in pairs:
            if check_key(name) != "list":
                raise CondaValueError(f"Key '{name}' is not a known sequence parameter.")
            values = [other for other in content.get(name) or [] if other != value]
            content[name] = [*values, value] if at_end else [value, *values]
    for name, value in args.set:
        table, _, key = name.partition(".")
        if key and KNOWN.get(table, ("",))[0] == "map":
            content.setdefault(table, {})[key] = value
            continue
        kind = check_key(name)
        if kind in ("list", "map"):
            raise CondaValueError(f"Key '{name}' is not a known primitive parameter.")
        content[name] = as_bool(value) if kind == "bool" or value.lower() in ("true", "false") else value
    for name, value in args.remove:
        if value not in (content.get(name) or []):
            raise CondaKeyError(name, f"value {value!r} not present in config")
        content[name] = [other for other in content[name] if other != value]
    for name in args.remove_key:
        if name not in content:
            raise CondaKeyError(name, "undefined in config")
        del content[name]
    if not (args.prepend or args.append or args.set or args.remove or args.remove_key):
        raise StandinDoesNotKnow("this use of conda config")
