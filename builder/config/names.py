"""Names and small settings of wsb.yaml: the workspace's name, the user, shared memory, ports, variables."""

from __future__ import annotations

import re

from builder.config.kinds import RefusedError
from builder.config.suggest import as_yaml, shown

# One word for three places: the image's repository, the environment's name, a host name.
NAME_PATTERN = r"^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*$"
NAME_LIMIT = 63
_TAKEN_NAMES = {
    "base": "is the name of conda's own environment",
    "root": "is another name of conda's own environment",
    "scratch": "is Docker's name for no image at all",
    "wsb": "is the name wsb gives its own images",
}

USER_PATTERN = r"^[a-z_][a-z0-9_-]{0,31}$"
_SYSTEM_USERS = (  # of Debian's and Ubuntu's images
    "root|daemon|bin|sys|sync|games|man|lp|mail|news|uucp|proxy|www-data|backup|list|irc|gnats|nobody|_apt"
    "|systemd-network|systemd-resolve|messagebus|sshd"
)

_SHM = r"(?P<number>[0-9]{1,6}(\.[0-9]{1,3})?)(?P<unit>[kmgtKMGT])([iI]?[bB])?"
SHM_PATTERN = r"^[0-9]{1,6}(\.[0-9]{1,3})?[kmgtKMGT]([iI]?[bB])?$"
_SHM_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_SHM_LEAST = 1 << 20

VARIABLE_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]*$"
CHANNEL_PATTERN = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$"


def parse_name(text: str) -> str:
    """Raises RefusedError, with the nearest name that would do."""
    if text in _TAKEN_NAMES:
        raise RefusedError(f"{shown(text)} {_TAKEN_NAMES[text]}", f"write `name: {text}-workspace`, or the project's name")
    if re.fullmatch(NAME_PATTERN, text) and len(text) <= NAME_LIMIT:
        return text
    better = re.sub(r"[^a-z0-9._-]+", "-", text.lower())[: NAME_LIMIT + 20]
    better = re.sub(r"[._-]*(?:\.\.|-\.|\.-|_-|-_|___|\._|_\.)[._-]*", "-", better).strip("._-")[:NAME_LIMIT].strip("._-")
    if len(text) > NAME_LIMIT and re.fullmatch(NAME_PATTERN, text):
        raise RefusedError(
            f"{shown(text)} has {len(text)} characters; at most {NAME_LIMIT} fit", f"write `name: {as_yaml(better)}`"
        )
    raise RefusedError(
        f"{shown(text)} cannot name an image: lower case letters, digits, and single . _ - between them",
        f"write `name: {as_yaml(better)}`" if better and better not in _TAKEN_NAMES else "write something like `name: mnist`",
    )


def parse_user(text: str) -> str:
    """Raises RefusedError."""
    if re.fullmatch(_SYSTEM_USERS, text):
        why = "would own the whole container" if text == "root" else "is a user the system already has"
        raise RefusedError(f"{shown(text)} {why}", "write a name of your own, such as `name: dev`")
    if re.fullmatch(USER_PATTERN, text):
        return text
    better = re.sub(r"[^a-z0-9_-]+", "", text.lower()).lstrip("0123456789-")[:32]
    raise RefusedError(
        f"{shown(text)} is not a user name: lower case letters, digits, _ and -, at most 32",
        f"write `name: {better}`" if better and not re.fullmatch(_SYSTEM_USERS, better) else "write something like `name: dev`",
    )


def parse_uid(text: str) -> int:
    """Raises RefusedError. 0 is root, and above 60000 are the system's."""
    return _whole_number(text, 1, 60000, "a user id", "")


def parse_port(text: str) -> int:
    """Raises RefusedError."""
    pair = re.fullmatch(r"(?:[\d.]+:)?(\d+):(\d+)(/tcp)?", text, re.ASCII)
    hint = f"write `{pair[2]}`: the same port is opened on this machine" if pair else ""
    return _whole_number(text, 1, 65535, "a port", hint)


def _whole_number(text: str, least: int, most: int, what: str, hint: str) -> int:
    if re.fullmatch(r"[0-9]{1,9}", text) and least <= int(text) <= most:
        return int(text)
    raise RefusedError(f"{shown(text)} is not {what}, a whole number from {least} to {most}", hint)


def parse_shm_size(text: str) -> str:
    """Docker's spelling of a size, as written. Raises RefusedError."""
    found = re.fullmatch(_SHM, text)
    if found and float(found["number"]) * _SHM_UNITS[found["unit"].lower()] >= _SHM_LEAST:
        return text
    number = re.fullmatch(r"\s*([0-9]{1,6})\s*([kmgtKMGT]?)[iI]?[bB]?(ytes)?\s*", text)
    hint = "write it like `shm_size: 8g`"
    if number and int(number[1]) > 0 and not found:
        hint = f"write `shm_size: {int(number[1])}{number[2].lower() or 'g'}`"
    raise RefusedError(f"{shown(text)} is not a size of at least 1m such as 8g or 512m", hint)


def parse_variable(text: str) -> str:
    """The name of an environment variable. Raises RefusedError."""
    if re.fullmatch(VARIABLE_PATTERN, text):
        return text
    better = re.sub(r"[^A-Za-z0-9_]+", "_", text).strip("_")[:60]
    raise RefusedError(
        f"{shown(text)} is not the name of an environment variable: letters, digits and _",
        f"write `{better}`" if better and not better[0].isdigit() else "",
    )


def parse_variable_value(text: str) -> str:
    """Any text of one line. Raises RefusedError."""
    if re.search(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]", text):
        raise RefusedError(f"{shown(text)} holds a line break or a control character", "a variable's value is one line")
    return text


def parse_channel(text: str) -> str:
    """A conda channel: a name, a name with a label, or a URL. Raises RefusedError."""
    if re.fullmatch(CHANNEL_PATTERN, text):
        return text
    if text.startswith(("http://", "https://", "file://", "/")):
        from builder.config.places import parse_source

        return parse_source(text)
    raise RefusedError(f"{shown(text)} is not a channel", "write a name such as `conda-forge`, or a URL")
