"""One line of packages.conda, packages.pip and packages.apt: held against the grammar of the tool that will read it.

A line is refused here rather than in the middle of a build, and nothing that a shell would act on gets through.
"""

from __future__ import annotations

import re

from packaging.requirements import InvalidRequirement, Requirement

from builder.config.kinds import RefusedError
from builder.config.suggest import as_yaml, shown

APT_PATTERN = r"^[a-z0-9][a-z0-9+.-]+(:[a-z0-9-]+)?(=[A-Za-z0-9.+~:-]+|/[a-z][a-z0-9.-]*)?$"

_CONDA_VERSION = r"[=<>!~]{0,2} ?[A-Za-z0-9_.*+!-]+"
CONDA_PATTERN = (
    r"^([A-Za-z0-9_][A-Za-z0-9_./-]*::)?[A-Za-z0-9_][A-Za-z0-9_.-]*"
    rf"( ?[=<>!~]{{1,2}} ?[A-Za-z0-9_.*+!-]+|  ?[A-Za-z0-9_.*+!-]+)?([,|]{_CONDA_VERSION})*( ?=? ?[A-Za-z0-9_.*+!-]+)?$"
)

_VCS = r"(git|hg|svn|bzr)\+(https?|ssh|git|file)://[^\s'\"`$;|&<>\\]+(?: ?; ?.+)?"
_URL = r"(https?|file)://[^\s'\"`;|&<>\\]+"
_LOCAL = r"\.(/[A-Za-z0-9._+@-]+)*/?(\[[A-Za-z0-9._, -]+\])?|[A-Za-z0-9._+@-]+(/[A-Za-z0-9._+@-]+)+/?"
_CREDENTIALS = r"://[^/@\s]+:[^/@\s]+@"

# Names that have a key of their own: written here as well, two places would decide the same thing.
_OWN_KEY = {"torch": "torch", "pytorch": "torch", "pytorch-gpu": "torch", "pytorch-cpu": "torch", "python": "python"}
_ACCELERATORS = {"cpuonly": "cpu", "pytorch-cuda": "cuda"}


def parse_pip(text: str) -> str:
    """A requirement line as pip reads it: name with extras, versions and marker, or a URL. Raises RefusedError."""
    line = text.strip()
    if re.search(r"[\x00-\x1f\x7f]", line):
        raise RefusedError(f"{shown(line)} holds a line break or a control character", "write one requirement an item")
    if line.startswith("-"):
        raise RefusedError(f"{shown(line)} is an option of pip, not a package", _option_hint(line))
    if line.startswith(".."):
        raise RefusedError(f"{shown(line)} leaves the project's folder", "move or copy it into the project")
    if re.search(_CREDENTIALS, line):
        raise RefusedError(
            "the URL holds a password, which would be readable in the image", "give pip the password on this machine, by .netrc"
        )
    if re.fullmatch(f"{_VCS}|{_URL}|{_LOCAL}", line):
        return line
    try:
        requirement = Requirement(line)
    except InvalidRequirement:
        raise RefusedError(f"{shown(line)} is not a requirement that pip can read", _pip_hint(line)) from None
    _refuse_own_key(requirement.name, str(requirement.specifier))
    return line


def _option_hint(line: str) -> str:
    if line.startswith(("-r", "--requirement")):
        return f"write `requirements: [{as_yaml(line.split()[-1])}]`"
    if line.startswith(("-i", "--index-url", "--extra-index-url")):
        return "write the index under `sources: {pip: …}`"
    return "write it without the option"


def _pip_hint(line: str) -> str:
    single = re.fullmatch(r"([A-Za-z0-9._-]+(?:\[[^]]*\])?)\s*=\s*([0-9][^=\s]*)(=.*)?", line)
    if single:
        return f"write `{as_yaml(f'{single[1]}=={single[2]}')}`: pip compares with =="
    words = line.split()
    if len(words) > 1 and all(re.fullmatch(r"[A-Za-z0-9._-]+", word) for word in words):
        if re.match(r"\d", words[1]):
            return f"write `{as_yaml(f'{words[0]}=={words[1]}')}`"
        return f"write one item for each: `[{', '.join(map(as_yaml, words))}]`"
    return 'write it like `einops`, `"einops>=0.8"` or `"clip @ git+https://…"`'


def parse_conda(text: str) -> str:
    """A match spec such as numpy=1.26 or conda-forge::gcc. Raises RefusedError."""
    line = text.strip()
    if not line.isascii() or not re.fullmatch(CONDA_PATTERN, line):
        raise RefusedError(
            f"{shown(line)} is not a package that conda can read", 'write it like `numpy=1.26` or `"numpy>=1.26,<2"`'
        )
    name = re.match(r"(?:[^:]*::)?([A-Za-z0-9_.-]+)", line)
    if name:
        _refuse_own_key(name[1], line.partition("::")[2] or line)
    return line


def parse_apt(text: str) -> str:
    """A Debian package, with a version if need be. Raises RefusedError."""
    line = text.strip()
    if re.fullmatch(APT_PATTERN, line):
        return line
    words = line.split()
    hint = "write it like `libgl1` or `libgl1=1.6.0-1`"
    if len(words) > 1 and all(re.fullmatch(APT_PATTERN, word) for word in words):
        hint = f"write one item for each: `[{', '.join(map(as_yaml, words))}]`"
    elif re.fullmatch(APT_PATTERN, line.lower()):
        hint = f"write `{as_yaml(line.lower())}`"
    raise RefusedError(f"{shown(line)} is not a package that apt can read", hint)


def _refuse_own_key(name: str, versions: str) -> None:
    plain = name.lower().replace("_", "-")
    if plain in _ACCELERATORS:
        raise RefusedError(
            f"{name} has a key of its own", f"write `accelerator: {_ACCELERATORS[plain]}`, and leave it out here"
        )
    if plain in _OWN_KEY:
        key = _OWN_KEY[plain]
        found = re.search(r"\d[\d.]*(\+\w+)?", versions.replace(name, "", 1))
        version = f'"{found[0].rstrip(".")}"' if found else "latest"
        raise RefusedError(f"{name} has a key of its own", f"write `{key}: {version}`, and leave it out here")
