"""What a plan will leave out of the project's own lists, said beforehand: libraries that torch's wheel brings, builds of a
channel that is not taken, packages that both conda and pip are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from builder.catalog import Catalog
from builder.model.project import Project
from builder.model.values import Located
from builder.resolve.lines import conda_line, pip_line
from builder.resolve.pins import without_build

_NAMED = 5  # packages that one sentence names


def left_by_plan(project: Project, catalog: Catalog, *, has_torch: bool) -> Iterator[str]:
    """Sentences with the place and the reason."""
    if has_torch:
        conda = [one for one in project.conda if catalog.conda_is_cuda_library(conda_line(one.value).name)]
        conda = [one for one in conda if not catalog.conda_is_compiler(conda_line(one.value).name)]
        pip = [one for one in project.pip if catalog.is_managed_by_torch(pip_line(one.value).name)]
        yield from _said([*conda, *pip], "left out, since torch's wheel brings the right ones")
    yield from _said(
        _built_by_anaconda(project, catalog), "taken without the build string: Anaconda's builds exist on its own channel only"
    )
    yield from _said(twice(project, catalog), "left to pip, which is asked for it too")


def _built_by_anaconda(project: Project, catalog: Catalog) -> list[Located[str]]:
    channels = [one.value.strip() for one in project.channels]
    if channels and not any(catalog.is_default_channel(channel) for channel in channels):
        return []
    return [one for one in project.conda if "::" not in one.value and without_build(one.value) != one.value.strip()]


def twice(project: Project, catalog: Catalog) -> list[Located[str]]:
    """Conda packages that pip is asked for as well. pip installs last, so its word counts in the end."""
    asked = {pip_line(one.value).name for one in project.pip} - {""}
    found = []
    for one in project.conda:
        name = conda_line(one.value).name
        row = catalog.conda_name(name)
        if pip_line(row["pip"] if row is not None and "pip" in row else name).name in asked:
            found.append(one)
    return found


def _said(lines: Sequence[Located[str]], why: str) -> Iterator[str]:
    if lines:
        names = ", ".join(one.value.strip() for one in lines[:_NAMED])
        more = f" and {len(lines) - _NAMED} more" if len(lines) > _NAMED else ""
        yield f"{lines[0].where}: {names}{more}: {why}"
