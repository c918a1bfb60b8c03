"""`make bench`: the same project built by wsb, by three hand-written Dockerfiles and by envd, on an engine of its own.

One run, one machine, one base, one index of packages; every cold build starts from an engine that holds nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from builder.render.names import UV_VERSION
from tests.bench import measures, report
from tests.bench.builders import REPOSITORY, Builder, BuildError, Envd, Handwritten, Place, Wsb, find_envd
from tests.bench.projects import ADDED, OTHERS, make_index
from tests.support.http_server import serve
from tests.support.private_engine import PrivateEngine, private_engine
from tests.support.registry import running_registry

# envd installs into the base's own Python, which Debian marks as not to be touched.
PYTHON_OF_ITS_OWN = (
    "apt-get update -q && apt-get install -y -q --no-install-recommends bash ca-certificates curl git procps"
    " python3.11 python3.11-venv python3-pip python-is-python3 && rm /usr/lib/python3.11/EXTERNALLY-MANAGED"
)


def main() -> int:
    options = _options()
    cache = options.cache
    cache.mkdir(parents=True, exist_ok=True)
    kind = measures.Kind(accelerator=options.torch, pushes=options.push)
    index_folder = make_index(cache / f"index-{options.torch}", UV_VERSION, options.torch)
    with private_engine(cache) as engine, running_registry() as registry, _bases(engine, options.base, registry) as bases:
        gateway = _gateway(engine)
        with serve(index_folder, host=gateway) as index:
            scratch = options.out / "scratch"
            scratch.mkdir(parents=True, exist_ok=True)
            place = Place(environ=engine.environ, index=index, bases=bases, uv=UV_VERSION, scratch=scratch)
            taken = {}
            for builder in _builders(options.builders, scratch):
                say(f"{builder.name}: {options.runs} runs")
                try:
                    taken[builder.name] = measures.measure(builder, place, registry, options.runs, kind)
                except BuildError as error:
                    say(f"{builder.name} did not build and is left out: {error}")
            facts = _facts(engine)
    starts = measures.start_up(REPOSITORY / "examples" / "digits")
    if "wsb" not in taken:
        return 1
    wheels = report.WheelBytes(added=_bytes(index_folder, [ADDED]), second=_bytes(index_folder, OTHERS))
    text = "\n".join((report.table(taken), report.start_table(starts), report.goals(taken, starts, wheels)))
    (options.out / "bench.md").write_text(text)
    (options.out / "bench.json").write_text(json.dumps(report.as_json(taken, starts, facts), indent=1) + "\n")
    has_plot = report.plot(taken, options.out / "bench.png")
    print(text)
    say(
        f"written: {options.out}/bench.md, bench.json"
        + (", bench.png" if has_plot else " (no picture: pip install matplotlib)")
    )
    return 0


def _bytes(index: Path, names: Iterable[str]) -> int:
    """Of the wheels of these packages."""
    return sum(wheel.stat().st_size for name in names for wheel in (index / name).iterdir())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="cold builds of each builder (default 3)")
    parser.add_argument("--builders", default="naive,good,best,wsb,envd", help="which, separated by commas")
    parser.add_argument("--torch", choices=("cpu", "cuda"), default="cpu", help="cuda: 3 GB from PyPI (default cpu)")
    parser.add_argument("--no-push", dest="push", action="store_false", help="leave the pushes out: gzip takes minutes")
    parser.add_argument("--base", default="wsb/base:bookworm", help="a Debian bookworm image on the usual engine")
    parser.add_argument("--out", type=Path, default=Path(".cache/bench"), help="where table, figures and picture go")
    parser.add_argument("--cache", type=Path, default=Path(".cache/bench/kept"), help="wheels and engine, kept between runs")
    options = parser.parse_args()
    options.out, options.cache = options.out.resolve(), options.cache.resolve()
    return options


def _builders(names: str, scratch: Path) -> Iterator[Builder]:
    for name in names.split(","):
        if name == "wsb":
            yield Wsb()
        elif name == "envd":
            program = find_envd(scratch)
            if program is None:
                say("envd is not to be had from the package index here, and is left out")
            else:
                yield Envd(program)
        elif name == "uncached":
            yield Handwritten(name, "best", {"TORCH_BY": "--no-cache"})
        else:
            yield Handwritten(name, name)


@contextmanager
def _bases(engine: PrivateEngine, image: str, registry: str) -> Iterator[tuple[str, str]]:
    """(the base of everybody, envd's with Python in it), both on the private engine; envd pulls its own from the registry."""
    with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saved:
        subprocess.run(
            ["docker", "load", "--quiet"], stdin=saved.stdout, env=dict(engine.environ), check=True, stdout=sys.stderr
        )
    base, with_python = f"{registry}/base:1", f"{registry}/base-python:1"
    for name, steps in ((base, ""), (with_python, f"RUN {PYTHON_OF_ITS_OWN}\n")):
        dockerfile = f"FROM {image}\nLABEL dev.wsb.suite=bookworm\n{steps}"
        command = ["docker", "build", "--quiet", "--tag", name, "-"]
        environ = {**engine.environ, "DOCKER_BUILDKIT": "1"}
        subprocess.run(command, input=dockerfile.encode(), env=environ, check=True, stdout=sys.stderr)
        subprocess.run(["docker", "push", "--quiet", name], env=environ, check=True, stdout=sys.stderr)
    yield base, with_python


def _gateway(engine: PrivateEngine) -> str:
    """The engine's bridge as containers see this machine."""
    command = ["docker", "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"]
    return subprocess.run(command, env=dict(engine.environ), check=True, capture_output=True, text=True).stdout.strip()


def _facts(engine: PrivateEngine) -> dict[str, str]:
    return {
        "machine": platform.machine(),
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
        "engine": engine.host,
    }


def say(text: str) -> None:
    print(f"== {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
