"""A project that names a CUDA without pinning torch: `--index-url …/whl/cu118` and `torch`, or `pytorch-cuda=11.8`.

pip and conda would find only releases with that build there, so those come first. It is a wish and not a limit: where no
such build runs here, every release comes into question again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from builder.catalog.rows import TorchRelease
from builder.resolve.choice import Choice, Refusal, Search


def with_declared(search: Search, releases: Sequence[TorchRelease]) -> Choice | None:
    """The newest release whose declared build runs here; None when nothing is declared, or wsb.yaml itself names a torch."""
    declared = search.wants.declared
    if declared is None or search.target.kind != "cuda" or search.target.named is not None:
        return None
    if search.given.spec.torch is not None:
        return None
    passed: list[Refusal] = []
    for release in releases:
        found = search.of(release)
        if isinstance(found, Choice) and found.build.variant == declared.value:
            return replace(found, passed_over=tuple(passed))
        if isinstance(found, Choice):
            why = f"it has no {declared.value} build that runs here, which {declared.where} declares"
            found = Refusal(release=release, kind="variant", because=why)
        passed.append(found)
    return None
