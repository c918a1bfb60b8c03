"""Which torch runs on the machine that `wsb init` is run on: what it picks by itself should run there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from builder.catalog import Catalog
from builder.catalog.rows import LINUX_X86_64, TorchRelease
from builder.model.host import Gpu, Host
from builder.model.values import DriverVersion, Unknown
from builder.resolve.limits import code_refuses, driver_refuses
from builder.resolve.target import Target


def runs_on(host: Host, catalog: Catalog) -> Callable[[TorchRelease], bool] | None:
    """Whether a release has a build that the host's driver and all its cards run; None when the host does not tell."""
    if not isinstance(host.driver, DriverVersion) or isinstance(host.gpus, Unknown):
        return None
    cards = tuple(card for gpu in host.gpus if (card := _with_capability(gpu, catalog)) is not None)
    if not cards:
        return None
    target = Target(kind="cuda", os=host.os, gpus=cards, driver=host.driver)

    def runs(release: TorchRelease) -> bool:
        builds = (one for one in catalog.builds(release, LINUX_X86_64) if one.variant.cuda and one.is_advertised)
        return any(
            code_refuses(one, target, catalog) is None and driver_refuses(one.variant, target, catalog) is None
            for one in builds
        )

    return runs


def _with_capability(gpu: Gpu, catalog: Catalog) -> Gpu | None:
    if gpu.compute_capability is not None:
        return gpu
    model = catalog.gpu(gpu.name)
    return replace(gpu, compute_capability=model.compute_capability) if model is not None else None
