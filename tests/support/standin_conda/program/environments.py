"""`conda env create` and `conda env update`, which take what they install from a file and ask nothing."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from . import envfile, packages, pip_section, prefixes
from .envfile import EnvironmentFile
from .errors import CondaEnvException, CondaValueError, StandinDoesNotKnow
from .settings import Settings


def env_create(settings: Settings, args: Namespace) -> int:
    file = envfile.read(args.file)
    name = args.name or (None if args.prefix else file.name)
    if not (name or args.prefix):
        raise CondaEnvException("Unable to create environment\nProvide an environment name via --name or -n")
    prefix = prefixes.target(settings, name, args.prefix, must_exist=False)
    packages.check_terms(settings, args)
    if prefix.exists():
        if not settings["always_yes"] and any(prefix.iterdir()):
            raise CondaValueError(f"prefix already exists: {prefix}")
        packages.delete(prefix)  # conda env create --yes removes what was there
    _from_file(settings, args, prefix, file)
    prefixes.register(settings, prefix)
    packages.say(settings, f"#\n# To activate this environment, use\n#\n#     $ conda activate {name or prefix}\n#")
    return 0


def env_update(settings: Settings, args: Namespace) -> int:
    file = envfile.read(args.file)
    name = args.name or (None if args.prefix else file.name or settings.environment.get("CONDA_DEFAULT_ENV"))
    prefix = prefixes.target(settings, name, args.prefix, must_exist=False)
    packages.check_terms(settings, args)
    if prefixes.is_environment(prefix):
        prefixes.assert_changeable(prefix, override_frozen=args.override_frozen)
    if args.prune:
        raise StandinDoesNotKnow("conda env update --prune")
    _from_file(settings, args, prefix, file)
    return 0


def _from_file(settings: Settings, args: Namespace, prefix: Path, file: EnvironmentFile) -> None:
    """Channels of the file first, then the configured ones unless the file says nodefaults; nothing is asked."""
    names = [name for name in file.channels if name != "nodefaults"]
    if "nodefaults" not in file.channels:
        names += [name for name in settings["channels"] if name not in names]
    quiet_args = Namespace(**{**vars(args), "force_reinstall": False, "update_all": False})
    settings.values["always_yes"] = True
    if file.explicit:
        raise StandinDoesNotKnow("explicit files in conda env create|update; use conda create --file")
    if file.specs:
        packages.solve_and_apply(settings, quiet_args, prefix, file.specs, names, updating=False)
    elif not prefixes.is_environment(prefix):
        packages.carry_out(settings, quiet_args, prefix, [], [], requested=[], label="update")
    pip_section.install(settings, prefix, file)
    if file.variables:
        prefixes.set_variables(prefix, file.variables)
