"""Files that name packages: environment.yml, explicit lists of addresses, and plain lists of specs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from .errors import CondaEnvException, EnvironmentFileNotFound


@dataclass
class EnvironmentFile:
    """What one file asks for. explicit: package addresses, each perhaps with #hash, taken without solving."""

    path: Path
    name: str | None = None
    prefix: str | None = None
    channels: list[str] = field(default_factory=list)
    specs: list[str] = field(default_factory=list)
    pip: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    explicit: list[str] = field(default_factory=list)


def read(name: str) -> EnvironmentFile:
    path = Path(name)
    if not path.is_file():
        raise EnvironmentFileNotFound(name)
    if path.suffix in (".yml", ".yaml"):
        return _read_yaml(path)
    lines = [line.strip() for line in path.read_text().splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    found = EnvironmentFile(path=path)
    if "@EXPLICIT" in lines:
        found.explicit = [line for line in lines if line != "@EXPLICIT"]
    else:
        found.specs = lines
    return found


def _read_yaml(path: Path) -> EnvironmentFile:
    import yaml

    try:
        loaded = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise CondaEnvException(f"Unable to parse environment file '{path}':\n{error}") from error
    if not isinstance(loaded, dict):
        raise CondaEnvException(f"Environment file '{path}' is empty.")
    found = EnvironmentFile(path=path, name=loaded.get("name"), prefix=loaded.get("prefix"))
    found.channels = [str(channel) for channel in loaded.get("channels") or []]
    found.variables = {str(name): str(value) for name, value in (loaded.get("variables") or {}).items()}
    for line in loaded.get("dependencies") or []:
        if isinstance(line, dict):
            unknown = set(line) - {"pip"}
            if unknown:
                raise CondaEnvException(f"Unable to load installer for {', '.join(sorted(unknown))}")
            pip = line["pip"] or []
            found.pip += [pip] if isinstance(pip, str) else [str(requirement) for requirement in pip]
        else:
            found.specs.append(str(line))
    return found
