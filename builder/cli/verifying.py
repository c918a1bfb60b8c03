"""A package asked of the places it would come from: the index for pip, the image's own conda for conda."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from builder.catalog import load
from builder.packages.verify import Verified, indexes, target_of, verify_pip

if TYPE_CHECKING:
    from builder.cli.packages import Project


def verify(project: Project, item: str) -> Verified:
    """Whether a line of packages.pip can be installed. Raises WsbError: no-such-package, no-such-build, or no plan."""
    from builder.host.pip_config import read_pip_config

    plan = project.plan()
    usual = read_pip_config(os.environ, Path.home()).index_url
    catalog = load()
    return verify_pip(item, indexes(plan, os.environ, Path.home(), usual), target_of(plan, catalog), catalog, plan.manager)


def verify_conda(project: Project, item: str, network: str = "default") -> Verified:
    """Whether the channels have a conda package, asked of the image's own conda; unchecked where there is no image.

    Raises WsbError: no-such-package, which names another channel that has it, or no-such-build.
    """
    from builder.host.local import ca_bundle, proxies
    from builder.packages import conda_search

    if project.engine is None or project.present is None:
        return Verified(warning="whether the channels have it is asked of the image's conda, and the image is not built yet")
    document = project.present.document
    mirror = document.get("sources", {}).get("conda")
    searcher = conda_search.Searcher(
        engine=project.engine,
        image=project.present.image.id,
        manager=project.manager,
        environ={**proxies(os.environ), **({"CONDA_CHANNEL_ALIAS": mirror} if mirror else {})},
        ca=ca_bundle(os.environ),
        network="host" if network == "host" else "",
    )
    channels = tuple(document.get("channels", ())) or ("conda-forge",)
    version, warning = conda_search.verify_conda(searcher, item, channels, document["python"])
    return Verified(version=version, warning=warning)
