"""Why: the chain of links with the one that breaks, and each decision with what was rejected for it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from builder.errors import WsbError
from builder.model.plan import Decision, Plan
from builder.ui.chain import Link, broken_link, chain_json

_MARKS = {"holds": "ok", "broken": "BROKEN", "unknown": "?", "unused": "-"}
# Words people use → the decisions they mean.
_MEANT = {
    "cuda": ("torch.variant", "accelerator"),
    "gpu": ("accelerator", "torch.variant"),
    "driver": ("torch.version", "torch.variant"),
    "torch": ("torch", "torch.version", "torch.variant", "torch.wheel"),
    "image": ("base.image",),
    "base": ("base.image",),
    "conda": ("manager", "channels", "installer"),
    "packages": ("packages",),
    "fallbacks": ("manager", "base.image", "torch.wheel"),
}


def explain_lines(plan: Plan, chain: Sequence[Link], what: str | None = None, width: int = 100) -> tuple[str, ...]:
    """The chain and all decisions; only the decisions on one matter when what names it."""
    chosen = decisions_on(plan, what)
    lines = [] if what else [*chain_lines(chain, width), ""]
    for decision in chosen:
        lines += _decision(decision, width)
    if not what:
        for warned in plan.warnings:
            lines += textwrap.wrap(f"warning: {warned.message}", width, subsequent_indent="  ", break_long_words=False)
    return tuple(lines)


def explain_json(plan: Plan, chain: Sequence[Link], what: str | None = None) -> dict[str, Any]:
    """The same as a document."""
    decisions = [
        {
            "field": decision.field,
            "value": decision.value,
            "because": decision.because,
            "rejected": [{"value": one.value, "because": one.because} for one in decision.rejected],
        }
        for decision in decisions_on(plan, what)
    ]
    broken = broken_link(tuple(chain))
    document: dict[str, Any] = {"schema": "wsb.explain/1", "chain": chain_json(tuple(chain)), "decisions": decisions}
    return document | ({"broken": broken.name} if broken else {})


def decisions_on(plan: Plan, what: str | None) -> tuple[Decision, ...]:
    """The decisions a word means. Raises WsbError bad-value, naming what there is, when it means none."""
    if what is None:
        return plan.decisions
    word = what.lower()
    fields = _MEANT.get(word, ())
    chosen = tuple(
        one
        for one in plan.decisions
        if one.field in fields or word in one.field.lower().split(".") or any(one.field.startswith(f"{f}.") for f in fields)
    )
    if chosen:
        return chosen
    known = sorted({*(one.field for one in plan.decisions), *_MEANT})
    near = get_close_matches(word, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are decisions on {', '.join(one.field for one in plan.decisions)}"
    raise WsbError("bad-value", f"nothing was decided on {what!r}", hints=(hint,))


def chain_lines(chain: Sequence[Link], width: int = 100) -> tuple[str, ...]:
    """The chain from top to bottom; the broken link says so in words."""
    lines: list[str] = []
    for at, link in enumerate(chain):
        if at:
            lines.append("    |")
        head = f"{_MARKS[link.state]:>6}  {link.name:<17}"
        lines += textwrap.wrap(f"{head}{link.what}", width, subsequent_indent=" " * 25, break_long_words=False)
        if link.because:
            indent = " " * 25
            said = f"here it breaks: {link.because}" if link.state == "broken" else link.because
            lines += textwrap.wrap(said, width, initial_indent=indent, subsequent_indent=indent, break_long_words=False)
    return tuple(lines)


def _decision(decision: Decision, width: int) -> list[str]:
    lines = [f"{decision.field} = {decision.value}"]
    lines += textwrap.wrap(decision.because, width, initial_indent="    ", subsequent_indent="    ", break_long_words=False)
    for one in decision.rejected:
        text = f"not {one.value}: {one.because}"
        lines += textwrap.wrap(text, width, initial_indent="    ", subsequent_indent="      ", break_long_words=False)
    return lines
