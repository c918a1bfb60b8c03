"""The plan for people: what was decided, in the order they think in, each with its reason."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from builder.model.plan import Decision, Plan

# Which decisions a reader of `wsb plan` cares about first, by the label they are shown under.
_LABELS = {
    "accelerator": "accelerator",
    "torch.version": "torch",
    "torch.variant": "build",
    "torch.wheel": "wheel",
    "python": "python",
    "manager": "manager",
    "base.image": "base",
    "channels": "channels",
    "passthrough": "GPU by",
}
_LABEL_WIDTH = 13


def plan_lines(plan: Plan, width: int = 100) -> tuple[str, ...]:
    """Lines of at most width columns, without colour."""
    lines = [f"{plan.name} on {plan.platform}", ""]
    decisions = {decision.field: decision for decision in plan.decisions}
    for field, label in _LABELS.items():
        if field in decisions:
            lines += _decision(label, decisions[field], width)
    lines += _packages(plan, width)
    others = [
        d for d in plan.decisions if d.field.startswith(("packages.", "torch.torch", "sources")) and d.field not in _LABELS
    ]
    for decision in others:
        lines += _decision(decision.field.partition(".")[2] or decision.field, decision, width)
    lines += [""] if plan.fallbacks or plan.warnings else []
    for one in plan.fallbacks:
        lines += _wrapped(f"instead: {one.taken}, because {one.wanted} cannot be had ({one.because})", width)
    for warned in plan.warnings:
        lines += _wrapped(f"warning: {warned.message}", width)
    return (*lines, "", f"digest {plan.digest}")


def _decision(label: str, decision: Decision, width: int) -> Iterator[str]:
    indent = " " * (_LABEL_WIDTH + 2)
    yield f"  {label:<{_LABEL_WIDTH}}{decision.value}"
    yield from textwrap.wrap(decision.because, width, initial_indent=indent, subsequent_indent=indent, break_long_words=False)


def _packages(plan: Plan, width: int) -> list[str]:
    lines = []
    groups = {
        "conda": plan.packages.conda,
        "pip": plan.packages.pip,
        "apt": plan.packages.apt,
        "but": plan.packages.constraints,
    }
    for label, packages in groups.items():
        if packages:
            text = ", ".join(packages)
            indent = " " * (_LABEL_WIDTH + 2)
            first = f"  {label:<{_LABEL_WIDTH}}"
            lines += textwrap.wrap(text, width, initial_indent=first, subsequent_indent=indent, break_long_words=False)
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent="  ", break_long_words=False)
