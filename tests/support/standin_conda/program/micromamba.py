"""The stand-in's other face: micromamba's command line over the same solving, linking and activation.

Differences that matter to a Dockerfile are micromamba's: its own root prefix, conda-forge where no channel is configured, no
terms of service, an environment file where conda wants a package list, and no mercy for a folder that is not an environment.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from argparse import REMAINDER, Namespace
from pathlib import Path

from . import MICROMAMBA_VERSION, STANDIN, envfile, packages, prefixes, settings, shell, shows, web
from .activate import Activator
from .arguments import Parser
from .errors import CondaError, CondaSystemExit
from .leaving import leave
from .settings import Settings


class MambaError(CondaError):
    """Printed as libmamba prints: `critical libmamba …`."""


def parser() -> Parser:
    top = Parser(prog="micromamba", description="wsb's stand-in for micromamba: for tests only")
    top.add_argument("--version", action="version", version=f"{MICROMAMBA_VERSION} {STANDIN}")
    commands = top.add_subparsers(dest="command", required=True)
    for name in ("create", "install", "update", "remove", "list", "info", "clean", "run", "search"):
        _add(commands.add_parser(name), name)
    environment = commands.add_parser("env").add_subparsers(dest="env_command", required=True)
    for name in ("list", "create", "update", "remove", "export"):
        _add(environment.add_parser(name), f"env {name}")
    shells = commands.add_parser("shell").add_subparsers(dest="shell_command", required=True)
    for name in ("hook", "init", "activate", "deactivate", "reactivate"):
        one = shells.add_parser(name)
        _common(one)
        _target(one)
        one.add_argument("-s", "--shell", choices=["bash", "posix", "zsh", "dash"], default="bash")
        one.add_argument("--stack", action="store_true")
        one.add_argument("prefix_or_name", nargs="?")
    return top


def _common(one: Parser) -> None:
    one.add_argument("-r", "--root-prefix")
    for flag in ("--no-rc", "--no-env", "--json", "--offline", "--dry-run"):
        one.add_argument(flag, action="store_true")
    one.add_argument("--rc-file")
    one.add_argument("-v", "--verbose", action="count", default=0)
    one.add_argument("-q", "--quiet", action="store_true", default=None)
    one.add_argument("-y", "--yes", action="store_true", default=None)


def _target(one: Parser) -> None:
    one.add_argument("-p", "--prefix")
    one.add_argument("-n", "--name")


def _add(one: Parser, name: str) -> None:
    _common(one)
    if name != "clean":
        _target(one)
    if name in ("create", "install", "update", "search", "env create", "env update"):
        one.add_argument("-c", "--channel", action="append", default=[])
        one.add_argument("--override-channels", action="store_true")
        one.add_argument("-f", "--file", action="append", default=[])
        one.add_argument("--channel-priority", choices=["disabled", "flexible", "strict"])
        one.add_argument("--strict-channel-priority", dest="channel_priority", action="store_const", const="strict")
        one.add_argument("--channel-alias")
        one.add_argument("--always-copy", "--copy", dest="copy", action="store_true", default=None)
        one.add_argument("--ssl-verify")
        one.add_argument("--cacert-path")
        for flag in ("--pyc", "--freeze-installed", "--force-reinstall", "--retry-clean-cache"):
            one.add_argument(flag, action="store_true")
    if name == "update":
        one.add_argument("-a", "--all", action="store_true")
    if name in ("create", "install", "update", "env create"):
        one.add_argument("packages", nargs="*", metavar="specs")
    elif name == "remove":
        one.add_argument("-a", "--all", action="store_true")
        one.add_argument("package_names", nargs="*")
    elif name == "list":
        one.add_argument("--explicit", action="store_true")
        one.add_argument("--md5", action="store_true")
        one.add_argument("regex", nargs="?")
    elif name == "env export":
        one.add_argument("-e", "--explicit", action="store_true")
        one.add_argument("--no-md5", action="store_true")
        one.add_argument("--no-build", "--no-builds", dest="no_builds", action="store_true")
        one.add_argument("--from-history", action="store_true")
    elif name == "search":
        one.add_argument("match_spec", nargs="?")
    elif name == "clean":
        for short, long in (("-a", "all"), ("-i", "index-cache"), ("-p", "packages"), ("-t", "tarballs"), ("-l", "logfiles")):
            one.add_argument(short, f"--{long}", action="store_true")
        one.add_argument("-f", "--force-pkgs-dirs", action="store_true")
    elif name == "run":
        one.add_argument("-a", "--attach")
        one.add_argument("--cwd", default=str(Path.cwd()))
        one.add_argument("-e", "--env", action="append", default=[])
        one.add_argument("--clean-env", action="store_true")
        one.add_argument("executable_call", nargs=REMAINDER)


def load(args: Namespace) -> Settings:
    """conda's configuration with MAMBA_* variables over it, and conda-forge where no channel is named."""
    environment = dict(os.environ)
    for name, value in os.environ.items():
        if name.startswith("MAMBA_"):
            environment[f"CONDA_{name[6:]}"] = value
    given = args.root_prefix or os.environ.get("MAMBA_ROOT_PREFIX")
    root = Path(given).absolute() if given else Path("~/.local/share/mamba").expanduser()
    command_line: dict[str, object] = {
        "always_copy": getattr(args, "copy", None),
        "always_yes": args.yes,
        "channel_alias": getattr(args, "channel_alias", None),
        "channel_priority": getattr(args, "channel_priority", None),
        "offline": args.offline or None,
        "quiet": args.quiet or args.json or None,
        "ssl_verify": getattr(args, "cacert_path", None) or getattr(args, "ssl_verify", None),
    }
    if args.rc_file:
        environment["CONDARC"] = args.rc_file
    loaded = settings.load(root, environment, command_line)
    loaded.values["channels"] = loaded["channels"] or ["conda-forge"]
    return loaded


def main(executable: str, words: list[str]) -> int:
    """executable: where micromamba itself lies; MAMBA_EXE in what `shell hook` prints."""
    try:
        if words and words[0] in ("activate", "deactivate"):
            raise MambaError(
                "'micromamba' is running as a subprocess and can't modify the parent shell.\n"
                "Thus you must initialize your shell before using activate and deactivate."
            )
        return _dispatch(executable, parser().parse_args(words))
    except CondaError as error:
        print(f"{'critical' if error.exit_code else 'info'} libmamba {error}", file=sys.stderr)
        return 1 if error.exit_code else 0
    except KeyboardInterrupt:
        return 130


def _dispatch(executable: str, args: Namespace) -> int:
    loaded = load(args)
    if args.command == "shell":
        print(_speak(loaded, executable, args), end="")
        return 0
    web.prepare_environment(loaded)
    defaults = {"clone": None, "no_default_packages": False, "override_frozen": True, "update_all": getattr(args, "all", False)}
    defaults |= {"base": False, "envs": False, "export": False, "sha256": False, "pip": True, "full_name": False}
    for name, value in defaults.items():
        setattr(args, name, value)
    command = f"env {args.env_command}" if args.command == "env" else args.command
    if command in ("create", "install", "update", "env create", "env update"):
        return _change(loaded, args, command.removeprefix("env "))
    if command == "run":
        return _run(loaded, executable, args)
    if command == "env export":
        args.file, args.regex, args.md5 = None, None, not args.no_md5
        return shows.list_packages(loaded, args) if args.explicit else shows.export(loaded, args)
    if command in ("remove", "env remove"):
        args.all = getattr(args, "all", False) or command == "env remove"
        args.package_names = getattr(args, "package_names", [])
        prefix = prefixes.target(loaded, args.name, args.prefix)
        return packages.remove_environment(loaded, args, prefix) if args.all else packages.remove_packages(loaded, args, prefix)
    commands = {
        "clean": shell.clean,
        "env list": shows.environments,
        "info": shows.info,
        "list": shows.list_packages,
        "search": shows.search_channels,
    }
    return commands[command](loaded, args)


def _change(loaded: Settings, args: Namespace, command: str) -> int:
    """create, install and update. Files and specs together are one wish; a file's channels come after those given with -c."""
    files = [envfile.read(name) for name in args.file]
    if command == "create" and not (args.name or args.prefix) and files:
        args.name = files[0].name
    must_exist = command != "create"
    prefix = prefixes.target(loaded, args.name, args.prefix, must_exist=must_exist)
    if command == "create":
        if not (args.name or args.prefix):
            raise MambaError("No target prefix specified")
        _make_room(loaded, args, prefix)
    names = args.channel + [channel for file in files for channel in file.channels if channel not in args.channel]
    names = [name for name in names if name != "nodefaults"]
    if not args.override_channels:
        names += [name for name in loaded["channels"] if name not in names]
    args.channel, args.override_channels = names, True
    code = packages.change(loaded, args, prefix, files, list(getattr(args, "packages", [])), updating=command == "update")
    prefixes.register(loaded, prefix)
    return code


def _make_room(loaded: Settings, args: Namespace, prefix: Path) -> None:
    if not prefix.exists():
        return
    if prefix == loaded.root:
        raise MambaError("Overwriting root prefix is not permitted - aborting.")
    if not any(prefix.iterdir()):
        print("warning  libmamba Using existing empty folder as target prefix", file=sys.stderr)
    elif not (prefix / "conda-meta").exists():
        raise MambaError("Non-conda folder exists at prefix - aborting.")
    else:
        try:
            packages.confirm(loaded, args, f"Found conda-prefix at '{prefix}'. Overwrite?", "no")
        except CondaSystemExit:
            raise MambaError("Aborting.") from None
        packages.delete(prefix)


def _program(loaded: Settings, executable: str) -> dict[str, str]:
    return {"MAMBA_EXE": executable, "MAMBA_ROOT_PREFIX": str(loaded.root)}


def _speak(loaded: Settings, executable: str, args: Namespace) -> str:
    activator = Activator(loaded, _program(loaded, executable))
    if args.shell_command == "hook":
        exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in _program(loaded, executable).items())
        return exports + Path(__file__).with_name("micromamba.sh").read_text()
    if args.shell_command == "init":
        return _init(loaded, executable)
    if args.shell_command == "activate":
        wanted = args.prefix or args.name or args.prefix_or_name or "base"
        return activator.activate(prefixes.by_name(loaded, wanted), stack=args.stack)
    return activator.deactivate() if args.shell_command == "deactivate" else activator.reactivate()


def _init(loaded: Settings, executable: str) -> str:
    path = Path(loaded.environment.get("HOME") or "~").expanduser() / ".bashrc"
    command = f"{shlex.quote(executable)} shell hook --shell bash --root-prefix {shlex.quote(str(loaded.root))}"
    block = f'# >>> mamba initialize >>>\neval "$({command})"\n# <<< mamba initialize <<<\n'
    old = path.read_text() if path.is_file() else ""
    if block not in old:
        path.write_text(f"{old}\n{block}")
    return f"Modifying RC file {str(path)!r}\n"


def _run(loaded: Settings, executable: str, args: Namespace) -> int:
    prefix = prefixes.target(loaded, args.name, args.prefix)
    words = args.executable_call[1:] if args.executable_call[:1] == ["--"] else args.executable_call
    if not words:
        raise MambaError("Did not receive any command to run inside environment")
    environment = {} if args.clean_env else dict(os.environ)
    for pair in args.env:
        name, equals, value = pair.partition("=")
        environment[name] = value if equals else os.environ.get(name, "")
    script = f'eval "$({shlex.quote(executable)} shell activate --shell bash -r {shlex.quote(str(loaded.root))} '
    script += f'-p {shlex.quote(str(prefix))})"\nexec {shlex.join(words)}\n'
    done = subprocess.run(["/bin/sh", "-c", script], cwd=args.cwd, env=environment, check=False)
    return 128 - done.returncode if done.returncode < 0 else done.returncode


if __name__ == "__main__":
    leave(main(sys.argv[1], sys.argv[2:]))
