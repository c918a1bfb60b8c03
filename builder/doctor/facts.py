"""What the checks of `wsb doctor` look at, gathered beforehand: facts, or why one is not known. No check asks the machine."""

from __future__ import annotations

from collections.abc import Sequence

from builder.model.engine import EngineInfo
from builder.model.frozen import frozen
from builder.model.host import Host
from builder.model.machine import Certificates, Distribution, Memory, Place, Volume
from builder.model.report import Report
from builder.model.values import Unknown, Variant


@frozen
class Trouble:
    """An engine that cannot be used: the error's code, what was seen, and what else there is."""

    code: str
    message: str
    hints: Sequence[str] = ()


@frozen
class Built:
    """The image of the project that wsb was started in. variant: of its torch, None without torch."""

    image: str
    torch: str | None
    variant: Variant | None


@frozen
class Facts:
    """All of it.

    tools: programs found on PATH. proxies: variables that are set.
    inside: what a container on this engine answered, Unknown why none was asked, Trouble why it did not start, None where
        there is nothing to ask about.
    can_bootstrap: whether a base can be made without a registry.
    """

    host: Host
    distribution: Distribution
    engine: EngineInfo | Trouble
    tools: frozenset[str] = frozenset()
    volumes: tuple[Volume, ...] = ()
    memory: Memory | None = None
    shm_bytes: int | None = None
    proxies: tuple[tuple[str, str], ...] = ()
    certificates: Certificates | None = None
    places: tuple[Place, ...] = ()
    can_bootstrap: bool = False
    has_base: bool = False
    built: Built | None = None
    inside: Report | Trouble | Unknown | None = None

    @property
    def has_nvidia(self) -> bool:
        """Whether there is a card of NVIDIA's, or a driver that speaks for one."""
        details = self.host.details
        if self.host.driver is not None and not isinstance(self.host.driver, Unknown):
            return True
        on_bus = details is not None and not isinstance(details.bus, Unknown) and any(g.vendor == "nvidia" for g in details.bus)
        named = not isinstance(self.host.gpus, Unknown) and any("NVIDIA" in gpu.name for gpu in self.host.gpus)
        return on_bus or named or (details is not None and details.nvml not in ("absent", "not-asked"))

    @property
    def has_amd(self) -> bool:
        """Whether there is a card of AMD's that computes, or could."""
        details = self.host.details
        named = not isinstance(self.host.gpus, Unknown) and any("AMD" in gpu.name for gpu in self.host.gpus)
        files = details is not None and any(path == "/dev/kfd" for path, _ in details.nodes)
        on_bus = details is not None and not isinstance(details.bus, Unknown) and any(g.vendor == "amd" for g in details.bus)
        return named or files or (on_bus and not self.has_nvidia)
