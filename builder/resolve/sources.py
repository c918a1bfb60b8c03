"""Where each kind of thing is taken from, and the installer of the manager."""

from __future__ import annotations

from typing import Literal

from builder.catalog import Catalog
from builder.errors import WsbError
from builder.model.plan import InstallerPlan, SourcesPlan
from builder.model.spec import SourcesSpec
from builder.model.values import Located, Manager
from builder.resolve.given import Given, listed
from builder.resolve.notes import Notes
from builder.resolve.packages import Basket
from builder.resolve.torch import Torch, is_url

KINDS = ("registry", "apt", "conda", "miniconda", "pip", "torch")

_KINDS: dict[Manager, Literal["Miniconda3", "Miniforge3", "micromamba"]] = {
    Manager.MINICONDA: "Miniconda3",
    Manager.MINIFORGE: "Miniforge3",
    Manager.MICROMAMBA: "micromamba",
}


def choose_sources(given: Given, torch: Torch, basket: Basket, notes: Notes) -> SourcesPlan:
    """Single sources of wsb.yaml, over those of its preset. Raises WsbError bad-value for a preset nobody knows."""
    spec = given.spec.sources
    preset = _preset(given, notes)
    index = torch.plan.index_url if torch.plan else None
    extra = [one.value for one in given.project.index_urls]
    if basket.needs_torch_index and index:
        extra.append(index)
    links = [one.value for one in given.project.find_links] + sorted(set(basket.find_links))
    return SourcesPlan(
        registry=_value(spec.registry),
        apt=_value(spec.apt) or preset.get("apt"),
        conda=_value(spec.conda) or preset.get("conda"),
        miniconda=_value(spec.miniconda) or preset.get("miniconda"),
        pip=_value(spec.pip) or preset.get("pip"),
        extra_pip=tuple(dict.fromkeys(extra)),
        find_links=tuple(dict.fromkeys(links)),
        torch=_torch_source(given, torch, preset.get("torch")),
        ca=_value(spec.ca),
        keep_ca=spec.keep_ca.value if spec.keep_ca else False,
        keep_proxies=spec.keep_proxies.value if spec.keep_proxies else False,
    )


def _torch_source(given: Given, torch: Torch, preset: str | None) -> str | None:
    """The directory of wheels when one is taken from it; else the mirror's address of exactly this build.

    A mirror is given by its root, which stands for download.pytorch.org/whl, or by the address of one build.
    """
    asked = _value(given.spec.sources.torch)
    if torch.from_wheels:
        return (given.reach.wheel_dir if given.reach else None) or asked
    if asked is not None and not is_url(asked):
        return asked if given.reach is None else None
    root = asked or preset
    if root is None or torch.plan is None or torch.plan.index_url is None:
        return root
    return index_below(root, str(torch.plan.variant))


def index_below(root: str, variant: str) -> str:
    """The index of one build on a mirror of download.pytorch.org/whl, which may be named with or without the build."""
    address, anchor, rest = root.partition("#")
    bare = address.rstrip("/")
    return (bare if bare.endswith(f"/{variant}") else f"{bare}/{variant}") + anchor + rest


def addresses(sources: SourcesSpec, catalog: Catalog) -> dict[str, str]:
    """Kind → address of this machine's own settings, a preset or single ones. Raises WsbError for an unknown preset."""
    if sources.preset is not None:
        row = catalog.preset(sources.preset.value)
        if row is None:
            raise _no_preset(sources.preset, catalog)
        return {kind: row[kind] for kind in KINDS if isinstance(row.get(kind), str)}
    return {kind: found.value for kind in KINDS if (found := getattr(sources, kind)) is not None}


def _preset(given: Given, notes: Notes) -> dict[str, str]:
    asked = given.spec.sources.preset
    if asked is None or asked.value == "default":
        return {}
    row = given.catalog.preset(asked.value)
    if row is None:
        raise _no_preset(asked, given.catalog)
    notes.decide("sources", asked.value, f"wsb.yaml names this mirror ({asked.where})")
    if "unverified" in row:
        notes.warn("unverified", f"the addresses of the mirror {asked.value} were not tried")
    return {key: value for key, value in row.items() if isinstance(value, str)}


def _no_preset(asked: Located[str], catalog: Catalog) -> WsbError:
    import difflib  # only errors need it

    known = catalog.presets
    close = difflib.get_close_matches(asked.value, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known are {listed(known)}"
    return WsbError("bad-value", f"there is no set of sources called {asked.value!r}", asked.where, hints=(hint,))


def choose_installer(given: Given, manager: Manager, where: str | None, notes: Notes) -> InstallerPlan | None:
    """The manager's pinned installer; None for a venv, which needs none. where: a mirror of its folder, or the file itself."""
    if not manager.is_conda:
        return None
    kind = _KINDS[manager]
    row = given.catalog.installer(kind, given.platform)
    if row is None:
        raise WsbError(
            "platform-not-supported",
            f"no {kind} with a known sha256 is in the tables for {given.platform}",
            given.spec.manager.where if given.spec.manager else given.spec.where,
            hints=("set `manager: miniforge` or `manager: miniconda`",),
        )
    notes.decide("installer", f"{row.kind} {row.version}", "a pinned release, checked against its sha256")
    url, _, sha256 = (where or "").partition("#sha256=")
    if sha256:
        notes.decide("installer", url, "wsb.yaml names this installer and its sha256")
        return InstallerPlan(kind=kind, version=url.rpartition("/")[2], url=url, sha256=sha256)
    if not url or manager is not Manager.MINICONDA:  # mirrors of Miniconda's folder carry no other installer
        return InstallerPlan(kind=kind, version=row.version, url=row.url, sha256=row.sha256)
    file = row.url.rpartition("/")[2]
    return InstallerPlan(kind=kind, version=row.version, url=f"{url.rstrip('/')}/{file}", sha256=row.sha256)


def _value(located: Located[str] | None) -> str | None:
    return located.value if located else None
