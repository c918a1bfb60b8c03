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
