"""The stand-in for conda and micromamba: what wsb's tests run inside containers where the real ones cannot be had.

It is not conda. It answers to conda's command lines, reads conda's configuration files, solves and links real packages with
py-rattler, and fails in conda's words; what it does not know it refuses loudly. Nothing but wsb's tests should ever run it.
This package is copied into the base environment of the stand-in installers and imports only the standard library, py-rattler
and PyYAML.
"""

from __future__ import annotations

#: The releases whose behaviour is imitated; `--version` says so and adds that this is a stand-in.
CONDA_VERSION = "26.5.3"
MICROMAMBA_VERSION = "2.9.0"
STANDIN = "(wsb stand-in)"
