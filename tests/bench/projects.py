"""The projects that are built, and the package index they are built from: wheels in a folder, served on the engine's bridge."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

TORCH = "2.13.0"
PATCHED = "2.14.0"  # the same wheel under the next release's version: what a changed torch costs, and nothing else
REQUIREMENTS = ("numpy", "pandas", "scikit-learn", "tqdm")
ADDED = "einops"
OTHERS = ("numpy", "tqdm", "pyyaml", "pillow")


@dataclass(frozen=True, kw_only=True)
class Project:
    """What a project asks for. accelerator: cpu or cuda. code: something in its train.py, to change it."""

    name: str
    accelerator: str
    torch: str = TORCH
    requirements: tuple[str, ...] = REQUIREMENTS
    code: str = "1"

    def write(self, folder: Path, index: str, base: str) -> Path:
        """The project as files: the same folder serves every builder."""
        folder.mkdir(parents=True, exist_ok=True)
        wanted = [f"torch=={self.torch}", *self.requirements]
        files = {
            "train.py": f"import torch\n\nprint(torch.ones(3).sum().item() + {self.code})\n",
            "requirements.txt": "".join(f"{line}\n" for line in wanted),
            "torch.txt": f"torch=={self.torch}\n",
            ".dockerignore": "*.Dockerfile\nbuild.envd\nwsb.yaml\n",
            "wsb.yaml": f"name: {self.name}\ntorch: '{self.torch}'\naccelerator: {self.accelerator}\n"
            f"manager: venv\npython: '3.11'\nbase: {base}\nide: []\nrequirements: [requirements.txt]\n"
            f"sources: {{pip: '{index}', torch: '{index}'}}\n",
        }
        for path, text in files.items():
            place = folder / path
            if not place.is_file() or place.read_text() != text:
                place.write_text(text)
        return folder

    def changed_code(self) -> Project:
        return replace(self, code=self.code + "1")

    def with_package(self) -> Project:
        return replace(self, requirements=(*self.requirements, ADDED))

    def with_patched_torch(self) -> Project:
        return replace(self, torch=PATCHED)


def make_index(folder: Path, uv: str, accelerator: str) -> Path:
    """A simple index of every wheel the projects need, by pip from wherever it is configured to look; kept in folder.

    accelerator: cpu takes the wheel of that name; cuda the one without a name, which PyPI serves, with CUDA's own (3 GB).
    """
    downloads, simple = folder / "wheels", folder / "simple"
    marker = folder / "complete"
    torch = {"cpu": f"torch=={TORCH}+cpu", "cuda": f"torch==={TORCH}"}[accelerator]
    wanted = [torch, *REQUIREMENTS, *OTHERS, ADDED, f"uv=={uv}"]
    key = "\n".join(wanted)
    if marker.is_file() and marker.read_text() == key:
        return simple
    shutil.rmtree(folder, ignore_errors=True)
    downloads.mkdir(parents=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:", "--dest", str(downloads)]
    command += ["--python-version", "3.11", "--platform", "manylinux2014_x86_64"]
    command += [word for glibc in range(18, 29) for word in ("--platform", f"manylinux_2_{glibc}_x86_64")]
    done = subprocess.run([*command, *wanted], check=False, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    for wheel in downloads.glob("torch-*.whl"):
        _under_another_version(wheel, PATCHED)
    for wheel in sorted(downloads.iterdir()):
        place = simple / re.sub(r"[-_.]+", "-", wheel.name.split("-")[0]).lower() / wheel.name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.hardlink_to(wheel)
    marker.write_text(key)
    return simple


def _under_another_version(wheel: Path, version: str) -> None:
    """A copy of the wheel that calls itself by another version, and holds one file more."""
    name, old, *tags = wheel.name.split("-")
    new = version + ("+cpu" if "+cpu" in old else "")
    record: list[str] = []
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(wheel.with_name("-".join([name, new, *tags])), "w") as target:
        for entry in source.infolist():
            if entry.filename.endswith(".dist-info/RECORD"):
                continue
            content = source.read(entry)
            if entry.filename.endswith((".dist-info/METADATA", "torch/version.py")):
                content = content.replace(old.encode(), new.encode())
            path = entry.filename.replace(f"{name}-{old}.dist-info", f"{name}-{new}.dist-info")
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            record.append(f"{path},sha256={digest},{len(content)}")
            target.writestr(path, content, entry.compress_type, 1)
        listed = f"{name}-{new}.dist-info/RECORD"
        target.writestr(listed, "".join(f"{line}\n" for line in [*record, f"{listed},,"]), zipfile.ZIP_DEFLATED)
