"""This user's own settings of wsb on this machine: where packages come from, the same keys as in wsb.yaml.

They hold for every project on this machine and go into none: not into a rendered file, an image, a lock or a plan.
"""

from __future__ import annotations

from builder.config.reader import read_spec
from builder.errors import Problems, WsbError
from builder.model.spec import SourcesSpec
from builder.model.values import Location


def read_machine(text: str, file: str) -> SourcesSpec:
    """The sources of a file that holds nothing else. Raises Problems with places, as for wsb.yaml."""
    if not text.strip():
        return SourcesSpec()
    spec = read_spec(f"{text.rstrip()}\nname: machine\n", file)
    written = {key.partition(":")[0].strip() for key in text.splitlines() if key[:1].isalpha()}
    others = sorted(written - {"sources"})
    if others:
        hint = "only `sources:` may stand there; the rest belongs to a project's wsb.yaml"
        raise Problems([WsbError("unknown-key", f"{file} holds `{one}:`", Location(file=file), (hint,)) for one in others])
    return spec.sources
