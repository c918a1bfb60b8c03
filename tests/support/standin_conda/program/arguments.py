"""conda's command line: the options that are known here, under conda's names."""

from __future__ import annotations

import sys
from argparse import REMAINDER, ArgumentParser, Namespace
from pathlib import Path
from typing import NoReturn

from . import CONDA_VERSION, STANDIN


class Parser(ArgumentParser):
    """Refuses loudly, and says that it is a stand-in which refuses."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: error: {message}\nstand-in conda does not know this; see tests/support/standin_conda\n")


def _target(parser: ArgumentParser) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument("-n", "--name")
    group.add_argument("-p", "--prefix")


def _output(parser: ArgumentParser, *, asks: bool = True) -> None:
    parser.add_argument("--json", action="store_true")
    parser.add_argument("-v", "--verbose", action="count", default=0)
    parser.add_argument("-q", "--quiet", action="store_true", default=None)
    if asks:
        parser.add_argument("-d", "--dry-run", action="store_true")
        parser.add_argument("-y", "--yes", action="store_true", default=None)


def _channels(parser: ArgumentParser) -> None:
    parser.add_argument("-c", "--channel", action="append", default=[])
    parser.add_argument("-O", "--override-channels", action="store_true")


def _network(parser: ArgumentParser) -> None:
    parser.add_argument("-k", "--insecure", action="store_true")
    parser.add_argument("--offline", action="store_true", default=None)


def _changes(parser: ArgumentParser) -> None:
    _target(parser)
    _output(parser)
    _channels(parser)
    _network(parser)
    parser.add_argument("-f", "--file", action="append", default=[])
    parser.add_argument("--copy", action="store_true", default=None)
    parser.add_argument("--download-only", action="store_true")
    parser.add_argument("--solver", choices=["libmamba", "classic", "rattler"])
    priority = parser.add_mutually_exclusive_group()
    priority.add_argument("--strict-channel-priority", dest="channel_priority", action="store_const", const="strict")
    priority.add_argument("--no-channel-priority", dest="channel_priority", action="store_const", const="disabled")
    parser.add_argument("packages", nargs="*", metavar="package_spec")


def _frozen(parser: ArgumentParser) -> None:
    parser.add_argument("--override-frozen", action="store_true")


def parser() -> Parser:
    """The whole command line."""
    top = Parser(prog="conda", description=f"conda {CONDA_VERSION} {STANDIN}: for wsb's tests only; this is not conda")
    top.add_argument("-V", "--version", action="version", version=f"conda {CONDA_VERSION} {STANDIN}")
    top.add_argument("-v", "--verbose", action="count", default=0, dest="top_verbose")
    commands = top.add_subparsers(dest="command", required=True)

    create = commands.add_parser("create")
    _changes(create)
    create.add_argument("--clone")
    create.add_argument("--no-default-packages", action="store_true")

    install = commands.add_parser("install")
    _changes(install)
    _frozen(install)
    install.add_argument("--force-reinstall", action="store_true")
    install.add_argument("--freeze-installed", "--no-update-deps", action="store_true")
    install.add_argument("--update-all", "--all", action="store_true")

    update = commands.add_parser("update", aliases=["upgrade"])
    _changes(update)
    _frozen(update)
    update.add_argument("--update-all", "--all", action="store_true")

    remove = commands.add_parser("remove", aliases=["uninstall"])
    _target(remove)
    _output(remove)
    _channels(remove)
    _frozen(remove)
    remove.add_argument("--all", action="store_true")
    remove.add_argument("package_names", nargs="*")

    listing = commands.add_parser("list")
    _target(listing)
    _output(listing, asks=False)
    for name in ("--explicit", "--md5", "--sha256"):
        listing.add_argument(name, action="store_true")
    listing.add_argument("-e", "--export", action="store_true")
    listing.add_argument("-f", "--full-name", action="store_true")
    listing.add_argument("--no-pip", dest="pip", action="store_false")
    listing.add_argument("--show-channel-urls", action="store_true")
    listing.add_argument("regex", nargs="?")

    info = commands.add_parser("info")
    _output(info, asks=False)
    info.add_argument("-a", "--all", action="store_true")
    info.add_argument("--base", action="store_true")
    info.add_argument("-e", "--envs", action="store_true")

    search = commands.add_parser("search")
    _output(search, asks=False)
    _channels(search)
    _network(search)
    search.add_argument("match_spec", nargs="?")

    run = commands.add_parser("run")
    _target(run)
    run.add_argument("-v", "--verbose", action="count", default=0)
    run.add_argument("--cwd", default=str(Path.cwd()))
    run.add_argument("-s", "--no-capture-output", "--live-stream", action="store_true", dest="no_capture_output")
    run.add_argument("executable_call", nargs=REMAINDER)

    clean = commands.add_parser("clean")
    _output(clean)
    for short, name in (("-a", "all"), ("-i", "index-cache"), ("-p", "packages"), ("-t", "tarballs")):
        clean.add_argument(short, f"--{name}", action="store_true")
    clean.add_argument("-f", "--force-pkgs-dirs", action="store_true")
    clean.add_argument("--tempfiles", nargs="*")
    clean.add_argument("-l", "--logfiles", action="store_true")

    init = commands.add_parser("init")
    init.add_argument("shells", nargs="*")
    init.add_argument("--system", action="store_true")
    init.add_argument("--reverse", action="store_true")

    _add_config(commands.add_parser("config"))
    _add_env(commands.add_parser("env"))

    tos = commands.add_parser("tos")
    tos.add_argument("cmd", nargs="?", choices=["accept", "reject", "list"], default="list")
    _channels(tos)
    for where in ("site", "system", "user"):
        tos.add_argument(f"--{where}", dest="where", action="store_const", const=where)
    tos.set_defaults(where="user")
    return top


def _add_config(config: ArgumentParser) -> None:
    config.add_argument("--json", action="store_true")
    where = config.add_mutually_exclusive_group()
    where.add_argument("--system", action="store_true")
    where.add_argument("--env", action="store_true")
    where.add_argument("--file")
    where.add_argument("-n", "--name")
    where.add_argument("-p", "--prefix")
    config.add_argument("--show", nargs="*")
    config.add_argument("--show-sources", action="store_true")
    config.add_argument("--get", nargs="*", metavar="KEY")
    for names in (("--append",), ("--prepend", "--add"), ("--set",), ("--remove",)):
        config.add_argument(*names, nargs=2, action="append", default=[], metavar=("KEY", "VALUE"))
    config.add_argument("--remove-key", action="append", default=[], metavar="KEY")
    config.add_argument("-f", "--force", action="store_true")


def _add_env(env: ArgumentParser) -> None:
    """`conda env …`. As in conda 26.5, `env update` takes neither --yes nor a channel."""
    commands = env.add_subparsers(dest="env_command", required=True)
    create = commands.add_parser("create")
    _target(create)
    _output(create)
    _network(create)
    create.add_argument("-f", "--file", default="environment.yml")
    create.add_argument("--no-default-packages", action="store_true")
    create.add_argument("--solver", choices=["libmamba", "classic", "rattler"])
    update = commands.add_parser("update")
    _target(update)
    _output(update, asks=False)
    _frozen(update)
    update.add_argument("-f", "--file", default="environment.yml")
    update.add_argument("--prune", action="store_true")
    update.add_argument("--solver", choices=["libmamba", "classic", "rattler"])
    listing = commands.add_parser("list")
    _output(listing, asks=False)
    remove = commands.add_parser("remove")
    _target(remove)
    _output(remove)
    export = commands.add_parser("export")
    _target(export)
    export.add_argument("-f", "--file")
    export.add_argument("--no-builds", action="store_true")
    export.add_argument("--from-history", action="store_true")


def command_line_settings(args: Namespace) -> dict[str, object]:
    """The options that are settings under another name; None where they were not given."""
    return {
        "always_copy": getattr(args, "copy", None),
        "always_yes": getattr(args, "yes", None),
        "channel_priority": getattr(args, "channel_priority", None),
        "offline": getattr(args, "offline", None),
        "quiet": getattr(args, "quiet", None) or getattr(args, "json", None) or None,
        "ssl_verify": "false" if getattr(args, "insecure", False) else None,
    }
