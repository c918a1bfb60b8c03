"""`python -m tests.support.many_plans 10000 [SEED]`: random projects on random machines through `wsb plan --json --host`.

Each must end with a plan or with an error of ours (exit 2 or 3) and one JSON document; whatever else happens is printed
with the files that caused it, and the exit code is 1. The last lines tell the processor time of a plan, import excluded.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from builder.catalog import load
from tests.support.cases import Asked

CATALOG = load()
VERSIONS = [str(release.version) for release in CATALOG.releases]
VARIANTS = sorted({build.variant.name for r in CATALOG.releases for build in CATALOG.builds(r, "linux_x86_64")})
CARDS = [gpu.name for gpu in CATALOG.gpus]
OTHER_CARDS = [
    "AMD Instinct MI300X",
    "AMD Radeon RX 7900 XTX",
    "Intel Arc A770",
    "Apple M3 Max",
    "NVIDIA RTX 9990",
    "A100 MIG 1g.5gb",
]
DRIVERS = [str(toolkit.linux) for toolkit in CATALOG.toolkits] + ["450.80.02", "525.60.13", "560.94", "304.1", "999"]
REQUESTS = [
    "latest",
    "2",
    "1.13",
    ">=2,<2.9",
    "~=2.1",
    "2.17",
    "0.4",
    "none",
    "2.*",
    "!=2.6.0",
    ">=2.4,!=2.15.0",
    "2.6.0+cu126",
]
PIP = [*(row["package"] for row in CATALOG.tables.rows("ecosystem")), "numpy", "torchvision", "torchaudio", "einops", "triton"]
CONDA = [
    "cudatoolkit=11.3",
    "pytorch-cuda=11.8",
    "cpuonly",
    "cuda90",
    "torchvision",
    "ffmpeg",
    "pyg",
    "r-base",
    "mkl",
    "numpy=1.21.2=py38h",
]
LINES = [
    "--index-url https://download.pytorch.org/whl/cu118",
    "-f https://download.pytorch.org/whl/torch_stable.html",
    "# nothing",
]
BASES = [
    "ubuntu:18.04",
    "ubuntu:24.04",
    "python:3.11-slim",
    "alpine",
    "nvidia/cuda:12.4.1-devel-ubuntu22.04",
    "x/y:z",
    {"bootstrap": "bookworm"},
]


def question(rng: random.Random) -> Asked:
    """A project and a machine."""
    files = {"host.json": json.dumps(_host(rng))}
    settings: dict[str, Any] = {"name": "many"}
    _maybe(rng, settings, "torch", [*VERSIONS, *REQUESTS])
    _maybe(rng, settings, "python", [f"3.{minor}" for minor in range(5, 16)] + [">=3.8", "3.8.5", "3.10.*", "<3.12"])
    _maybe(rng, settings, "accelerator", ["auto", "cpu", "cuda", "rocm", "xpu", "12.6", "11.8", *VARIANTS])
    _maybe(rng, settings, "manager", ["miniconda", "miniforge", "micromamba", "venv"])
    if rng.random() < 0.2:
        settings["base"] = rng.choice(BASES)
    if rng.random() < 0.4:
        settings["requirements"] = ["requirements.txt"]
        files["requirements.txt"] = "\n".join(_pip(rng) for _ in range(rng.randint(1, 5)))
    if rng.random() < 0.3:
        settings["environment"] = "environment.yml"
        python = [f"python=3.{rng.randint(6, 13)}"] if rng.random() < 0.7 else []
        torch = [f"pytorch={rng.choice(VERSIONS)}"] if rng.random() < 0.8 else ["pytorch"]
        lines = [*python, *torch, *rng.sample(CONDA, rng.randint(0, 4)), {"pip": [_pip(rng)]}]
        channels = rng.sample(["pytorch", "nvidia", "conda-forge", "defaults"], rng.randint(0, 3))
        files["environment.yml"] = yaml.safe_dump({"name": "x", "channels": channels, "dependencies": lines})
    files["wsb.yaml"] = yaml.safe_dump(settings)
    return Asked(("plan", "--host", "{dir}/host.json"), files)


def _maybe(rng: random.Random, settings: dict[str, Any], key: str, values: list[str]) -> None:
    if rng.random() < 0.5:
        settings[key] = rng.choice(values)


def _pip(rng: random.Random) -> str:
    if rng.random() < 0.2:
        return rng.choice(LINES)
    name = rng.choice([*PIP, "torch", "torch"])
    versions = VERSIONS if name == "torch" else ["1.0", "2.1.0", "0.15.2", "0.0.22"]
    return name if rng.random() < 0.5 else f"{name}{rng.choice(['==', '>=', '<', '~='])}{rng.choice(versions)}"


def _host(rng: random.Random) -> dict[str, Any]:
    host: dict[str, Any] = {
        "schema": "wsb.host/1",
        "os": rng.choice(["linux", "linux", "linux", "windows", "macos"]),
        "arch": rng.choice(["x86_64", "x86_64", "x86_64", "aarch64"]),
    }
    if rng.random() < 0.9:
        host["driver"] = rng.choice([*DRIVERS, None])
    if rng.random() < 0.9:
        names = rng.choices([*CARDS, *OTHER_CARDS], k=rng.choice([0, 1, 1, 1, 2, 3]))
        host["gpus"] = [{"name": name} for name in names]
    return host


def main(count: int, seed: int) -> int:
    rng = random.Random(seed)
    ended: Counter[str] = Counter()
    times: list[float] = []
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            asked = question(rng)
            began = time.process_time()
            try:
                code, document = asked.answer(Path(folder))
            except Exception as error:  # whatever it is, it is what this program is there to find
                code, document = 70, {"schema": "?", "code": repr(error)}
            times.append((time.process_time() - began) * 1000)
            ended["planned" if code == 0 else f"{code} {document.get('code')}"] += 1
            if code not in (0, 2, 3):
                failures += 1
                print(f"number {number}, exit code {code}: {document}\n{dict(asked.files)}", file=sys.stderr)
    times.sort()
    for what, times_seen in ended.most_common():
        print(f"{times_seen:6d}  {what}")
    middle, slow = statistics.median(times), times[int(len(times) * 0.99)]
    print(f"{count} questions, {failures} failures")
    print(f"milliseconds of processor time each: median {middle:.1f}, 99 of 100 under {slow:.1f}, longest {times[-1]:.1f}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000, int(sys.argv[2]) if len(sys.argv) > 2 else 0))
