"""Did you mean: the nearest of the words that would have been right, and how to write a value so that YAML keeps it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

_PLAIN = r"[A-Za-z_./~][A-Za-z0-9_./+=@~-]*(:[A-Za-z0-9_./+=@~-]+)*|[0-9]+[kmgt]"
_WORDS_OF_YAML = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n", "~"})


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant; None when nothing is near."""
    if len(word) > 40:  # nobody mistypes that much, and comparing is quadratic
        return None
    import difflib  # only for what is wrong

    by_folded = {one.lower().replace("-", "_"): one for one in known}
    found = difflib.get_close_matches(word.strip().lower().replace("-", "_"), by_folded, n=1, cutoff=0.7)
    return by_folded[found[0]] if found else None


def shown(text: str, limit: int = 60) -> str:
    """A value inside a message: quoted, on one line, not endless."""
    return json.dumps(text if len(text) <= limit else text[: limit - 1] + "…", ensure_ascii=False)


def as_yaml(value: str | int | bool) -> str:
    """A value as one would write it in wsb.yaml: quotes only where YAML would read something else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if re.fullmatch(_PLAIN, value) and value.lower() not in _WORDS_OF_YAML:
        return value
    return json.dumps(value, ensure_ascii=False)


def as_yaml_list(values: Iterable[str | int]) -> str:
    """A list as one would write it: [a, "b c"]."""
    return f"[{', '.join(as_yaml(value) for value in values)}]"
