"""Which sources answer from here: a quick look for `wsb build --fallback`, a measured one for `wsb doctor`.

Any HTTP answer counts as reached.
"""

from __future__ import annotations

import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

from builder.model.machine import Place

TIMEOUT_S = 6.0
_ENOUGH_BYTES: Final = 1 << 20
_TELLING_BYTES: Final = 1 << 16

USUAL_PLACES = {
    "registry": "https://registry-1.docker.io/v2/",
    "conda": "https://conda.anaconda.org/conda-forge/noarch/repodata_shards.msgpack.zst",
    "miniconda": "https://repo.anaconda.com/miniconda/",
    "torch": "https://download.pytorch.org/whl/",
    "pip": "https://pypi.org/simple/pip/",
}
# pages that are long enough to tell a speed by
TELLING_PLACES: Final = USUAL_PLACES | {
    "torch": "https://download.pytorch.org/whl/torch/",
    "pip": "https://pypi.org/simple/numpy/",
}


def unreachable(places: Mapping[str, str], ca: str | None) -> dict[str, str]:
    """Source name → why it does not answer, for those that do not. Proxies come from the environment, as urllib has it."""
    context = _trusting(ca)
    with ThreadPoolExecutor(max_workers=len(places) or 1) as pool:
        answers = pool.map(lambda item: (item[0], _why_not(item[1], context)), places.items())
        return {source: why for source, why in answers if why}


def _why_not(url: str, context: ssl.SSLContext) -> str | None:
    request = urllib.request.Request(url, method="HEAD", headers={"User-Agent": "wsb"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S, context=context):
            return None
    except OSError as error:
        return explained(url, error, TIMEOUT_S)


def measured(source: str, url: str, ca: str | None, timeout_s: float) -> Place:
    """How one source answers: after how long, how fast, and whether its clock and this machine's agree."""
    request = urllib.request.Request(url, headers={"User-Agent": "wsb"})
    context = _trusting(ca)
    began = time.monotonic()
    try:
        with urllib.request.urlopen(request, timeout=timeout_s, context=context) as answer:
            seconds = time.monotonic() - began
            ahead = _clock_ahead(answer.headers.get("Date"))
            speed = _speed(answer, timeout_s / 4)
            return Place(source=source, url=url, seconds=seconds, bytes_per_s=speed, clock_ahead_s=ahead)
    except urllib.error.HTTPError as error:
        why = explained(url, error, timeout_s) or ""
        ahead = _clock_ahead(error.headers.get("Date"))
        return Place(source=source, url=url, why_not=why, seconds=time.monotonic() - began, clock_ahead_s=ahead)
    except OSError as error:
        is_certificate = isinstance(getattr(error, "reason", error), ssl.SSLCertVerificationError)
        return Place(source=source, url=url, why_not=explained(url, error, timeout_s) or "", is_certificate=is_certificate)


@cache
def _trusting(ca: str | None) -> ssl.SSLContext:
    """One for all sources: reading the authorities takes longer than most answers."""
    return ssl.create_default_context(cafile=ca)


def _speed(answer: Any, for_s: float) -> int | None:
    """Bytes a second of what comes in a short while; None where too little comes to tell."""
    began, size = time.monotonic(), 0
    while (spent := time.monotonic() - began) < for_s and size < _ENOUGH_BYTES:
        piece = answer.read(1 << 14)
        if not piece:
            break
        size += len(piece)
    spent = max(time.monotonic() - began, 0.001)
    return int(size / spent) if size >= _TELLING_BYTES else None


def _clock_ahead(date: str | None) -> float | None:
    try:
        return time.time() - parsedate_to_datetime(date).timestamp() if date else None
    except (TypeError, ValueError):
        return None


def explained(url: str, error: OSError, timeout_s: float) -> str | None:
    """Why a source does not serve; None for an answer that only the server we wanted gives."""
    host = urlsplit(url).hostname
    if isinstance(error, urllib.error.HTTPError):
        # 401 and 404 come from the server we wanted; a 403 or 5xx of a proxy or gateway does not bring packages.
        return None if error.code < 500 and error.code not in (403, 407) else f"{host} answers HTTP {error.code}"
    return f"{host}: {_reason(getattr(error, 'reason', error), timeout_s)}"


def why_not(error: BaseException) -> str:
    """What went wrong on the way to a host, in a few words."""
    return _reason(error.reason if isinstance(error, urllib.error.URLError) else error, TIMEOUT_S)


def _reason(reason: object, timeout_s: float) -> str:
    if isinstance(reason, socket.gaierror):
        return "its name cannot be resolved"
    if isinstance(reason, TimeoutError):
        return f"no answer within {timeout_s:g} s"
    if isinstance(reason, ConnectionRefusedError):
        return "connection refused"
    return str(reason)
