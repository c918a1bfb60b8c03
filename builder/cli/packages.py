"""What the package verbs begin with: the project, what it declares, its image if there is one, and its plan."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder import pipeline
from builder.catalog import load
from builder.cli import common
from builder.errors import Problems, WsbError
from builder.model.values import Manager
from builder.packages.declared import Declared, read_declared, read_local
from builder.packages.installed import Installed, ask_installed

if TYPE_CHECKING:
    from builder.engine.docker_sdk import DockerEngine
    from builder.model.plan import Plan


@dataclass(kw_only=True)
class Project:
    """One project as the package verbs see it.

    engine: None when none is there. present: its built image. notes: what could not be looked at, and why.
    """

    workspace: pipeline.Workspace
    engine: DockerEngine | None = None
    present: common.Present | None = None
    installed: Installed | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def declared(self) -> tuple[Declared, ...]:
        from builder.folder import Folder

        spec, project = self.workspace.spec, self.workspace.project
        return (*read_declared(spec, project, load()), *read_local(spec, project, Folder(self.workspace.directory).read))

    @property
    def is_behind(self) -> bool:
        return self.present is not None and common.is_behind(self.present)

    @property
    def manager(self) -> Manager:
        """Of the image where there is one: a build may have fallen back to another than wsb.yaml asks for."""
        if self.present is not None:
            return Manager(self.present.document.get("manager", "miniconda"))
        asked = self.workspace.spec.manager
        return asked.value if asked is not None else Manager.MINICONDA

    @property
    def has_fallbacks(self) -> bool:
        """Whether the image was built with `--fallback`; the next build needs it too."""
        return self.present is not None and bool(self.present.document.get("fallbacks"))

    def document(self) -> Mapping[str, Any]:
        """The plan's JSON: the image's own, else as it would be decided here; {} when nothing fits."""
        if self.present is not None:
            return self.present.document
        try:
            return pipeline.document(self.plan())
        except (WsbError, Problems) as error:
            self.notes.append(f"there is no plan to hold versions against: {error}")
            return {}

    def plan(self, *, fallback: bool = False) -> Plan:
        """As decided now, for the machine to plan for; what wsb.lock decided stays where it can. Raises WsbError."""
        from builder.cli.host_options import Machine

        host = Machine().host()
        reach = pipeline.look_around(self.workspace, os.environ, self.engine, probes=fallback)
        lock = pipeline.read_lock(self.workspace)
        return pipeline.decide_again(self.workspace, host, lock, reach=reach, accept_anaconda_terms=self._has_accepted_terms)

    @property
    def _has_accepted_terms(self) -> bool:
        """Whether the image was built with Anaconda's own channels, whose terms were accepted then."""
        channels = self.present.document.get("channels", ()) if self.present is not None else ()
        return any(load().is_default_channel(channel) for channel in channels)

    def close(self) -> None:
        if self.engine is not None:
            self.engine.close()


def open_anywhere(directory: str) -> Project:
    """The project at or above directory; where there is none, one of defaults, to ask an index for."""
    from builder.config import read_spec
    from builder.model.project import EMPTY_PROJECT

    try:
        return open_project(directory, with_image=True)
    except WsbError as error:
        if error.code != "no-such-file":
            raise
    spec = read_spec("name: none\n", pipeline.CONFIG)
    workspace = pipeline.Workspace(directory=Path(directory), spec=spec, project=EMPTY_PROJECT, inputs_digest="")
    return Project(workspace=workspace)


def open_project(directory: str, *, with_image: bool, asks: bool = False) -> Project:
    """The project at or above directory, with its image if an engine has it.

    asks: also what is installed in the image. Raises WsbError for a wsb.yaml that is wrong, never for a missing engine.
    """
    folder = pipeline.find_directory(Path(directory))
    project = Project(workspace=pipeline.read(folder))
    if not with_image:
        return project
    try:
        project.engine = common.connect()
        project.present = common.built_workspace(project.engine, directory)
        if asks:
            from builder import assets

            project.installed = ask_installed(project.engine, project.present.image.id, assets.installed_probe())
    except WsbError as error:
        project.notes.append(str(error))
        project.installed = None
    return project
