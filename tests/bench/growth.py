"""How long `wsb ls`, `wsb plan` and `wsb prune` take on an engine that holds many workspaces: `python -m tests.bench.growth`.

The engine is one of its own (tests/support/private_engine.py), filled through `docker load` with workspaces that hold
next to nothing: the labels, tags and layers of real ones, a base and a few torch images below them, and now and then an
old build. Each verb is a process of its own, as a person starts it; what is printed is the median of its runs in seconds,
and what one workspace more costs. Not part of `make test`: tests/unit/test_growth.py counts calls there, without a clock.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from builder.engine.docker_sdk import DockerEngine
from tests.support.private_engine import PrivateEngine, private_engine

PREFIX = "wsbtest-growth-"
TORCHES = ("2.2.2-cpu", "2.4.1-cpu", "2.6.0-cpu", "2.7.1-cpu")
OLD_EVERY = 10  # of so many workspaces one has an old build beside it
VERBS: Mapping[str, Sequence[str]] = {"ls": ["ls"], "ls --json": ["ls", "--json"], "plan": ["plan"], "prune": ["prune"]}
LIMIT_S = 2.0


def main() -> int:
    options = _options()
    options.cache.mkdir(parents=True, exist_ok=True)
    taken: dict[int, dict[str, list[float]]] = {}
    with private_engine(options.cache.resolve()) as engine, tempfile.TemporaryDirectory() as project:
        Path(project, "wsb.yaml").write_text("name: growth\ntorch: 2.6\n")
        made = 0
        for count in sorted(options.counts):
            fill(engine, range(made, count))
            made = count
            taken[count] = {name: _seconds(engine, project, words, options.runs) for name, words in VERBS.items()}
    print("\n".join(_table(taken)))
    return 1 if any(statistics.median(runs) > LIMIT_S for one in taken.values() for runs in one.values()) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.growth", description=__doc__)
    parser.add_argument("--counts", type=int, nargs="+", default=[100, 500], help="how many workspaces (default 100 500)")
    parser.add_argument("--runs", type=int, default=5, help="runs of each verb (default 5)")
    parser.add_argument("--cache", type=Path, default=Path(".cache/bench/kept"), help="the engine's programs, kept")
    return parser.parse_args()


def _seconds(engine: PrivateEngine, project: str, words: Sequence[str], runs: int) -> list[float]:
    environ = {name: value for name, value in engine.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    found = []
    for number in range(runs + 1):  # the first one warms caches of files up, and is not counted
        began = time.perf_counter()
        command = [sys.executable, "-m", "builder", "-C", project, *words]
        done = subprocess.run(command, capture_output=True, env=environ, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr.decode())
        if number:
            found.append(time.perf_counter() - began)
    return found


def _table(taken: Mapping[int, Mapping[str, Sequence[float]]]) -> Iterator[str]:
    counts = sorted(taken)
    yield "workspaces  " + "  ".join(f"{count:>16}" for count in counts) + "   ms for one more"
    for name in VERBS:
        medians = [statistics.median(taken[count][name]) for count in counts]
        runs = [taken[count][name] for count in counts]
        cells = [f"{statistics.median(one):.2f} ({min(one):.2f}-{max(one):.2f})" for one in runs]
        each = (medians[-1] - medians[0]) / (counts[-1] - counts[0]) * 1000 if len(counts) > 1 else 0.0
        yield f"{name:<10}  " + "  ".join(f"{cell:>16}" for cell in cells) + f"   {each:15.2f}"


# --- images that look like wsb's, in the format of `docker save` ------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Made:
    """An image: its name or "", its layers from the lowest up, each known by a word of its own, and its labels."""

    tag: str
    layers: tuple[str, ...]
    labels: Mapping[str, str]

    @property
    def tags(self) -> tuple[str, ...]:
        return (self.tag,) if self.tag else ()


def made_by_wsb(numbers: Sequence[int]) -> Iterator[Made]:
    """The shared images, and the workspaces of these numbers on them."""
    base = ("base",)
    suite = {"dev.wsb.suite": "bookworm"}
    yield Made(tag="wsb/base:bookworm", layers=base, labels=suite)
    for torch in TORCHES:
        yield Made(tag=f"wsb/torch:{torch}-py3.11-venv-0", layers=_torch(torch), labels=suite)
    for number in numbers:
        torch, name = TORCHES[number % len(TORCHES)], f"{PREFIX}{number:04}"
        version, _, variant = torch.partition("-")
        labels = {
            "env": name,
            "torch": f"{version}+{variant}",
            "python": "3.11",
            "manager": "venv",
            "base": "wsb/base:bookworm",
        }
        digest = {"dev.wsb.plan.digest": f"sha256:{_sha256(name.encode())}"}
        own = tuple(f"{name}/{step}" for step in ("packages", "user", "self"))
        all_labels = {**suite, **digest, **{f"dev.wsb.{key}": value for key, value in labels.items()}}
        yield Made(tag=f"{name}:latest", layers=(*_torch(torch), *own), labels=all_labels)
        if number % OLD_EVERY == 0:
            yield Made(tag="", layers=(*_torch(torch), f"{name}/before"), labels=all_labels)


def _torch(name: str) -> tuple[str, ...]:
    return ("base", "packages of the system", "python", f"torch {name}")


def fill(engine: PrivateEngine, numbers: Sequence[int]) -> None:
    """Put them on the engine, in one stream."""
    client = DockerEngine.connect(engine.environ)
    try:
        with tempfile.TemporaryFile() as stream:
            write_archive(stream, made_by_wsb(numbers))
            stream.seek(0)
            client.load(stream, lambda _: None)
    finally:
        client.close()


def write_archive(stream: IO[bytes], made: Iterator[Made]) -> None:
    """What `docker load` reads. A layer that several images have is written once."""
    manifest = []
    with tarfile.open(fileobj=stream, mode="w") as archive:
        written: set[str] = set()
        for image in made:
            for layer in image.layers:
                if layer not in written:
                    _add(archive, _file(layer), _layer(layer))
                    written.add(layer)
            config = _config(image)
            name = f"{_sha256(config)}.json"
            _add(archive, name, config)
            manifest.append({"Config": name, "RepoTags": image.tags, "Layers": [_file(layer) for layer in image.layers]})
        _add(archive, "manifest.json", json.dumps(manifest).encode())


def _config(image: Made) -> bytes:
    return json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "created": "2026-01-01T00:00:00Z",
            "config": {"Labels": dict(image.labels), "Env": ["PATH=/opt/wsb/bin:/usr/bin:/bin"], "User": "dev"},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{_sha256(_layer(layer))}" for layer in image.layers]},
            "history": [{"created": "2026-01-01T00:00:00Z", "created_by": layer} for layer in image.layers],
        }
    ).encode()


def _file(layer: str) -> str:
    return f"{_sha256(layer.encode())}/layer.tar"


def _layer(word: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        _add(archive, f"layer/{_sha256(word.encode())}", word.encode())
    return out.getvalue()


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
