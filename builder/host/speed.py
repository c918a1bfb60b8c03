"""How well a source answers from here: whether, how soon, and how fast its bytes come. Small files, a short time each."""

from __future__ import annotations

import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from builder.host.reach import TIMEOUT_S, why_not
from builder.model.frozen import frozen

LIMIT_BYTES: Final = 4_000_000
LIMIT_S: Final = 4.0
_BLOCK: Final = 1 << 16


@frozen
class Measured:
    """Of one address. first_s: until the first bytes; bytes_per_s: of what followed. why_not: "" when it answers."""

    url: str
    first_s: float = 0.0
    bytes_per_s: float = 0.0
    why_not: str = ""

    @property
    def answers(self) -> bool:
        return not self.why_not

    @property
    def seconds_for(self) -> float:
        """What ten megabytes would take: one number out of delay and speed, for an order."""
        return self.first_s + 10_000_000 / max(self.bytes_per_s, 1.0)


def measure(urls: Mapping[str, str], ca: str | None, clock: Callable[[], float] = time.monotonic) -> dict[str, Measured]:
    """Name → what was measured at its address. All are asked at once, so that the slowest decides how long it takes."""
    context = ssl.create_default_context(cafile=ca)
    with ThreadPoolExecutor(max_workers=min(len(urls), 8) or 1) as pool:
        return dict(zip(urls, pool.map(lambda url: _measure(url, context, clock), urls.values()), strict=True))


def _measure(url: str, context: ssl.SSLContext, clock: Callable[[], float]) -> Measured:
    request = urllib.request.Request(url, headers={"User-Agent": "wsb", "Accept-Encoding": "identity"})
    began = clock()
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S, context=context) as answer:
            count = len(answer.read(1))
            first = clock()
            while count < LIMIT_BYTES and clock() - first < LIMIT_S and (block := answer.read(_BLOCK)):
                count += len(block)
            took = max(clock() - first, 1e-3)
            return Measured(url=url, first_s=first - began, bytes_per_s=count / took)
    except urllib.error.HTTPError as error:
        if error.code == 401:  # a registry that wants a token is there
            return Measured(url=url, first_s=clock() - began)
        return Measured(url=url, why_not=f"HTTP {error.code}")
    except (OSError, ValueError) as error:
        return Measured(url=url, why_not=why_not(error))
