"""Everything a rule may look at, and the few words that many rules share."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from packaging.version import Version

from builder.catalog import Catalog
from builder.model.frozen import frozen
from builder.model.host import Host, Reach
from builder.model.project import Project
from builder.model.spec import Spec
from builder.model.values import VersionRequest

NOTHING_LOOKED_AT = Reach()


@frozen
class Given:
    """The input of all rules. reach: None when nobody asked for fallbacks."""

    spec: Spec
    project: Project
    catalog: Catalog
    host: Host
    reach: Reach | None = None
    accept_anaconda_terms: bool = False

    def why_not(self, source: str) -> str | None:
        """Why a source cannot be reached; None when it can, or when nobody looked."""
        return self.reach.why_not(source) if self.reach else None

    @property
    def platform(self) -> str:
        """The container's platform as OCI spells it: always Linux, whatever the host is."""
        return "linux/arm64" if self.host.arch == "aarch64" else "linux/amd64"

    @property
    def wheels(self) -> str:
        """The container's platform as file names of wheels spell it."""
        return "linux_aarch64" if self.host.arch == "aarch64" else "linux_x86_64"


@lru_cache(1024)  # asked of every release, with the same few Pythons; each answer is some thirty comparisons of versions
def admits_python(request: VersionRequest | None, python: str) -> bool:
    """Whether a request such as "3.8", "3.8.5" or ">=3.8" can be met by some patch release of this Python."""
    if request is None or not request.specifiers:
        return True
    return any(request.specifiers.contains(f"{python}.{patch}") for patch in (*range(30), 99)) or (
        request.specifiers.contains(python)
    )


def newest(pythons: Iterable[str]) -> str:
    """The newest of several Pythons; 3.10 is newer than 3.9."""
    return max(pythons, key=Version)


def listed(words: Iterable[object], last: str = "and") -> str:
    """As one writes a list: "a, b and c"."""
    texts = [str(word) for word in words]
    if len(texts) < 2:
        return "".join(texts)
    return f"{', '.join(texts[:-1])} {last} {texts[-1]}"
