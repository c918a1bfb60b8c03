"""`python -m builder`, the same as `wsb`."""

import os
import sys

# `python -m` looks for modules in the folder it is started in first: there a project's random.py would be taken for Python's
# own, and run. The command `wsb` does not.
if sys.path and sys.path[0] in ("", os.getcwd()):  # noqa: PTH109 (pathlib would look there itself)
    del sys.path[0]

from builder.cli.main import main

main()
