"""`conda`, as the stand-in's base environment runs it: python -m standin_conda ARGUMENTS."""

from __future__ import annotations

import json
import os
import sys
from argparse import Namespace
from pathlib import Path

from . import arguments, settings
from .errors import CondaError
from .leaving import leave
from .settings import Settings


def main(words: list[str] | None = None) -> int:
    words = sys.argv[1:] if words is None else words
    root = Path(os.environ.get("CONDA_ROOT_PREFIX_OF_STANDIN") or sys.prefix)
    try:
        if words and words[0].startswith("shell."):
            return _shell(root, words)
        if words and words[0] in ("activate", "deactivate"):
            raise CondaError(f"Run 'conda init' before 'conda {words[0]}'")
        args = arguments.parser().parse_args(words)
        return _dispatch(settings.load(root, os.environ, arguments.command_line_settings(args)), args)
    except CondaError as error:
        if "--json" in words:
            print(json.dumps({"error": str(error), "exception_name": error.title, "message": str(error), "success": False}))
        else:
            print(f"\n{error.title}: {error}\n", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130


def _shell(root: Path, words: list[str]) -> int:
    """Kept free of everything that takes time to import: each new shell waits for this."""
    from .shell import speak

    if words[0] not in ("shell.posix", "shell.bash", "shell.zsh", "shell.dash"):
        raise CondaError(f"stand-in conda does not know {words[0]}")
    quiet = "--no-activate" in words
    loaded = settings.load(root, os.environ, {"auto_activate": False} if quiet else None)
    print(speak(loaded, [word for word in words[1:] if word != "--no-activate"]), end="")
    return 0


def _dispatch(loaded: Settings, args: Namespace) -> int:
    from . import config, environments, packages, shell, shows, web

    web.prepare_environment(loaded)
    if args.command == "env":
        args.command = f"env {args.env_command}"
        args.override_channels, args.channel = False, []
    commands = {
        "clean": shell.clean,
        "config": config.config,
        "create": packages.create,
        "env create": environments.env_create,
        "env export": shows.export,
        "env list": shows.environments,
        "env remove": _env_remove,
        "env update": environments.env_update,
        "info": shows.info,
        "init": shell.init,
        "install": packages.install,
        "list": shows.list_packages,
        "remove": packages.remove,
        "run": shell.run,
        "search": shows.search,
        "tos": shell.tos,
        "uninstall": packages.remove,
        "update": packages.update,
        "upgrade": packages.update,
    }
    return commands[args.command](loaded, args)


def _env_remove(loaded: Settings, args: Namespace) -> int:
    from . import packages, prefixes

    return packages.remove_environment(loaded, args, prefixes.target(loaded, args.name, args.prefix))


if __name__ == "__main__":
    leave(main())
