"""Everything a shell needs: `conda shell.posix …`, `conda run`, `conda init`; and `clean` and `tos`, which are small."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from argparse import Namespace
from pathlib import Path

from . import prefixes, terms, web
from .activate import Activator
from .errors import ArgumentError, StandinDoesNotKnow
from .packages import confirm, own_channels, say
from .settings import Settings

_MARK = ("# >>> conda initialize >>>", "# <<< conda initialize <<<")


def program_variables(settings: Settings) -> dict[str, str]:
    root = settings.root
    return {
        "CONDA_EXE": f"{root}/bin/conda",
        "_CE_M": "",
        "_CE_CONDA": "",
        "CONDA_PYTHON_EXE": f"{root}/bin/python",
        "_CONDA_EXE": f"{root}/bin/conda",
        "_CONDA_ROOT": str(root),
    }


def functions() -> str:
    """The `conda` shell function, as it lies beside this file."""
    return Path(__file__).with_name("conda.sh").read_text()


def hook(settings: Settings) -> str:
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in program_variables(settings).items())
    active = "conda activate base\n" if settings["auto_activate"] else ""
    return exports + functions() + active


def speak(settings: Settings, words: list[str]) -> str:
    """The answer to `conda shell.posix WORDS`: shell code."""
    command, *rest = words or [""]
    activator = Activator(settings, program_variables(settings))
    if command == "hook":
        return hook(settings)
    if command == "activate":
        stack = "--stack" in rest
        names = [word for word in rest if word not in ("--stack", "--no-stack")]
        if len(names) > 1:
            raise ArgumentError(f"activate does not accept more than one argument:\n{names}\n")
        return activator.activate(prefixes.by_name(settings, names[0] if names else "base"), stack=stack)
    if command in ("deactivate", "reactivate") and not rest:
        return getattr(activator, command)()  # type: ignore[no-any-return]
    raise ArgumentError("'activate', 'deactivate', 'hook', or 'reactivate' command must be given.")


def run(settings: Settings, args: Namespace) -> int:
    """Runs a command in an environment that was really activated, scripts included, and returns its exit code."""
    prefix = prefixes.target(settings, args.name, args.prefix)
    words = args.executable_call[1:] if args.executable_call[:1] == ["--"] else args.executable_call
    if not words:
        raise ArgumentError("No command specified. Please provide a command to run.")
    command = words[0] if len(words) == 1 and "\n" in words[0] else shlex.join(words)
    script = f'eval "$({shlex.quote(str(settings.root))}/bin/conda shell.posix hook --no-activate)"\n'
    script += f"conda activate {shlex.quote(str(prefix))}\n{command}\n"
    with tempfile.NamedTemporaryFile("w", suffix=".sh", delete=False) as file:
        file.write(script)
    shell = shutil.which("bash") or "/bin/sh"
    try:
        if args.no_capture_output:
            return _signalled(subprocess.run([shell, file.name], cwd=args.cwd, check=False).returncode)
        done = subprocess.run([shell, file.name], cwd=args.cwd, capture_output=True, text=True, check=False)
    finally:
        Path(file.name).unlink()
    print(done.stdout, end="")
    print(done.stderr, end="", file=sys.stderr)
    if done.returncode:
        print(
            f"\nERROR conda.cli.main_run:execute(127): `conda run {' '.join(words)}` failed. (See above for error)",
            file=sys.stderr,
        )
    return _signalled(done.returncode)


def _signalled(code: int) -> int:
    return 128 - code if code < 0 and -code in set(signal.Signals) else code


def init(settings: Settings, args: Namespace) -> int:
    """`conda init bash`: a block in ~/.bashrc that loads conda into interactive shells."""
    shells = args.shells or ["bash"]
    if shells != ["bash"] or args.system:
        raise StandinDoesNotKnow("conda init for anything but the user's bash")
    path = Path(settings.environment.get("HOME") or "~").expanduser() / ".bashrc"
    old = path.read_text() if path.is_file() else ""
    block = "\n".join((_MARK[0], f'eval "$({settings.root}/bin/conda shell.bash hook)"', _MARK[1]))
    new = re.sub(re.escape(_MARK[0]) + ".*?" + re.escape(_MARK[1]) + "\n?", "", old, flags=re.DOTALL)
    if not args.reverse:
        new = f"{new}\n{block}\n"
    if new == old:
        print(f"no change     {path}\nNo action taken.")
    else:
        path.write_text(new)
        print(f"modified      {path}\n\n==> For changes to take effect, close and re-open your current shell. <==\n")
    return 0


def clean(settings: Settings, args: Namespace) -> int:
    if not (
        args.all
        or args.index_cache
        or args.packages
        or args.tarballs
        or args.force_pkgs_dirs
        or args.tempfiles
        or args.logfiles
    ):
        raise ArgumentError("At least one removal target must be given. See 'conda clean --help'.")
    confirm(settings, args)
    for folder in settings.pkgs_dirs:
        if not folder.is_dir() or not os.access(folder, os.W_OK):
            continue
        for path in sorted(folder.iterdir()):
            is_index = path.name == "cache"
            is_archive = path.name.endswith((".conda", ".tar.bz2", ".lock"))
            is_package = path.is_dir() and (path / "info").is_dir()
            wanted = (
                args.force_pkgs_dirs
                or (is_index and (args.all or args.index_cache))
                or (is_archive and (args.all or args.tarballs))
                or (is_package and (args.all or args.packages))
            )
            if wanted:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
                if is_package:
                    say(settings, f"Will remove {path.name}")
    return 0


def tos(settings: Settings, args: Namespace) -> int:
    urls = web.channel_urls(settings, own_channels(settings, args))
    root = {"site": terms.roots(settings)[0], "system": terms.roots(settings)[2], "user": terms.roots(settings)[4]}[args.where]
    for url in urls:
        asked = terms.terms_of(settings, url)
        if args.cmd in ("accept", "reject"):
            if asked is None:
                print(f"Terms of Service not found for {url}")
                continue
            terms.note(url, asked, root, accepted=args.cmd == "accept")
            print(f"{args.cmd}ed Terms of Service for {url}")
        else:
            answer = {None: "-", True: "accepted", False: "rejected"}[terms.answer(settings, url)]
            print(f"{url}  {'no terms' if asked is None else answer}")
    return 0
