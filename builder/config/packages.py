"""One line of packages.conda, packages.pip and packages.apt: held against the grammar of the tool that will read it.

A line is refused here rather than in the middle of a build, and nothing that a shell would act on gets through.
"""

from __future__ import annotations

import re

from builder.config.kinds import RefusedError
from builder.config.suggest import as_yaml, shown

APT_PATTERN = r"^[a-z0-9][a-z0-9+.-]+(:[a-z0-9-]+)?(=[A-Za-z0-9.+~:-]+|/[a-z][a-z0-9.-]*)?$"

_CONDA_VERSION = r"[=<>!~]{0,2} ?[A-Za-z0-9_.*+!-]+"
CONDA_PATTERN = (
    r"^([A-Za-z0-9_][A-Za-z0-9_./-]*::)?[A-Za-z0-9_][A-Za-z0-9_.-]*"
    rf"( ?[=<>!~]{{1,2}} ?[A-Za-z0-9_.*+!-]+|  ?[A-Za-z0-9_.*+!-]+)?([,|]{_CONDA_VERSION})*( ?=? ?[A-Za-z0-9_.*+!-]+)?$"
)

_ADDRESS = r"[A-Za-z0-9._~:/?#@!&+=,%\[\]-]+"  # nothing a shell would act on but & and !, which need quotes anyway
_VCS = rf"(git|hg|svn|bzr)\+(https?|ssh|git|file)://{_ADDRESS}"
_URL = rf"(https?|file)://{_ADDRESS}"
_LOCAL = r"\.(/[A-Za-z0-9._+@-]+)*/?(\[[A-Za-z0-9._, -]+\])?|[A-Za-z0-9._+@-]+(/[A-Za-z0-9._+@-]+)+/?"
_CREDENTIALS = r"://[^/@\s]*:[^/@\s]*@|https?://(?!git@)[^/@\s]+@"

# conda packages that only say what a key of wsb.yaml says: left here, they would decide nothing.
_OWN_KEY = {"cpuonly": "accelerator: cpu", "pytorch-cuda": "accelerator: cuda"}


def parse_pip(text: str) -> str:
    """A requirement line as pip reads it: name with extras, versions and marker, or a URL. Raises RefusedError."""
    line = text.strip()
    if re.search(r"[\x00-\x1f\x7f]", line):
        raise RefusedError(f"{shown(line)} holds a line break or a control character", "write one requirement an item")
    if line.startswith("-"):
        raise RefusedError(f"{shown(line)} is an option of pip, not a package", _option_hint(line))
    if line.startswith(".."):
        raise RefusedError(f"{shown(line)} leaves the project's folder", "move or copy it into the project")
    if has_credentials(line):
        raise RefusedError(
            "the URL holds a password or token, which would be readable in the image",
            "give it to pip on this machine, by .netrc",
        )
    if re.fullmatch(f"{_VCS}|{_URL}|{_LOCAL}", line):
        return line
    from packaging.requirements import InvalidRequirement, Requirement  # a wsb.yaml without packages needs none of it

    try:
        requirement = Requirement(line)
    except InvalidRequirement:
        raise RefusedError(f"{shown(line)} is not a requirement that pip can read", _pip_hint(line)) from None
    if requirement.url is not None and not is_address(requirement.url):
        raise RefusedError(f"{shown(requirement.url)} is not an address", "write it like `clip @ git+https://host/path.git`")
    return line


def is_address(url: str) -> bool:
    """Whether this is a URL, also with git+ before it, of harmless characters only."""
    return re.fullmatch(f"{_VCS}|{_URL}", url) is not None


def has_credentials(text: str) -> bool:
    """Whether a URL in this text holds a password or token. git@ of ssh addresses is neither."""
    return re.search(_CREDENTIALS, text) is not None


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
    name = re.sub(r"^[^:]*::", "", line)
    version = re.search(r"\d[\d.]*", name)
    if re.match(r"python(?![\w.-])", name, re.IGNORECASE):
        written = f'python: "{version[0].rstrip(".")}"' if version else "python: latest"
        raise RefusedError("python has a key of its own", f"write `{written}`, and leave it out here")
    own_key = _OWN_KEY.get(re.split(r"[^\w.-]", name)[0].lower())
    if own_key:
        written = f'accelerator: "{version[0]}"' if version else own_key
        raise RefusedError(f"{shown(line)} has a key of its own", f"write `{written}`, and leave it out here")
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
