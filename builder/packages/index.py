"""A package index asked for one name: its files, by the simple API in JSON or HTML, as pip and uv ask.

Certificate authorities, proxies and credentials (in the address, or .netrc) are those the installers use.
"""

from __future__ import annotations

import base64
import json
import netrc
import re
import ssl
import urllib.error
import urllib.request
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from builder.catalog.imports import normal
from builder.model.frozen import frozen

TIMEOUT_S = 15.0
MAX_BYTES = 64 << 20
PYPI = "https://pypi.org/simple"

_ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
_LINK = re.compile(r"<a\s(?P<attributes>[^>]*)>(?P<file>[^<]*)</a>", re.IGNORECASE)
_PYTHON = re.compile(r"data-requires-python\s*=\s*([\"'])(?P<value>.*?)\1", re.IGNORECASE)


class UnreachableError(Exception):
    """The index does not answer; the message says why, in one sentence without credentials."""


@frozen
class IndexFile:
    """One file. requires_python: "" when it does not say."""

    name: str
    requires_python: str = ""
    is_yanked: bool = False


@frozen
class Index:
    """url: of the simple API. ca: a PEM file, None for the system's authorities. home: where .netrc lies."""

    url: str
    ca: str | None = None
    home: Path | None = None

    @property
    def shown(self) -> str:
        """The address without credentials."""
        return _without_login(self.url)

    def files(self, name: str) -> tuple[IndexFile, ...] | None:
        """The files of a package; None when the index has no such name. Raises UnreachableError."""
        address = f"{_without_login(self.url).rstrip('/')}/{normal(name)}/"
        request = urllib.request.Request(address, headers={"Accept": _ACCEPT, "User-Agent": "wsb", **self._login()})
        host = urlsplit(address).hostname or address
        try:
            context = ssl.create_default_context(cafile=self.ca)
            with urllib.request.urlopen(request, timeout=TIMEOUT_S, context=context) as answer:
                body = answer.read(MAX_BYTES)
                kind = answer.headers.get("Content-Type", "")
        except urllib.error.HTTPError as error:
            if error.code in (404, 410):
                return None
            raise UnreachableError(f"{host} answers HTTP {error.code}{_meaning(error.code)}") from None
        except (OSError, ValueError) as error:
            raise UnreachableError(f"{host}: {_reason(error)}") from None
        return _of_json(body) if "json" in kind else _of_html(body.decode("utf-8", "replace"))

    def _login(self) -> dict[str, str]:
        parts = urlsplit(self.url)
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        if not user and self.home is not None:
            try:
                found = netrc.netrc(str(self.home / ".netrc")).authenticators(parts.hostname or "")
            except (OSError, netrc.NetrcParseError):
                found = None
            user, password = (found[0], found[2] or "") if found else ("", "")
        if not user:
            return {}
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        return {"Authorization": f"Basic {token}"}


def _without_login(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query, ""))


def _meaning(code: int) -> str:
    return {401: ", it wants a login", 403: ", it refuses", 407: ": the proxy wants a login"}.get(code, "")


def _reason(error: BaseException) -> str:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, TimeoutError):
        return f"no answer within {TIMEOUT_S:.0f} s"
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({reason.verify_message})"
    return getattr(reason, "strerror", None) or str(reason)


def _of_json(body: bytes) -> tuple[IndexFile, ...]:
    try:
        rows: list[dict[str, Any]] = json.loads(body)["files"]
        return tuple(
            IndexFile(name=row["filename"], requires_python=row.get("requires-python") or "", is_yanked=bool(row.get("yanked")))
            for row in rows
        )
    except (ValueError, KeyError, TypeError):
        raise UnreachableError("the index's answer is no package list") from None


def _of_html(text: str) -> tuple[IndexFile, ...]:
    found = []
    for link in _LINK.finditer(text):
        python = _PYTHON.search(link["attributes"])
        found.append(
            IndexFile(
                name=unescape(link["file"]).strip(),
                requires_python=unescape(python["value"]) if python else "",
                is_yanked="data-yanked" in link["attributes"].lower(),
            )
        )
    return tuple(found)
