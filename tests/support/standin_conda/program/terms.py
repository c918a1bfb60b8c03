"""Terms of service, as the plugin conda-anaconda-tos keeps them: a channel that has terms is not used before they are accepted.

Only the channels that are configured, or given with -c, are looked at; those that an environment.yml names are not. That is the
real plugin's behaviour too, and the reason why `conda env update` fails on a Miniconda whose condarc still says `defaults`.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
import urllib.error
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from . import web
from .errors import CondaError, CondaToSNonInteractiveError, CondaToSRejectedError
from .settings import Settings, as_bool

_CI = ("CI", "GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "CIRCLECI", "TF_BUILD", "TRAVIS")


def roots(settings: Settings) -> list[Path]:
    """Where answers are looked for, the most general first."""
    home = Path(settings.environment.get("HOME") or "~").expanduser()
    found = [Path("/etc/conda/tos"), Path("/var/lib/conda/tos"), settings.root / "conda-meta" / "tos"]
    found += [home / ".config" / "conda" / "tos", home / ".conda" / "tos"]
    if settings.environment.get("CONDA_PREFIX"):
        found.append(Path(settings.environment["CONDA_PREFIX"]) / "conda-meta" / "tos")
    return found


def terms_of(settings: Settings, url: str) -> dict[str, Any] | None:
    """The terms a channel asks for; None when it has none. Anaconda's own are known to exist without asking."""
    if urlsplit(url).hostname == "repo.anaconda.com":
        return {"version": 1, "text": "Anaconda's terms of service: https://www.anaconda.com/legal"}
    try:
        found: dict[str, Any] = json.loads(web.get(settings, f"{url}/tos.json"))
    except (urllib.error.HTTPError, CondaError, ValueError):
        return None
    return found


def answer(settings: Settings, url: str) -> bool | None:
    """What was answered to this channel's terms; None when nothing was."""
    for root in roots(settings):
        for path in sorted((root / _key(url)).glob("*.json")):
            return bool(json.loads(path.read_text())["tos_accepted"])
    return None


def note(url: str, terms: dict[str, Any], root: Path, *, accepted: bool) -> None:
    path = root / _key(url) / f"{terms['version']}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {**terms, "base_url": url, "tos_accepted": accepted, "acceptance_timestamp": int(time.time())}
    path.write_text(json.dumps(document) + "\n")


def _key(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()


def check(settings: Settings, urls: list[str], *, always_yes: bool) -> None:
    """Raises unless the terms of every channel that has some were accepted, or are accepted now."""
    rejected, open_questions = [], []
    for url in urls:
        terms = terms_of(settings, url)
        if terms is None:
            continue
        given = answer(settings, url)
        if given is False:
            rejected.append(url)
        elif given is None:
            open_questions.append((url, terms))
    if rejected:
        raise CondaToSRejectedError(rejected)
    unanswered = []
    for url, terms in open_questions:
        by_itself = settings["plugins.auto_accept_tos"]
        in_ci = any(as_bool(settings.environment.get(name, "")) for name in _CI)
        if by_itself or in_ci:
            how = "with auto acceptance enabled (auto_accept_tos=True)" if by_itself else "via CI"
            print(f"By accessing {url} {how} for this repository you acknowledge and agree to the Terms of Service:")
            print(terms["text"])
            note(url, terms, roots(settings)[4], accepted=True)
        elif always_yes or not sys.stdin.isatty():
            unanswered.append(url)
        else:
            asked = input(f"Do you accept the Terms of Service (ToS) for {url}? [(a)ccept/(r)eject/(v)iew]: ")
            note(url, terms, roots(settings)[4], accepted=asked.lower().startswith("a"))
    if unanswered:
        raise CondaToSNonInteractiveError(unanswered)
