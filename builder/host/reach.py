"""Which sources answer from here. A quick look, only for `wsb build --fallback`: any HTTP answer counts as reached."""

from __future__ import annotations

import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

TIMEOUT_S = 6.0

USUAL_PLACES = {
    "registry": "https://registry-1.docker.io/v2/",
    "conda": "https://conda.anaconda.org/conda-forge/noarch/repodata_shards.msgpack.zst",
    "miniconda": "https://repo.anaconda.com/miniconda/",
    "torch": "https://download.pytorch.org/whl/",
    "pip": "https://pypi.org/simple/pip/",
}


def unreachable(places: Mapping[str, str], ca: str | None) -> dict[str, str]:
    """Source name → why it does not answer, for those that do not. Proxies come from the environment, as urllib has it."""
    context = ssl.create_default_context(cafile=ca)
    with ThreadPoolExecutor(max_workers=len(places) or 1) as pool:
        answers = pool.map(lambda item: (item[0], _why_not(item[1], context)), places.items())
        return {source: why for source, why in answers if why}


def _why_not(url: str, context: ssl.SSLContext) -> str | None:
    request = urllib.request.Request(url, method="HEAD", headers={"User-Agent": "wsb"})
    host = urlsplit(url).hostname
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S, context=context):
            return None
    except urllib.error.HTTPError as error:
        # 401 and 404 come from the server we wanted; a 403 or 5xx of a proxy or gateway does not bring packages.
        return None if error.code < 500 and error.code not in (403, 407) else f"{host} answers HTTP {error.code}"
    except urllib.error.URLError as error:
        return f"{host}: {_reason(error.reason)}"
    except (TimeoutError, OSError) as error:
        return f"{host}: {_reason(error)}"


def why_not(error: BaseException) -> str:
    """What went wrong on the way to a host, in a few words."""
    return _reason(error.reason if isinstance(error, urllib.error.URLError) else error)


def _reason(reason: object) -> str:
    if isinstance(reason, socket.gaierror):
        return "its name cannot be resolved"
    if isinstance(reason, TimeoutError):
        return f"no answer within {TIMEOUT_S:.0f} s"
    if isinstance(reason, ConnectionRefusedError):
        return "connection refused"
    return str(reason)
