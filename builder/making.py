"""Plan and FileSet → Image → Report: the base, the torch stage, the workspace, and the questions put to it.

The torch stage is built once into an image of its own name and then only found: later builds start from it, so a project
never sends or rebuilds what it shares with others, whatever became of the engine's build cache.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
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
from builder.host import bootstrap
from builder.host.local import proxies
from builder.host.turn import turn
from builder.model.files import File, FileSet
from builder.model.plan import Plan
from builder.model.report import Report
from builder.model.values import Location
from builder.render import names
from builder.render.dockerfile import shared_part
from builder.verify.command import request_command
from builder.verify.expect import GpuExpectation, GpuMode, expectations
from builder.verify.reader import CheckEvent, ReportReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """torch_image: the shared image the workspace stands on, None without torch. was_new: whether it was built now."""

    image: ImageInfo
    torch_image: str | None
    was_new: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """One build on one engine. environ: proxies come from it. network: of the build's steps: default or host."""

    engine: Engine
    environ: Mapping[str, str]
    listener: Listener
    network: str = "default"
    use_cache: bool = True

    def build(self, plan: Plan, files: FileSet, project: Path) -> Built:
        """The workspace's image, tagged. Raises WsbError; nothing is tagged then."""
        base = self._base(plan)
        files = _with_ca(files, plan)
        torch_image, was_new = self._torch_image(plan, files, base) if plan.torch else (None, False)
        request = BuildRequest(
            tag=names.image_tag(plan),
            context=build_context(files, project if plan.editable else None),
            args={**proxies(self.environ), **({"WSB_TORCH": torch_image} if torch_image else {})},
            platform=plan.platform,
            network=self.network,
            use_cache=self.use_cache,
        )
        return Built(image=self._step(request, files), torch_image=torch_image, was_new=was_new)

    def _base(self, plan: Plan) -> ImageInfo:
        """The base, from the engine, the registry, or the distribution's own packages."""
        with self._turn(plan.base.image):
            found = self.engine.image(plan.base.image)
            return found if found is not None else self._new_base(plan)

    def _new_base(self, plan: Plan) -> ImageInfo:
        if plan.base.bootstrap is None:
            self.listener(Note(text=f"pulling {plan.base.image}"))
            return self.engine.pull(plan.base.image, plan.platform, self.listener)
        self.listener(Note(text=f"making the base {plan.base.image} from Debian's own packages (about half a minute)"))
        with bootstrap.rootfs(
            plan.base.bootstrap,
            arch=plan.platform.partition("/")[2],
            mirror=plan.sources.apt,
            environ=self.environ,
            say=lambda text: self.listener(Note(text=text)),
        ) as tar:
            return self.engine.import_rootfs(
                tar, plan.base.image, ['CMD ["bash"]', f"LABEL dev.wsb.suite={plan.base.bootstrap}"]
            )

    def _torch_image(self, plan: Plan, files: FileSet, base: ImageInfo) -> tuple[str, bool]:
        """(the torch image's name, whether it had to be built)."""
        name = torch_image_name(plan, files, base)
        with self._turn(name):
            if self.use_cache and self.engine.image(name) is not None:
                return name, False
            self._new_torch_image(name, plan, files)
        return name, True

    def _new_torch_image(self, name: str, plan: Plan, files: FileSet) -> None:
        self.listener(Note(text=f"building {name}, which every project with the same choice shares"))
        kept = ("Dockerfile", ".wsb/network/", ".wsb/uv/")
        stage = FileSet(tuple(file for file in files if file.path.startswith(kept)))
        with _wheel_folder(plan) as folder:
            request = BuildRequest(
                tag=name,
                context=build_context(stage, folder),
                target="torch",
                args=proxies(self.environ),
                platform=plan.platform,
                network=self.network,
                use_cache=self.use_cache,
            )
            self._step(request, files)

    def _turn(self, image: str) -> AbstractContextManager[None]:
        return turn(image, lambda: self.listener(Note(text=f"waiting for another wsb on this machine, which makes {image}")))

    def _step(self, request: BuildRequest, files: FileSet) -> ImageInfo:
        try:
            return self.engine.build(request, self.listener)
        except BuildFailed as failure:
            raise _placed(failure, files["Dockerfile"].decode("utf-8")) from failure


def torch_image_name(plan: Plan, files: FileSet, base: ImageInfo) -> str:
    """wsb/torch:<torch>-<variant>-py<python>-<manager>-<digest over all that makes it>."""
    assert plan.torch is not None
    total = hashlib.sha256()
    parts = [base.id, plan.platform, shared_part(files["Dockerfile"].decode("utf-8")), plan.torch.wheel or ""]
    parts += [file.path + file.content.decode("utf-8") for file in files if file.path.startswith(".wsb/uv/")]
    for part in parts:
        total.update(f"{len(part)}\0{part}".encode())
    torch = plan.torch
    tag = f"{torch.version}-{torch.variant}-py{plan.python}-{plan.manager.value}-{total.hexdigest()[:12]}"
    return f"{names.torch_image_repository()}:{tag}"


def _with_ca(files: FileSet, plan: Plan) -> FileSet:
    """The files and the certificate authorities that this machine's downloads need."""
    if plan.sources.ca is None:
        return files
    try:
        content = Path(plan.sources.ca).expanduser().read_bytes()
    except OSError as error:
        raise WsbError(
            "no-such-file", f"cannot read the certificate authorities {plan.sources.ca}: {error.strerror}"
        ) from error
    return FileSet((*files.files, File(path=".wsb/network/ca.pem", content=content)))


@contextmanager
def _wheel_folder(plan: Plan) -> Iterator[Path | None]:
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


@dataclass(frozen=True, slots=True, kw_only=True)
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
