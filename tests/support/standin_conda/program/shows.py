"""list, info, search, env list and env export: the commands that only tell."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from . import CONDA_VERSION, prefixes, transaction, web
from .errors import PackagesNotFoundInChannelsError
from .packages import check_terms, own_channels
from .settings import Settings


def list_packages(settings: Settings, args: Namespace) -> int:
    prefix = prefixes.target(settings, args.name, args.prefix)
    records = prefixes.records(prefix)
    if args.explicit:
        _header()
        print("@EXPLICIT")
        for record in _dependencies_first(records):
            digest = record["md5"] if args.md5 else record["sha256"] if args.sha256 else ""
            print(record["url"] + (f"#{digest}" if digest else ""))
        return 0
    if args.export:
        _header()
        shown = [*records, *(prefixes.pip_records(prefix) if args.pip else ())]
        for record in sorted(shown, key=lambda record: str(record["name"])):
            print(f"{record['name']}={record['version']}={'pypi_0' if record['channel'] == 'pypi' else record['build']}")
        return 0
    rows = [_row(settings, record) for record in [*records, *(prefixes.pip_records(prefix) if args.pip else ())]]
    if args.regex:
        pattern = f"^{re.escape(args.regex)}$" if args.full_name else args.regex
        rows = [row for row in rows if re.search(pattern, row["name"], re.IGNORECASE)]
    rows.sort(key=lambda row: str(row["name"]))
    if args.json:
        print(json.dumps(rows, indent=2))
        return 0
    print(f"# packages in environment at {prefix}:\n#\n# {'Name':<23}  {'Version':<15}  {'Build':<15}  Channel")
    for row in rows:
        print(f"{row['name']:<25}  {row['version']:<15}  {row['build_string']:<15}  {row['channel']}".rstrip())
    return 0


def _header() -> None:
    print("# This file may be used to create an environment using:\n# $ conda create --name <env> --file <this file>")
    print(f"# platform: {transaction.subdir()}\n# created-by: conda {CONDA_VERSION}")


def _row(settings: Settings, record: dict[str, Any]) -> dict[str, Any]:
    url = str(record["channel"]).rstrip("/")
    channel = url if url == "pypi" else web.short_name(settings, url)
    return {
        "base_url": None if url == "pypi" else url,
        "build_number": record.get("build_number", 0),
        "build_string": record["build"],
        "channel": channel,
        "dist_name": f"{record['name']}-{record['version']}-{record['build']}",
        "name": record["name"],
        "platform": record.get("subdir", "pypi"),
        "version": record["version"],
    }


def _dependencies_first(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every package after those it needs; alphabetical where that leaves a choice."""
    by_name = {record["name"]: record for record in records}
    ordered: dict[str, dict[str, Any]] = {}

    def add(name: str) -> None:
        if name in ordered or name not in by_name or name in visiting:
            return
        visiting.add(name)
        for need in sorted(by_name[name]["depends"]):
            add(transaction.spec_name(need))
        ordered[name] = by_name[name]

    visiting: set[str] = set()
    for name in sorted(by_name):
        add(name)
    return list(ordered.values())


def info(settings: Settings, args: Namespace) -> int:
    if args.base:
        print(settings.root)
        return 0
    if args.envs:
        return environments(settings, args)
    active = settings.environment.get("CONDA_PREFIX")
    told = {
        "active_prefix": active,
        "active_prefix_name": prefixes.label(settings, Path(active)) if active else None,
        "channels": [
            f"{url}/{part}"
            for url in web.channel_urls(settings, settings["channels"])
            for part in (transaction.subdir(), "noarch")
        ],
        "conda_prefix": str(settings.root),
        "conda_shlvl": int(settings.environment.get("CONDA_SHLVL") or -1),
        "conda_version": CONDA_VERSION,
        "config_files": [name for name in settings.sources if name.startswith("/")],
        "default_prefix": active or str(settings.root),
        "envs": [str(prefix) for prefix in prefixes.known(settings)],
        "envs_dirs": [str(folder) for folder in settings.envs_dirs],
        "is_standin": True,
        "offline": settings["offline"],
        "pkgs_dirs": [str(folder) for folder in settings.pkgs_dirs],
        "platform": transaction.subdir(),
        "python_version": ".".join(map(str, sys.version_info)),
        "rc_path": f"{settings.environment.get('HOME')}/.condarc",
        "root_prefix": str(settings.root),
        "root_writable": os.access(settings.root, os.W_OK),
        "solver": {"default": True, "name": "rattler", "user_agent": "wsb stand-in"},
        "sys_rc_path": f"{settings.root}/.condarc",
        "user_rc_path": f"{settings.environment.get('HOME')}/.condarc",
        "virtual_pkgs": _virtual_packages(),
        "UID": os.geteuid(),
        "GID": os.getegid(),
    }
    if args.json:
        print(json.dumps(told, indent=2, sort_keys=True))
        return 0
    print()
    for name, value in told.items():
        values = [str(part) for part in value] if isinstance(value, list) else [str(value)]
        print(f"{name.replace('_', ' '):>24} : " + f"\n{'':>27}".join(values or [""]))
    print()
    return 0


def _virtual_packages() -> list[list[str]]:
    from rattler import VirtualPackage, VirtualPackageOverrides

    found = [package.into_generic() for package in VirtualPackage.detect(VirtualPackageOverrides.from_env())]
    return [[one.name.normalized, str(one.version), str(one.build_string)] for one in found]


def environments(settings: Settings, args: Namespace) -> int:
    found = prefixes.known(settings)
    if args.json:
        print(json.dumps({"envs": [str(prefix) for prefix in found]}, indent=2))
        return 0
    active = settings.environment.get("CONDA_PREFIX")
    print("\n# conda environments:\n#")
    for prefix in found:
        name = prefixes.label(settings, prefix)
        print(f"{name if '/' not in name else '':<21}{'*' if str(prefix) == active else ' '}   {prefix}")
    print()
    return 0


def export(settings: Settings, args: Namespace) -> int:
    """`conda env export` in YAML; --from-history and --no-builds as conda's."""
    prefix = prefixes.target(settings, args.name, args.prefix)
    records = prefixes.records(prefix)
    lines = [f"name: {prefixes.label(settings, prefix)}", "channels:"]
    lines += [f"  - {name}" for name in dict.fromkeys(str(_row(settings, record)["channel"]) for record in records)]
    lines.append("dependencies:")
    for record in records:
        if args.from_history:
            lines += [f"  - {spec}" for spec in record.get("requested_specs") or []]
        else:
            lines.append(f"  - {record['name']}={record['version']}" + ("" if args.no_builds else f"={record['build']}"))
    pip = [] if args.from_history else list(prefixes.pip_records(prefix))
    if pip:
        lines += ["  - pip:", *(f"      - {record['name']}=={record['version']}" for record in pip)]
    lines.append(f"prefix: {prefix}")
    text = "\n".join(lines) + "\n"
    Path(args.file).write_text(text) if args.file else print(text, end="")
    return 0


def search(settings: Settings, args: Namespace) -> int:
    check_terms(settings, args)
    return search_channels(settings, args)


def search_channels(settings: Settings, args: Namespace) -> int:
    """What the channels offer."""
    urls = web.channel_urls(settings, own_channels(settings, args))
    web.look_at(settings, urls, transaction.subdir())
    found = asyncio.run(_search(settings, urls, args.match_spec or "*"))
    if not found:
        raise PackagesNotFoundInChannelsError([args.match_spec], urls)
    if args.json:
        named: dict[str, list[dict[str, Any]]] = {}
        for record in found:
            named.setdefault(record.name.normalized, []).append(json.loads(record.to_json()))
        print(json.dumps(named, indent=2))
        return 0
    print(f"Loading channels: done\n# {'Name':<22} {'Version':>15} {'Build':>15}  {'Channel':<20}")
    for record in found:
        channel = web.short_name(settings, str(record.channel).rstrip("/"))
        print(f"{record.name.normalized:<24} {record.version!s:>15} {record.build!s:>15}  {channel:<20}".rstrip())
    return 0


async def _search(settings: Settings, urls: list[str], spec: str) -> list[Any]:
    from rattler import Channel, Subdir

    gateway = transaction.gateway_of(settings)
    channels, subdirs = [Channel(f"{url}/") for url in urls], [Subdir(transaction.subdir()), Subdir("noarch")]
    names = [name.normalized for name in await gateway.names(channels, subdirs)]
    wanted, _, rest = spec.partition("=")
    pattern = re.compile(wanted.replace("*", ".*") + "$")
    specs = [f"{name}={rest}" if rest else name for name in names if pattern.match(name)]
    matches = [transaction.match_spec(settings, one) for one in specs]
    answers = await gateway.query(channels, subdirs, matches, recursive=False)
    records = [record for records in answers for record in records if any(match.matches(record) for match in matches)]
    return sorted(records, key=lambda record: (record.name.normalized, record.version, record.build_number))
