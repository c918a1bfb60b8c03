"""What `conda shell.posix …` prints: shell code that activates, deactivates and reactivates environments.

The rules are conda's: PATH is edited in place, CONDA_SHLVL counts, activate.d scripts run in order and deactivate.d scripts in
reverse, the environment's own variables are set and put back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from . import prefixes
from .settings import Settings


@dataclass
class Change:
    """Shell code in the making. exports: None unsets, in conda's way: an empty string."""

    path: str | None = None
    before: list[Path] = field(default_factory=list)
    exports: dict[str, str | None] = field(default_factory=dict)
    prompt: str | None = None
    after: list[Path] = field(default_factory=list)

    def text(self, program: Mapping[str, str]) -> str:
        lines = [f'. "{script}"' for script in self.before]
        lines += [f"export {name}=''" for name, value in self.exports.items() if value is None]
        if self.prompt is not None:
            lines.append(f"PS1={_quoted(self.prompt)}")
        if self.path is not None:
            lines.append(f"export PATH={_quoted(self.path)}")
        exports = {**{name: value for name, value in self.exports.items() if value is not None}, **program}
        lines += [f"export {name}={_quoted(value)}" for name, value in exports.items()]
        lines += [f'. "{script}"' for script in self.after]
        return "\n".join(lines) + "\n"


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "'\"'\"'") + "'"


class Activator:
    """One request for shell code. program: the variables that lead back to conda itself, such as CONDA_EXE."""

    def __init__(self, settings: Settings, program: Mapping[str, str]) -> None:
        self.settings = settings
        self.environment = settings.environment
        self.program = program
        self.level = int(self.environment.get("CONDA_SHLVL", "").strip() or 0)
        self.old = self.environment.get("CONDA_PREFIX") or None

    def activate(self, prefix: Path, *, stack: bool = False) -> str:
        if self.level > 0 and self.old == str(prefix):
            return self.reactivate()
        change = Change(after=_scripts(prefix, "activate.d"))
        name = prefixes.label(self.settings, prefix)
        if self.level == 0 or stack:
            change.path = self._path(add=prefix)
            if self.level == 0 and "condabin" not in (folder.rsplit("/", 1)[-1] for folder in change.path.split(":")):
                own, _, rest = change.path.partition(":")
                change.path = f"{own}:{self.settings.root}/condabin:{rest}"
        else:
            change.path = self._path(remove=self.old, add=prefix)
            change.before = _scripts(Path(self.old or "/"), "deactivate.d", backwards=True)
        if self.level > 0:
            change.exports[f"CONDA_PREFIX_{self.level}"] = self.old
            if stack:
                change.exports[f"CONDA_STACKED_{self.level + 1}"] = "true"
        self._own(change, prefix, name, self.level + 1)
        for variable, value in prefixes.variables(prefix).items():
            if variable in self.environment:
                change.exports[f"__CONDA_SHLVL_{self.level}_{variable}"] = self.environment[variable]
            change.exports[variable] = value
        return change.text(self.program)

    def deactivate(self) -> str:
        if not self.old or self.level < 1:
            return "\n"
        old = Path(self.old)
        change = Change(before=_scripts(old, "deactivate.d", backwards=True))
        back_to = self.environment.get(f"CONDA_PREFIX_{self.level - 1}") if self.level > 1 else None
        if back_to:
            stacked = f"CONDA_STACKED_{self.level}"
            if stacked in self.environment:
                change.path = self._path(remove=self.old)
                change.exports[stacked] = None
            else:
                change.path = self._path(remove=self.old, add=Path(back_to))
            change.exports[f"CONDA_PREFIX_{self.level - 1}"] = None
            self._own(change, Path(back_to), prefixes.label(self.settings, Path(back_to)), self.level - 1)
            change.exports |= prefixes.variables(Path(back_to))
            change.after = _scripts(Path(back_to), "activate.d")
        else:
            change.path = self._path(remove=self.old)
            unset = ("CONDA_PREFIX", "CONDA_DEFAULT_ENV", "CONDA_PROMPT_MODIFIER")
            change.exports |= {**dict.fromkeys(unset), "CONDA_SHLVL": "0"}
            change.prompt = self._prompt("")
        for variable in prefixes.variables(old):
            change.exports[variable] = self.environment.get(f"__CONDA_SHLVL_{self.level - 1}_{variable}") or None
        return change.text(self.program)

    def reactivate(self) -> str:
        if not self.old or self.level < 1:
            return "\n"
        prefix = Path(self.old)
        change = Change(path=self._path(remove=self.old, add=prefix))
        change.before = _scripts(prefix, "deactivate.d", backwards=True)
        change.after = _scripts(prefix, "activate.d")
        name = self.environment.get("CONDA_DEFAULT_ENV") or prefixes.label(self.settings, prefix)
        modifier = self._modifier(prefix, name)
        change.exports |= {"CONDA_SHLVL": str(self.level), "CONDA_PROMPT_MODIFIER": modifier}
        change.prompt = self._prompt(modifier)
        return change.text(self.program)

    def _own(self, change: Change, prefix: Path, name: str, level: int) -> None:
        modifier = self._modifier(prefix, name)
        change.exports |= {
            "CONDA_PREFIX": str(prefix),
            "CONDA_SHLVL": str(level),
            "CONDA_DEFAULT_ENV": name,
            "CONDA_PROMPT_MODIFIER": modifier,
        }
        change.prompt = self._prompt(modifier)

    def _path(self, *, remove: str | None = None, add: Path | None = None) -> str:
        folders = self.environment.get("PATH", "/usr/bin").split(":")
        place = 0
        if remove is not None and f"{remove}/bin" in folders:
            place = folders.index(f"{remove}/bin")
            del folders[place]
        if add is not None:
            folders.insert(place, f"{add}/bin")
        return ":".join(folders)

    def _modifier(self, prefix: Path, name: str) -> str:
        if not self.settings["changeps1"]:
            return ""
        template: str = self.settings["env_prompt"]
        return template.format(default_env=name, stacked_env=name, prefix=prefix, name=prefix.name)

    def _prompt(self, modifier: str) -> str | None:
        if not self.settings["changeps1"]:
            return None
        old = self.environment.get("CONDA_PROMPT_MODIFIER") or ""
        prompt = self.environment.get("PS1", "")
        return modifier + (prompt.replace(old, "") if old else prompt)


def _scripts(prefix: Path, folder: str, *, backwards: bool = False) -> list[Path]:
    return sorted((prefix / "etc" / "conda" / folder).glob("*.sh"), reverse=backwards)
