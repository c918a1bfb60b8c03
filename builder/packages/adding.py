"""Words of `wsb add` and `wsb remove` → what is done to wsb.yaml, or why nothing is. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from builder.catalog.catalog import Catalog
from builder.catalog.imports import normal
from builder.config.suggest import nearest
from builder.errors import WsbError
from builder.model.frozen import frozen
from builder.model.values import Manager
from builder.packages.declared import Declared
from builder.packages.findings import Edit
from builder.packages.installed import Installed
from builder.packages.names import Chosen, Kind, choose
from builder.resolve.lines import conda_line, pip_line

# A key of wsb.yaml, and how it may also be listed among the packages: two statements about one thing.
_AS_PACKAGES = {"torch": ("torch", "pytorch")}


@frozen
class Addition:
    """One word and what becomes of it. replaced: the item of wsb.yaml it takes the place of, "" for none.

    is_there: nothing needs to be done, said says why. said: one line for the person.
    """

    word: str
    chosen: Chosen
    replaced: str = ""
    is_there: bool = False
    said: str = ""


def plan_addition(catalog: Catalog, manager: Manager, declared: Sequence[Declared], word: str, forced: Kind | None) -> Addition:
    """What `wsb add WORD` does. Raises WsbError wrong-name or bad-value."""
    chosen = choose(catalog, manager, word, forced)
    if forced is None and manager.is_conda:
        chosen = _where_it_is(catalog, manager, declared, chosen)
    because = f" ({chosen.because})" if chosen.because else ""
    if chosen.kind == "key":
        listed = next((one for one in declared if one.is_own and one.name in _AS_PACKAGES.get(chosen.name, ())), None)
        taken_out = f"; {listed.text} is taken out of packages.{listed.kind}" if listed else ""
        return Addition(word=word, chosen=chosen, replaced=listed.text if listed else "", said=f"{chosen.because}{taken_out}")
    same = [one for one in declared if chosen.name and chosen.name in one.names]
    own = next((one for one in same if one.is_own and one.kind == chosen.kind), None)
    has_version = normal(chosen.item) != chosen.name
    if own is not None and (own.text == chosen.item or not has_version):
        return Addition(word=word, chosen=chosen, is_there=True, said=f"{own.text} is there already ({own.where})")
    if own is not None:
        said = f"{own.text} becomes {chosen.item} in packages.{chosen.kind}"
        return Addition(word=word, chosen=chosen, replaced=own.text, said=said)
    other = next((one for one in same if one.kind in ("pip", "conda", "torch")), None)
    if other is not None and not has_version and forced is None and other.where.line:
        return Addition(word=word, chosen=chosen, is_there=True, said=f"{other.text} is there already ({other.where})")
    overrides = f"; it counts before {other.where}, which says {other.text}" if other is not None and has_version else ""
    return Addition(word=word, chosen=chosen, said=f"{chosen.item} added to packages.{chosen.kind}{because}{overrides}")


def _where_it_is(catalog: Catalog, manager: Manager, declared: Sequence[Declared], chosen: Chosen) -> Chosen:
    """From conda too, when the project has it from there already: a second copy from pip would hide the first."""
    taken = next((one for one in declared if one.kind == "conda" and chosen.name in one.names), None)
    if taken is None or chosen.kind != "pip" or "://" in chosen.item:
        return chosen
    spec = f"{conda_line(taken.text).name}{pip_line(chosen.item).asks}"
    return replace(choose(catalog, manager, spec, "conda"), because=f"{taken.where} has it from conda already")


def plan_removal(catalog: Catalog, declared: Sequence[Declared], installed: Installed | None, word: str) -> tuple[Edit, ...]:
    """What `wsb remove WORD` takes out: every item of wsb.yaml with this name, or of the distribution of this import.

    Raises WsbError not-declared: where it is asked for instead, or what brings it.
    """
    names = _names_of(catalog, word)
    own = [one for one in declared if one.is_own and names & {*one.names}]
    if own:
        return tuple(Edit(list=one.kind, item=one.text) for one in own if one.kind != "torch")
    elsewhere = [one for one in declared if not one.is_own and names & {*one.names}]
    if any(one.name == "torch" and one.where.file.endswith("wsb.yaml") for one in elsewhere):
        raise WsbError("not-declared", "torch is a key of wsb.yaml", hints=("`torch: none` leaves it out",))
    if elsewhere:
        one = elsewhere[0]
        raise WsbError(
            "not-declared",
            f"{one.text} is asked for by {one.where.file}, which is not wsb's to change",
            one.where,
            hints=("take the line out there, then `wsb build`",),
        )
    by = tuple(name for one in sorted(names) for name in (installed.brought_by.get(one, ()) if installed else ()))
    if by:
        roots = _asked_roots(declared, installed, names)
        raise WsbError(
            "not-declared",
            f"{word} is not asked for; it is there because {_listed(by)} needs it",
            hints=(f"`wsb remove {roots[0]}` removes what brings it",) if len(roots) == 1 else (),
        )
    near = nearest(word, [one.name for one in declared if one.is_own])
    raise WsbError(
        "not-declared",
        f"wsb.yaml has no package {word}",
        hints=(f"did you mean {near}?",) if near else ("`wsb list` shows what is asked for and what brings what",),
    )


def _asked_roots(declared: Sequence[Declared], installed: Installed | None, names: Iterable[str]) -> tuple[str, ...]:
    """Those of wsb.yaml's own packages that bring any of these, however far down; () when something else does too."""
    own = {name: one.name for one in declared for name in one.names if one.is_own}
    asked = {name for one in declared for name in one.names}
    waiting, seen, found = list(names), set(names), set()
    while waiting and installed is not None:
        for above in map(normal, installed.brought_by.get(waiting.pop(), ())):
            if above in asked and above not in own:
                return ()
            if above in own:
                found.add(own[above])
            elif above not in seen:
                seen.add(above)
                waiting.append(above)
    return tuple(sorted(found))


def _names_of(catalog: Catalog, word: str) -> set[str]:
    bare = normal(word.split("=")[0].split("<")[0].split(">")[0].split("[")[0].split("@")[0].strip())
    row = catalog.import_named_like(word)
    return {bare, word, *(catalog.providers(row["import"]) if row is not None else ())}


def _listed(names: Iterable[str]) -> str:
    shown = list(dict.fromkeys(names))
    return ", ".join(shown[:3]) + (f" and {len(shown) - 3} more" if len(shown) > 3 else "")
