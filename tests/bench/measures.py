"""What is measured: seconds of whole builds by the wall clock, bytes in a registry, bytes on the engine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.builders import Builder, BuildError, Place
from tests.bench.projects import OTHERS, Project

IMPORTS = 7  # of torch, in fresh containers
STARTS = 15
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """accelerator: which torch is built. pushes: whether what a registry has to be sent is measured too."""

    accelerator: str = "cpu"
    pushes: bool = True


@dataclass
class Taken:
    """Figures by measure. seconds: a list with one entry a run. import_compiled_s: the same image with all of it compiled."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    pushed_bytes: dict[str, int] = field(default_factory=dict)
    size_bytes: int = 0
    import_s: list[float] = field(default_factory=list)
    import_compiled_s: list[float] = field(default_factory=list)

    @contextmanager
    def timed(self, measure: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        took = time.perf_counter() - began
        self.seconds.setdefault(measure, []).append(took)
        print(f"   {measure}: {took:.2f} s", file=sys.stderr, flush=True)


def empty(place: Place) -> None:
    """Everything this engine holds of earlier builds is gone, but the bases."""
    for image in _images(place):
        place.run(["docker", "rmi", "--force", image], place.scratch)
    place.run(["docker", "builder", "prune", "--all", "--force"], place.scratch)
    left = _images(place)
    if left:
        raise BuildError(f"images of earlier builds are still there: {' '.join(left)}")


def _images(place: Place) -> list[str]:
    """Names of images that are not among the bases, and ids of those without a name."""
    shown = '{{if eq .Tag "<none>"}}{{.ID}}{{else}}{{.Repository}}:{{.Tag}}{{end}}'
    found = place.run(["docker", "images", "--format", shown], place.scratch).split()
    return [image for image in found if image not in place.bases]


def measure(builder: Builder, place: Place, registry: str, runs: int, kind: Kind) -> Taken:
    """One builder through all changes, runs times, from an empty engine each time."""
    taken = Taken()
    for number in range(runs):
        empty(place)
        _one_run(builder, place, registry, taken, number, kind)
    image = f"{registry}/{builder.name}:{runs - 1}"
    taken.size_bytes = int(place.run(["docker", "inspect", "--format", "{{.Size}}", image], place.scratch))
    import_seconds(place, image)  # from the disk, for once
    taken.import_s = [import_seconds(place, image) for _ in range(IMPORTS)]
    if builder.name == "wsb":
        _beside_compiled(place, image, taken)
    return taken


def _one_run(builder: Builder, place: Place, registry: str, taken: Taken, number: int, kind: Kind) -> None:
    project = Project(name="bench", accelerator=kind.accelerator)
    folder = place.scratch / f"{builder.name}-{number}" / project.name
    shutil.rmtree(folder.parent, ignore_errors=True)
    image = f"{registry}/{builder.name}:{number}"
    pushed = Pushed(place, registry, builder.name)

    def step(measure: str, now: Project, folder: Path = folder) -> None:
        now.write(folder, place.index, place.base)
        with taken.timed(measure):
            builder.build(place, folder, image)
        if kind.pushes and number == 0:  # a push takes longer than all that is timed, and its bytes are the same in every run
            taken.pushed_bytes[measure] = pushed.push(image)

    step("cold", project)
    with taken.timed("no-op"):
        builder.build(place, folder, image)
    step("code", project.changed_code())
    step("one package", project.with_package())
    second = Project(name="second", accelerator=kind.accelerator, requirements=OTHERS)
    step("second project", second, folder.parent / second.name)
    step("torch patch", project.with_patched_torch())


@dataclass
class Pushed:
    """What a registry did not hold before a push: by the layers of the pushed manifests. Each builder starts with nothing."""

    place: Place
    registry: str
    name: str
    seen: set[str] = field(default_factory=set)

    def push(self, image: str) -> int:
        self.place.run(["docker", "push", "--quiet", image], self.place.scratch)
        tag = image.rpartition(":")[2]
        request = urllib.request.Request(f"http://{self.registry}/v2/{self.name}/manifests/{tag}", headers={"Accept": MANIFEST})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as answer:
            manifest = json.load(answer)
        blobs = {blob["digest"]: int(blob["size"]) for blob in [manifest["config"], *manifest["layers"]]}
        new = sum(size for digest, size in blobs.items() if digest not in self.seen)
        self.seen |= blobs.keys()
        return new


def import_seconds(place: Place, image: str) -> float:
    """`import torch` in a fresh container, by its own clock; the start of the container is not in it."""
    code = "import time; began = time.perf_counter(); import torch; print(time.perf_counter() - began)"
    return float(place.run(["docker", "run", "--rm", "--network=none", image, "python", "-c", code], place.scratch))


def start_up(folder: Path) -> dict[str, list[float]]:
    """Seconds of commands that need no engine, from the start of Python to its end, each STARTS times; bytecode is there."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    commands = {
        "python -c pass": ["-c", "pass"],
        **{f"wsb {verb}": ["-m", "builder", *verb.split()] for verb in ("--help", "plan", "render --stdout")},
    }
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(STARTS + 1):
        for name, words in commands.items():
            began = time.perf_counter()
            subprocess.run([sys.executable, *words], cwd=folder, env=environ, stdout=subprocess.DEVNULL, check=True)
            taken[name].append(time.perf_counter() - began)
    return {name: seconds[1:] for name, seconds in taken.items()}  # the first wrote the bytecode


def _beside_compiled(place: Place, image: str, taken: Taken) -> None:
    """wsb's image against itself with all of it compiled, in turns: what the machine does meanwhile falls on both."""
    compiled = everything_compiled(place, image, "/opt/venv/wsb/lib")
    import_seconds(place, compiled)
    taken.import_s.clear()
    for _ in range(IMPORTS):
        taken.import_s.append(import_seconds(place, image))
        taken.import_compiled_s.append(import_seconds(place, compiled))


def everything_compiled(place: Place, image: str, site: str) -> str:
    """The image with the bytecode of every file below site, as pip leaves it; its name."""
    name = f"{image}-compiled"
    # some packages carry files that are no Python of this release: compileall goes on behind them, and ends with 1
    compiling = f"{{ python -m compileall -q {site} >/dev/null || true; }}"
    counting = f"test $(find {site} -name '*.pyc' | wc -l) -gt 4000"
    folder = place.scratch / "compiled"
    folder.mkdir(exist_ok=True)
    (folder / "Dockerfile").write_text(f"FROM {image}\nUSER 0\nRUN {compiling} && {counting}\n")
    place.run(["docker", "build", "--quiet", "--tag", name, "."], folder, DOCKER_BUILDKIT="1")
    return name
