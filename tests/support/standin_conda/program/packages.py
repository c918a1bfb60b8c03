"""create, install, update and remove: the commands that change environments."""

from __future__ import annotations

import json
import shutil
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from . import envfile, link, pip_section, prefixes, terms, transaction, web
from .envfile import EnvironmentFile
from .errors import (
    ArgumentError,
    CondaError,
    CondaSystemExit,
    CondaValueError,
    DryRunExit,
    NoChannelsConfiguredError,
    PackagesNotFoundInPrefixError,
    StandinDoesNotKnow,
)
from .settings import Settings
from .transaction import Difference, Wish


def say(settings: Settings, text: str) -> None:
    if not settings["quiet"]:
        print(text)


def confirm(settings: Settings, args: Namespace, question: str = "Proceed", default: str = "yes") -> None:
    """Asks as conda asks; nothing typed, or no one there to type, takes the default."""
    if getattr(args, "dry_run", False):
        raise DryRunExit
    if settings["always_yes"]:
        return
    print(f"{question} ({'[y]/n' if default == 'yes' else 'y/[n]'})? ", end="", flush=True)
    typed = sys.stdin.readline().strip().lower() or default
    print()
    if typed not in ("y", "yes"):
        raise CondaSystemExit("Exiting.")


def own_channels(settings: Settings, args: Namespace) -> list[str]:
    """Channel names of the command line and the configuration, in conda's order; what the terms are checked for."""
    given = list(getattr(args, "channel", None) or [])
    if getattr(args, "override_channels", False):
        if not settings["override_channels_enabled"]:
            raise CondaError("Overriding channels has been disabled.")
        if not given:
            raise ArgumentError("At least one -c / --channel flag must be supplied when using --override-channels.")
        return given
    return given + [name for name in settings["channels"] if name not in given]


def check_terms(settings: Settings, args: Namespace) -> None:
    terms.check(settings, web.channel_urls(settings, own_channels(settings, args)), always_yes=settings["always_yes"])


def create(settings: Settings, args: Namespace) -> int:
    files = [envfile.read(name) for name in args.file]
    if not (args.name or args.prefix) and len(files) == 1:
        args.name, args.prefix = files[0].name, None if files[0].name else files[0].prefix
    if not (args.name or args.prefix):
        raise ArgumentError("one of the arguments -n/--name -p/--prefix is required")
    prefix = prefixes.target(settings, args.name, args.prefix, must_exist=False)
    check_terms(settings, args)
    if prefixes.is_environment(prefix):
        if args.dry_run:
            raise CondaValueError("Cannot `create --dry-run` with an existing conda environment")
        question = f"WARNING: A conda environment already exists at '{prefix}'\n\nRemove existing environment?\n"
        confirm(settings, args, question, "no")
        delete(prefix)
    elif prefix.exists() and not args.dry_run:
        question = f"WARNING: A directory already exists at the target location '{prefix}'\n"
        confirm(settings, args, question + "but it is not a conda environment.\nContinue creating environment", "no")
    if args.clone:
        raise StandinDoesNotKnow("conda create --clone")
    defaults = [] if args.no_default_packages else list(settings["create_default_packages"])
    code = change(settings, args, prefix, files, defaults + list(args.packages))
    prefixes.register(settings, prefix)
    shown = args.name or str(prefix)
    say(
        settings,
        f"#\n# To activate this environment, use\n#\n#     $ conda activate {shown}\n#\n"
        "# To deactivate an active environment, use\n#\n#     $ conda deactivate\n",
    )
    return code


def install(settings: Settings, args: Namespace) -> int:
    if not (args.file or args.packages):
        raise CondaValueError("too few arguments, must supply one of command line packages, --file or --revision")
    prefix = prefixes.target(settings, args.name, args.prefix)
    check_terms(settings, args)
    prefixes.assert_changeable(prefix, override_frozen=args.override_frozen)
    return change(settings, args, prefix, [envfile.read(name) for name in args.file], list(args.packages))


def update(settings: Settings, args: Namespace) -> int:
    prefix = prefixes.target(settings, args.name, args.prefix)
    check_terms(settings, args)
    prefixes.assert_changeable(prefix, override_frozen=args.override_frozen)
    names = {record["name"] for record in prefixes.records(prefix)}
    if not args.update_all:
        if not args.packages:
            raise CondaValueError("no package names supplied\n# Example: conda update -n myenv scipy")
        missing = [spec for spec in args.packages if transaction.spec_name(spec) not in names]
        if missing:
            raise PackagesNotFoundInPrefixError(missing, prefix)
    return change(settings, args, prefix, [], list(args.packages), updating=True)


def change(
    settings: Settings,
    args: Namespace,
    prefix: Path,
    files: list[EnvironmentFile],
    specs: list[str],
    *,
    updating: bool = False,
) -> int:
    """What create, install and update have in common. Channels of files come after the configured ones, as in conda 26."""
    names = own_channels(settings, args)
    if not args.override_channels:
        names = [*names, *(channel for file in files for channel in file.channels if channel not in names)]
    explicit = [address for file in files for address in file.explicit] + [
        spec for spec in specs if "://" in spec and "::" not in spec
    ]
    specs = [spec for spec in specs if spec not in explicit] + [spec for file in files for spec in file.specs]
    if explicit and specs:
        raise CondaValueError("Cannot combine package names with explicit package lists.")
    if explicit:
        before = transaction.installed(prefix)
        added = transaction.from_addresses(settings, explicit)
        fresh = {record.name.normalized for record in added}
        after = [record for record in before if record.name.normalized not in fresh] + added
        carry_out(settings, args, prefix, before, after, requested=[], label="update")
    else:
        solve_and_apply(settings, args, prefix, specs, names, updating=updating)
    for file in files:
        pip_section.install(settings, prefix, file)
    variables = {name: value for file in files for name, value in file.variables.items()}
    if variables:
        prefixes.set_variables(prefix, variables)
    return 0


def solve_and_apply(
    settings: Settings, args: Namespace, prefix: Path, specs: list[str], channels: list[str], *, updating: bool
) -> None:
    before = transaction.installed(prefix)
    asked = {transaction.spec_name(spec) for spec in specs}
    remembered = _remembered(before, without=asked)
    history = list(remembered)
    everything = updating and args.update_all
    python = next((record for record in before if record.name.normalized == "python"), None)
    if python and "python" not in asked:  # conda never moves to another Python by itself
        history.append(f"python {'.'.join(str(python.version).split('.')[:2])}.*")
    urls = web.channel_urls(settings, channels)
    if not urls and specs:
        raise NoChannelsConfiguredError(specs)
    say(settings, "Channels:" + "".join(f"\n - {name}" for name in channels) + f"\nPlatform: {transaction.subdir()}")
    others = [record for record in before if record.name.normalized not in asked]
    if not specs and not before:
        after = []
    else:
        wish = Wish(specs=specs + history, channels=urls, keep=[] if everything else others)
        if not updating:
            wish.fixed = others
            try:  # first without touching anything that is there, as conda does
                after = transaction.solve(settings, wish)
            except CondaError:
                wish.fixed = []
                after = transaction.solve(settings, wish)
        else:
            after = transaction.solve(settings, wish)
    force = asked if getattr(args, "force_reinstall", False) else set()
    carry_out(settings, args, prefix, before, after, requested=specs, label="update", reinstall=force)


def _remembered(records: list[Any], *, without: set[str]) -> list[str]:
    """What was asked for by name, now or earlier, and is still there."""
    found = [str(spec) for record in records if record.name.normalized not in without for spec in record.requested_specs]
    return [spec for spec in dict.fromkeys(found) if transaction.spec_name(spec) not in without]


def carry_out(
    settings: Settings,
    args: Namespace,
    prefix: Path,
    before: list[Any],
    after: list[Any],
    *,
    requested: list[str],
    label: str,
    reinstall: set[str] | None = None,
) -> None:
    change = transaction.difference(before, after, reinstall=reinstall or set())
    is_new = not prefixes.is_environment(prefix)
    if change.is_empty and not is_new:
        say(settings, "\n# All requested packages already installed.\n")
        return
    say(settings, f"\n## Package Plan ##\n\n  environment location: {prefix}\n")
    if requested:
        say(settings, "  added / updated specs:" + "".join(f"\n    - {spec}" for spec in sorted(requested)) + "\n")
    _show(settings, change)
    confirm(settings, args)
    if getattr(args, "download_only", False):
        raise StandinDoesNotKnow("--download-only")
    say(settings, "\nDownloading and Extracting Packages: ...working... done")
    gone = {record.name.normalized for record in change.unlink} - {record.name.normalized for record in change.link}
    remembered = _remembered(before, without=gone | {transaction.spec_name(spec) for spec in requested})
    link.apply(settings, prefix, after, change, requested=requested, remembered=remembered, label=label)
    for step in ("Preparing", "Verifying", "Executing"):
        say(settings, f"{step} transaction: ...working... done")
    if getattr(args, "json", False):
        linked = [{"name": record.name.normalized, "version": str(record.version)} for record in change.link]
        print(json.dumps({"success": True, "prefix": str(prefix), "actions": {"LINK": linked}}, indent=2))


def _show(settings: Settings, change: Difference) -> None:
    old = {record.name.normalized: record for record in change.unlink}
    new = {record.name.normalized: record for record in change.link}
    groups = (
        ("The following NEW packages will be INSTALLED:", [name for name in new if name not in old]),
        ("The following packages will be REMOVED:", [name for name in old if name not in new]),
        ("The following packages will be UPDATED:", [name for name in new if name in old]),
    )
    for title, names in groups:
        if names:
            say(settings, f"{title}\n")
            for name in sorted(names):
                record = new.get(name) or old[name]
                shown = web.short_name(settings, str(record.channel).rstrip("/"))
                said = f"{shown}/{record.subdir}::{name}-{record.version}-{record.build}"
                arrow = f"{old[name].version}-{old[name].build} --> " if name in old and name in new else ""
                say(settings, f"  {name:<18} {arrow}{said}")
            say(settings, "")


def remove(settings: Settings, args: Namespace) -> int:
    if not (args.all or args.package_names):
        raise CondaValueError('no package names supplied,\n       try "conda remove -h" for more details')
    prefix = prefixes.target(settings, args.name, args.prefix)
    check_terms(settings, args)
    prefixes.assert_changeable(prefix, override_frozen=args.override_frozen)
    return remove_environment(settings, args, prefix) if args.all else remove_packages(settings, args, prefix)


def remove_packages(settings: Settings, args: Namespace, prefix: Path) -> int:
    """Removes packages and what needs them."""
    before = transaction.installed(prefix)
    names = {record.name.normalized for record in before}
    gone = {transaction.spec_name(spec) for spec in args.package_names}
    if gone - names:
        raise PackagesNotFoundInPrefixError(sorted(gone - names), prefix)
    while needing := {
        record.name.normalized
        for record in before
        if record.name.normalized not in gone and any(transaction.spec_name(str(need)) in gone for need in record.depends)
    }:
        gone |= needing
    after = [record for record in before if record.name.normalized not in gone]
    carry_out(settings, args, prefix, before, after, requested=[], label="remove")
    return 0


def remove_environment(settings: Settings, args: Namespace, prefix: Path) -> int:
    if prefix == settings.root:
        raise CondaError("cannot remove root environment, add -n NAME or -p PREFIX option")
    if str(prefix) == settings.environment.get("CONDA_PREFIX"):
        raise CondaError("Cannot remove current environment. Deactivate and run conda remove again")
    say(settings, f"\nRemove all packages in environment {prefix}:\n")
    confirm(
        settings, args, f"Everything found within the environment ({prefix}) will be deleted. Do you wish to continue?\n", "no"
    )
    delete(prefix)
    return 0


def delete(prefix: Path) -> None:
    """An alias goes without what it points at."""
    prefix.unlink() if prefix.is_symlink() else shutil.rmtree(prefix)
