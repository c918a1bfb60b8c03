"""Plan and FileSet → Image → Report: the base, the torch stage, the workspace, and the questions put to it.

The torch stage is built once into an image of its own name and then only found: later builds start from it, so a project
never sends or rebuilds what it shares with others, whatever became of the engine's build cache.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from builder.engine.base import (
    BuildFailed,
    BuildRequest,
    ContainerRequest,
    Engine,
    ImageInfo,
    Listener,
    Note,
    Output,
)
from builder.engine.context import build_context
from builder.engine.steps import line_of
from builder.errors import WsbError
from builder.grounding import base_of, locked_base
from builder.host.credentials import credentials
from builder.host.local import proxies
from builder.host.pip_config import read_pip_config
from builder.host.turn import turn
from builder.model.files import File, FileSet
from builder.model.frozen import frozen
from builder.model.lock import LockedPlatform
from builder.model.plan import Plan
from builder.model.report import Report
from builder.model.values import Location
from builder.render import names
from builder.sharing import TorchImage, pull_torch_image, torch_image_of
from builder.verify.command import request_command
from builder.verify.expect import GpuExpectation, GpuMode, expectations
from builder.verify.reader import CheckEvent, ReportReader


@frozen
class Built:
    """torch_image: the shared image the workspace stands on, None without torch. was_new: whether it was built now.

    torch_from: the registry it was taken from now, "" for none.
    """

    image: ImageInfo
    torch_image: str | None
    was_new: bool = False
    torch_from: str = ""


@frozen
class Shared:
    """The torch image of a plan, which the engine holds now. was_new: it was built. pulled_from: its registry, "" for none."""

    name: str
    was_new: bool = False
    pulled_from: str = ""


@frozen
class Maker:
    """One build on one engine. environ: proxies come from it. network: of the build's steps: default or host.

    registry: to be asked for a torch image that the engine does not hold, "" for none.
    """

    engine: Engine
    environ: Mapping[str, str]
    listener: Listener
    network: str = "default"
    use_cache: bool = True
    registry: str = ""

    def build(
        self,
        plan: Plan,
        files: FileSet,
        project: Path,
        *,
        locked: LockedPlatform | None = None,
        bundle: Path | None = None,
    ) -> Built:
        """The workspace's image, tagged. locked: what the files were rendered from, when they install exactly a lock.

        bundle: a folder with the packages of each part of the lock. Raises WsbError; nothing is tagged then.
        """
        if not self.engine.sees_images:
            return self._elsewhere(plan, files, project, locked)
        base, args = self.base(plan, locked)
        files = self.with_network(files, plan)
        shared = self._torch_image(plan, files, base, args, bundle) if plan.torch else None
        parts = ("workspace",) if plan.torch else ("torch", "workspace")
        request = BuildRequest(
            tag=names.image_tag(plan),
            context=build_context(files, project if plan.editable else None, mounted=_bundled(bundle, parts)),
            args={**args, **({"WSB_TORCH": shared.name} if shared else {})},
            platform=plan.platform,
            network=self.network,
            use_cache=self.use_cache,
            secrets=self.secrets(plan),
        )
        image = self.step(request, files)
        if shared is None:
            return Built(image=image, torch_image=None)
        return Built(image=image, torch_image=shared.name, was_new=shared.was_new, torch_from=shared.pulled_from)

    def _elsewhere(self, plan: Plan, files: FileSet, project: Path, locked: LockedPlatform | None) -> Built:
        """The whole Dockerfile at once, by a builder with a store of its own: it pulls the base and keeps its own cache."""
        if plan.base.bootstrap is not None:
            raise WsbError(
                "base-unreachable",
                f"the base {plan.base.image} was made on this machine, and a builder elsewhere cannot see it",
                hints=[
                    "name a base in a registry: `base: REGISTRY/IMAGE` in wsb.yaml",
                    "or build with the engine's own builder",
                ],
            )
        files = self.with_network(files, plan)
        dated = {"SOURCE_DATE_EPOCH": str(_seconds(locked.date))} if locked else {}
        with wheel_folder(plan) as wheels:
            request = BuildRequest(
                tag=names.image_tag(plan),
                context=build_context(
                    files,
                    project if plan.editable else None,
                    mounted={".wsb/wheels": wheels / ".wsb" / "wheels"} if wheels else {},
                ),
                args={**proxies(self.environ), **dated},
                platform=plan.platform,
                network=self.network,
                use_cache=self.use_cache,
                secrets=self.secrets(plan),
            )
            return Built(image=self.step(request, files), torch_image=None, was_new=True)

    def base(self, plan: Plan, locked: LockedPlatform | None) -> tuple[ImageInfo, dict[str, str]]:
        """The base, and the arguments of every build that stands on it."""
        args = proxies(self.environ)
        with self._turn(plan.base.image):
            if locked is None:
                return base_of(self.engine, plan, self.environ, self.listener), args
            image, name = locked_base(self.engine, plan, locked.base, locked.date, self.environ, self.listener)
        # BuildKit from 0.11 on dates the image by this, older ones pass it over
        return image, {**args, "WSB_BASE": name, "SOURCE_DATE_EPOCH": str(_seconds(locked.date))}

    def torch_image(
        self, plan: Plan, files: FileSet, *, locked: LockedPlatform | None = None, bundle: Path | None = None
    ) -> Shared:
        """The torch image of a plan with torch, found or made. Raises WsbError."""
        base, args = self.base(plan, locked)
        return self._torch_image(plan, self.with_network(files, plan), base, args, bundle)

    def stage(self, plan: Plan, files: FileSet, locked: LockedPlatform | None, tag: str) -> tuple[str, ImageInfo]:
        """(name, base) of an image of everything that projects share; the torch image where there is torch, else tagged."""
        base, args = self.base(plan, locked)
        files = self.with_network(files, plan)
        if plan.torch:
            return self._torch_image(plan, files, base, args, None).name, base
        self._shared(plan, files, args, tag, None)
        return tag, base

    def _torch_image(self, plan: Plan, files: FileSet, base: ImageInfo, args: Mapping[str, str], bundle: Path | None) -> Shared:
        wanted = torch_image_of(plan, files, base)
        with self._turn(wanted.name):
            if self.use_cache and self._is_here(wanted):
                return Shared(name=wanted.name)
            if self.registry and pull_torch_image(self.engine, self.registry, wanted, self.listener) is not None:
                return Shared(name=wanted.name, pulled_from=self.registry)
            self.listener(Note(text=f"building {wanted.name}, which every project with the same choice shares"))
            self._shared(plan, files, args, wanted.name, bundle, wanted.labels)
        return Shared(name=wanted.name, was_new=True)

    def _is_here(self, wanted: TorchImage) -> bool:
        held = self.engine.image(wanted.name)
        if held is None:
            return False
        if why := wanted.differs(held):
            self.listener(Note(text=f"{wanted.name} on this engine is not what its name says: {why}"))
        return not why

    def _shared(
        self,
        plan: Plan,
        files: FileSet,
        args: Mapping[str, str],
        tag: str,
        bundle: Path | None,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        kept = ("Dockerfile", ".wsb/network/", ".wsb/uv/", ".wsb/locked/", ".wsb/lock/torch/")
        stage = FileSet(tuple(file for file in files if file.path.startswith(kept)))
        with wheel_folder(plan) as folder:
            request = BuildRequest(
                tag=tag,
                context=build_context(stage, folder, mounted=_bundled(bundle, ("torch",))),
                target="torch",
                labels=labels or {},
                # many projects share it, so no project's own date is in it
                args={**args, "SOURCE_DATE_EPOCH": str(names.EPOCH)} if "WSB_BASE" in args else args,
                platform=plan.platform,
                network=self.network,
                use_cache=self.use_cache,
                secrets=self.secrets(plan),
            )
            self.step(request, files)

    def _turn(self, image: str) -> AbstractContextManager[None]:
        return turn(image, lambda: self.listener(Note(text=f"waiting for another wsb on this machine, which makes {image}")))

    def with_network(self, files: FileSet, plan: Plan) -> FileSet:
        """The files and what this machine's downloads need: certificate authorities, and the passwords of the hosts asked.

        All of it is mounted into single steps. A mount is no part of an image: it comes into no layer, label or history.
        """
        added, apt = [], []
        if plan.sources.ca is not None:
            try:
                content = Path(plan.sources.ca).expanduser().read_bytes()
            except OSError as error:
                message = f"cannot read the certificate authorities {plan.sources.ca}: {error.strerror}"
                raise WsbError("no-such-file", message) from error
            added.append(File(path=".wsb/network/ca.pem", content=content))
            apt.append('Acquire::https::CAInfo "/run/wsb/network/ca.pem";')
        netrc = self.netrc(plan)
        if netrc:
            place = "/run/wsb/netrc" if self.engine.takes_secrets else "/run/wsb/network/netrc"
            if not self.engine.takes_secrets:
                added.append(File(path=".wsb/network/netrc", content=netrc, mode=0o600))
            added.append(File(path=".wsb/network/.curlrc", content=f"netrc-optional\nnetrc-file = {place}\n".encode()))
            apt.append(f'Dir::Etc::netrc "{place}";')
        if apt:
            added.append(File(path=".wsb/network/apt.conf", content="".join(f"{line}\n" for line in apt).encode()))
        return FileSet((*files.files, *added))

    def netrc(self, plan: Plan) -> bytes:
        """The passwords of the hosts that this plan asks; empty without any."""
        home = Path(self.environ.get("HOME") or Path.home())
        known = credentials(_addresses(plan), self.environ, home, read_pip_config(self.environ, home))
        return "".join(one.line for one in known).encode()

    def secrets(self, plan: Plan) -> dict[str, bytes]:
        """The same for an engine that mounts secrets itself; others find them among the files."""
        netrc = self.netrc(plan) if self.engine.takes_secrets else b""
        return {"wsb-netrc": netrc} if netrc else {}

    def step(self, request: BuildRequest, files: FileSet) -> ImageInfo:
        """One build; a failing step is told with its place in the Dockerfile and its layer's file."""
        try:
            return self.engine.build(request, self.listener)
        except BuildFailed as failure:
            raise _placed(failure, files["Dockerfile"].decode("utf-8")) from failure


def _bundled(bundle: Path | None, parts: Iterable[str]) -> dict[str, Path]:
    """Where the files of a bundle stand in the context, by part of the lock."""
    if bundle is None:
        return {}
    folders = ((part, kind) for part in parts for kind in ("apt", "conda", "pip", "installer"))
    return {f".wsb/lock/{part}/{kind}/files": bundle / part / kind for part, kind in folders if (bundle / part / kind).is_dir()}


def _seconds(date: str) -> int:
    """Of a lock's date, since 1970."""
    return int(datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc).timestamp())


def _addresses(plan: Plan) -> tuple[str, ...]:
    """Every address that a build of this plan may ask."""
    sources = plan.sources.used
    single = (sources.pip, sources.torch, sources.conda, sources.miniconda, sources.apt)
    torch = (plan.torch.index_url, plan.torch.find_links) if plan.torch else ()
    installer = (plan.installer.url,) if plan.installer else ()
    several = (*sources.extra_pip, *sources.find_links, *plan.channels)
    return tuple(url for url in (*single, *torch, *installer, *several) if url and "://" in url)


@contextmanager
def wheel_folder(plan: Plan) -> Iterator[Path | None]:
    """A folder that holds .wsb/wheels/<the local torch wheel>, to be streamed into the context; None without one."""
    if plan.torch is None or plan.torch.wheel is None:
        yield None
        return
    assert plan.sources.torch is not None
    wheel = Path(plan.sources.torch) / plan.torch.wheel
    with tempfile.TemporaryDirectory(prefix="wsb-wheels-") as folder:
        place = Path(folder) / ".wsb" / "wheels" / wheel.name
        place.parent.mkdir(parents=True)
        try:
            os.link(wheel, place)
        except OSError:  # another file system
            shutil.copyfile(wheel, place)
        yield Path(folder)


def _placed(failure: BuildFailed, dockerfile: str) -> BuildFailed:
    """The failure with the place of its step: the Dockerfile's line and the layer file it came from."""
    line = line_of(dockerfile, failure.step_name)
    if line is None:
        return failure
    layer = layer_of(dockerfile, line)
    came_from = (f"the step comes from dockerfiles/{layer}",) if layer else ()
    return replace(failure, where=Location(file="Dockerfile", line=line), details=(*failure.details, *came_from))


def layer_of(dockerfile: str, line: int) -> str:
    """The layer file a line of the rendered Dockerfile came from, as its heading says; "" above the first."""
    for text in reversed(dockerfile.splitlines()[:line]):
        if text.startswith("# ==== ") and text.endswith(")"):
            return text.rpartition(" (")[2].removesuffix(")")
    return ""


@frozen
class Questions:
    """What to ask an image. Empty groups and checks mean all. gpus: as `--gpus` says it."""

    gpu: GpuMode = "none"
    gpus: str | None = None
    quick: bool = False
    groups: Sequence[str] = ()
    checks: Sequence[str] = ()
    time_limit_scale: float = 1.0


def prove(
    engine: Engine,
    document: Mapping[str, Any],
    request: ContainerRequest,
    questions: Questions,
    on_check: Callable[[CheckEvent], None],
    gpu: GpuExpectation | None = None,
) -> Report:
    """Run the probes in the container of this request and hold their answers against the plan's JSON.

    gpu: what was handed in; None: nothing is known of it but the questions' mode.
    """
    uid, _, gid = request.user.partition(":")
    expected = expectations(
        document,
        int(uid) if uid.isdigit() else int(document["user"]["uid"]),
        int(gid) if gid.isdigit() else None,
        request.workdir or None,
        gpu or questions.gpu,
    )
    reader = ReportReader(on_check)
    command = request_command(
        expected,
        quick=questions.quick,
        groups=questions.groups,
        checks=questions.checks,
        time_limit_scale=questions.time_limit_scale,
    )

    def take(output: Output) -> None:
        (reader.feed_stderr if output.is_stderr else reader.feed)(output.data)

    code = engine.run(replace(request, command=command), take)
    return reader.report(request.image, code)
