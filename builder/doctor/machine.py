"""What a build and a run need beside the GPU: disk, memory, shared memory, clock, proxy, certificates, the sources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from builder.doctor import wording
from builder.doctor.facts import Facts, Trouble
from builder.doctor.says import error, fine, warning
from builder.model.machine import Place
from builder.model.report import Finding

_GB: Final = 1000**3
# A CPU workspace takes 2 GB, one with CUDA 10, and BuildKit keeps what it made.
_DISK_LOW: Final = {"engine": 20 * _GB, "project": _GB, "temporary": 2 * _GB}
_DISK_OUT: Final = {"engine": 3 * _GB, "project": _GB // 10, "temporary": _GB // 5}
_HOLDS: Final = {"engine": "images and build cache", "project": "the project", "temporary": "temporary files"}
_MEMORY_LOW: Final = 4 * _GB
_SHM_OF_WSB: Final = 8 * 1024**3
_CLOCK_OFF_S: Final = 120
_SLOW_S: Final = 1.5
_SLOW_BYTES_PER_S: Final = 500_000
_WHAT: Final = {
    "registry": "base images",
    "conda": "conda's packages",
    "miniconda": "conda's installer",
    "torch": "torch's own index",
    "pip": "Python packages",
    "apt": "the distribution's packages",
}
# what `wsb build --fallback` does without
_REPLACED: Final = {
    "conda": "`wsb build --fallback` makes the environment from the base's own Python",
    "miniconda": "`wsb build --fallback` makes the environment from the base's own Python",
    "torch": "`wsb build --fallback` takes torch from the Python index",
}


def disk(facts: Facts) -> Iterator[Finding]:
    for volume in facts.volumes:
        free, holds = volume.free_bytes, f"{volume.path} ({_HOLDS[volume.role]}) has {_size(volume.free_bytes)} free"
        remedy = "`wsb prune`, `docker system df`; or move the engine's data (`data-root` in daemon.json)"
        remedy = remedy if volume.role == "engine" else "free some, or set TMPDIR to a larger disk"
        if free < _DISK_OUT[volume.role]:
            yield error("disk-full", "disk", holds, remedy)
        elif free < _DISK_LOW[volume.role]:
            yield warning("disk-low", "disk", f"{holds}; a workspace with CUDA takes some 10 GB", remedy)
        else:
            yield fine("disk", "disk", f"{holds} of {_size(volume.total_bytes)}")


def memory(facts: Facts) -> Iterator[Finding]:
    if facts.memory is None:
        return
    total, free = facts.memory.total_bytes, facts.memory.available_bytes
    said = f"{_size(total)}, {_size(free)} of it available"
    if total < _MEMORY_LOW:
        remedy = "smaller batches, fewer workers; WSL: `memory=` in .wslconfig, Docker Desktop: its resources"
        yield warning("memory-low", "memory", f"only {said}: installing torch alone takes 2 GB", remedy)
    elif free < total // 20:
        yield warning("memory-used-up", "memory", said, "`ps aux --sort=-rss | head` shows who has it")
    else:
        yield fine("memory", "memory", said)


def shm(facts: Facts) -> Iterator[Finding]:
    if facts.memory is not None and facts.memory.total_bytes < _SHM_OF_WSB:
        message = f"wsb gives a container 8 GB of /dev/shm, and the machine has {_size(facts.memory.total_bytes)} in all"
        remedy = "`run: {shm_size: 2g}` in wsb.yaml, so that the DataLoader fails early instead of the whole machine"
        yield warning("shm-above-memory", "shm", message, remedy)
    elif facts.shm_bytes is not None and facts.shm_bytes < 64 * 1024**2:
        message = f"/dev/shm of this machine has {_size(facts.shm_bytes)}; it counts with --ipc=host"
        yield warning("shm-small", "shm", message, "`sudo mount -o remount,size=8g /dev/shm`")
    elif facts.shm_bytes is not None:
        message = f"{_size(facts.shm_bytes)} here; a container of wsb's gets 8 GB of its own"
        yield fine("shm", "shm", message)


def clock(facts: Facts) -> Iterator[Finding]:
    ahead = sorted(place.clock_ahead_s for place in facts.places if place.clock_ahead_s is not None)
    if not ahead:
        return
    off = ahead[len(ahead) // 2]
    if abs(off) < _CLOCK_OFF_S:
        yield fine("clock", "clock", "right")
        return
    message = f"this clock is {abs(off):.0f} s {'ahead' if off > 0 else 'behind'}: certificates and package lists seem invalid"
    is_wsl = facts.host.details is not None and facts.host.details.flavour == "wsl"
    remedy = "`wsl --shutdown` in PowerShell" if is_wsl else "`sudo timedatectl set-ntp true`"
    fix = (("timedatectl", "set-ntp", "true"),) if "timedatectl" in facts.tools and not is_wsl else ()
    yield error("clock-off", "clock", message, remedy, fix=fix)


def proxy(facts: Facts) -> Iterator[Finding]:
    set_here = dict(facts.proxies)
    https = set_here.get("HTTPS_PROXY") or set_here.get("https_proxy") or set_here.get("ALL_PROXY") or set_here.get("all_proxy")
    if https and "://" not in https:
        message, remedy = f"HTTPS_PROXY is {_hidden(https)}, without http:// before it", f"HTTPS_PROXY=http://{_hidden(https)}"
        yield warning("proxy-without-scheme", "proxy", message, remedy)
    engine_pulls = [place for place in facts.places if place.source == "registry" and not place.why_not]
    if https and not isinstance(facts.engine, Trouble) and not facts.engine.proxy and engine_pulls:
        message = "this shell has a proxy, and the engine has none: it pulls images by itself and may not get out"
        remedy = '`"proxies": {"https-proxy": "…"}` in /etc/docker/daemon.json, then restart it'
        yield warning("engine-without-proxy", "proxy", message, remedy)
    elif https:
        yield fine("proxy", "proxy", f"{_hidden(https)}, handed to the steps of a build")


def certificates(facts: Facts) -> Iterator[Finding]:
    told = facts.certificates
    if told is not None and told.trouble:
        message, remedy = f"{told.variable} names {told.path}, which {told.trouble}", f"unset {told.variable}, or correct it"
        yield error("ca-unreadable", "ca", message, remedy)
    elif told is not None:
        yield fine("ca", "ca", f"{told.path} ({told.variable}), used in builds too")
    distrusted = [place for place in facts.places if place.is_certificate]
    if distrusted:
        names = ", ".join(sorted({place.source for place in distrusted}))
        message = f"certificates of {names} are not trusted: a company's proxy opens the connections, or the clock is wrong"
        yield error("ca-missing", "ca", message, wording.trust(facts.distribution))


def network(facts: Facts) -> Iterator[Finding]:
    for place in facts.places:
        if not place.is_certificate:
            yield _missing(facts, place) if place.why_not else _reached(place)


def _missing(facts: Facts, place: Place) -> Finding:
    """Broken is only what nothing stands in for."""
    replaced = _REPLACED.get(place.source, "")
    if place.source == "registry" and (facts.has_base or facts.can_bootstrap):
        held = (
            "the engine holds a base already" if facts.has_base else "`wsb build --fallback` makes the base from apt's packages"
        )
        replaced = held
    message = f"{_WHAT[place.source]}: {place.why_not}"
    remedy = replaced or "the network, the proxy (HTTPS_PROXY)"
    say = warning if replaced or place.source == "apt" else error
    mirror = f"; or a mirror, `sources: {{{place.source}: …}}`"
    return say(f"{place.source}-unreachable", "network", message, remedy + mirror)


def _reached(place: Place) -> Finding:
    speed = f", {_size(place.bytes_per_s)}/s" if place.bytes_per_s is not None else ""
    message = f"{_WHAT[place.source]}: {place.seconds:.1f} s to the first answer{speed}"
    is_slow = place.seconds > _SLOW_S or (place.bytes_per_s is not None and place.bytes_per_s < _SLOW_BYTES_PER_S)
    if not is_slow:
        return fine(f"{place.source}-reached", "network", message)
    remedy = f"a nearer mirror: `sources: tuna` (or ustc, aliyun), or `sources: {{{place.source}: …}}`"
    return warning(f"{place.source}-slow", "network", message, remedy)


def _size(count: int) -> str:
    power, unit = next(
        (power, unit) for power, unit in ((3, "GB"), (2, "MB"), (1, "kB"), (0, "B")) if count >= 1000**power or not power
    )
    return f"{count / 1000**power:.{1 if power and count < 10 * 1000**power else 0}f} {unit}"


def _hidden(proxy: str) -> str:
    """The proxy's address without the name and password in it."""
    scheme, found, rest = proxy.rpartition("://")
    return f"{scheme}{found}{rest.rpartition('@')[2]}"
