"""Places that wsb.yaml names: files of the project, URLs and local paths of sources, images, mounts.

What passes here ends up in a Dockerfile and in shell lines: no character that means something there passes.
"""

from __future__ import annotations

import posixpath
import re

from builder.config.kinds import RefusedError
from builder.config.suggest import as_yaml, nearest, shown
from builder.model.spec import BaseRequest

# A file of the project; no leading slash or tilde, no colon, no backslash, no `..` part.
PROJECT_PATH_PATTERN = r"^(?!/|~|-)(?!(.*/)?\.\.(/|$))[^\\\x00-\x1f\x7f:\"'`$<>|*?]+$"
URL_PATTERN = r"^(https?|file)://(?![^/]*@)[A-Za-z0-9._~:/?#@&+=%\[\]-]+$"
_LOCAL = r"[A-Za-z0-9._+@%, -]+(/[A-Za-z0-9._+@%, -]+)*"
LOCAL_PATTERN = rf"^(/|\./|~/){_LOCAL}/?$"
FILE_PATTERN = rf"^(/|\./|~/)?{_LOCAL}$"
SOURCE_PATTERN = f"({URL_PATTERN})|({LOCAL_PATTERN})"
PRESET_PATTERN = r"^[a-z][a-z0-9-]{0,39}$"
SUITE_PATTERN = r"^[a-z][a-z0-9-]{0,39}$"

_REGISTRY_HOST = r"(localhost|[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+|[A-Za-z0-9-]+(?=:)|\[[0-9a-fA-F:]+\])(:[0-9]{1,5})?"
_REPOSITORY = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"
REGISTRY_PATTERN = rf"^(https?://)?{_REGISTRY_HOST}(/{_REPOSITORY})*/?$"
IMAGE_PATTERN = (
    rf"^({_REGISTRY_HOST}/)?{_REPOSITORY}(/{_REPOSITORY})*"
    r"(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$"
)

MOUNT_PATTERN = r"^([A-Za-z]:[\\/])?[^:,\x00-\x1f\x7f\"'`]+:/[^:,\x00-\x1f\x7f\"'`]+(:(ro|rw))?$"
_SYSTEM_TARGETS = ("/", "/opt/conda", "/opt/wsb", "/bin", "/usr", "/lib", "/lib64", "/etc", "/proc", "/sys", "/dev")


def parse_project_path(text: str) -> str:
    """A path below the project's folder, normalised. Raises RefusedError."""
    if re.match(r"[a-z+]+://", text):
        raise RefusedError(f"{shown(text)} is a web address", "download it into the project and write its path")
    if text.startswith(("/", "~")) or re.match(r"[A-Za-z]:[\\/]", text):
        raise RefusedError(
            f"{shown(text)} is not a path inside the project",
            f"write it as seen from here: `{as_yaml(posixpath.basename(text))}`",
        )
    if "\\" in text:
        raise RefusedError(f"{shown(text)} holds a backslash", f"write `{as_yaml(text.replace(chr(92), '/'))}`")
    if ".." in text.split("/"):
        raise RefusedError(f"{shown(text)} leaves the project's folder", "move or copy the file into the project")
    path = posixpath.normpath(text)
    if not re.fullmatch(PROJECT_PATH_PATTERN, text) or path == "." or text.endswith("/"):
        raise RefusedError(f"{shown(text)} is not the path of a file", "letters, digits, . _ - / and spaces")
    return path


def parse_source(text: str) -> str:
    """A URL or a local path. Raises RefusedError, for credentials too: they would be readable in the image."""
    if re.match(r"[a-z]+://[^/]*@", text):
        raise RefusedError(
            "the URL holds a user name or a password, which would be readable in the image",
            "leave it out and let pip, conda or apt take it from their own configuration of this machine",
        )
    if re.fullmatch(URL_PATTERN, text) or re.fullmatch(LOCAL_PATTERN, text):
        return text
    hint = "write it like `https://mirror.example.org/simple`, or `/srv/mirror` for a local one"
    raise RefusedError(f"{shown(text)} is neither a URL nor a path", hint)


def parse_file(text: str) -> str:
    """The path of a file of this machine, absolute or as seen from the project. Raises RefusedError."""
    if re.fullmatch(FILE_PATTERN, text):
        return text
    raise RefusedError(f"{shown(text)} is not the path of a file", "write it like `/etc/ssl/certs/lab-ca.pem`")


def parse_registry(text: str) -> str:
    """A registry's address without a scheme. Raises RefusedError."""
    if re.fullmatch(REGISTRY_PATTERN, text):
        return re.sub(r"^https?://", "", text).rstrip("/")
    raise RefusedError(
        f"{shown(text)} is not the address of a registry", "write it like `registry.example.org` or `localhost:5000`"
    )


def parse_preset(text: str) -> str:
    """A preset's name; whether it is known, the tables tell. Raises RefusedError."""
    if re.fullmatch(PRESET_PATTERN, text):
        return text
    hint = "write a preset such as `tuna`, or a mapping such as `{pip: https://mirror.example.org/simple}`"
    raise RefusedError(f"{shown(text)} is not the name of a preset", hint)


def parse_base(text: str) -> BaseRequest:
    """auto or an image reference. Raises RefusedError."""
    if text == "auto":
        return BaseRequest(kind="auto")
    if text == "scratch":
        raise RefusedError(
            "scratch is no image at all; nothing could run in it", "write `base: auto`, or `base: debian:bookworm-slim`"
        )
    if len(text) <= 512 and re.fullmatch(IMAGE_PATTERN, text):
        return BaseRequest(kind="image", value=text)
    lowered = text.lower()
    hint = "write it like `debian:bookworm-slim`, or `auto`"
    if re.match(r"(https?|docker)://", lowered):
        hint = "write it without the scheme"
    elif re.fullmatch(IMAGE_PATTERN, lowered):
        hint = f"write it in lower case: `{as_yaml(lowered)}`"
    raise RefusedError(f"{shown(text)} is not an image reference", hint)


def parse_suite(text: str) -> str:
    """A distribution's suite. Raises RefusedError."""
    if re.fullmatch(SUITE_PATTERN, text):
        return text
    meant = nearest(text, ("bookworm", "trixie", "bullseye", "jammy", "noble"))
    raise RefusedError(
        f"{shown(text)} is not the name of a suite", f"did you mean `{meant}`?" if meant else "write it like `bookworm`"
    )


def parse_mount(text: str) -> str:
    """source:target[:ro], as written. Raises RefusedError."""
    if not re.fullmatch(MOUNT_PATTERN, text):
        raise RefusedError(
            f"{shown(text)} is not a mount", "write `source:/target` or `source:/target:ro`, such as `./data:/data:ro`"
        )
    target = posixpath.normpath(re.sub(r":(ro|rw)$", "", text).rpartition(":")[2])
    if target in _SYSTEM_TARGETS or target.startswith(("/opt/conda/", "/opt/wsb/", "//")):
        raise RefusedError(
            f"a mount on {target} would hide what the workspace itself is made of", "choose another target, such as /data"
        )
    return text
