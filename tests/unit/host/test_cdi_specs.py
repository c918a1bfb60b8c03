"""What the spec folders of a local engine hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from builder.host.engine import spec_devices, with_cdi_devices
from builder.model.engine import EngineInfo
from tests.support.private_engine import mock_spec

YAML = """\
cdiVersion: 0.5.0
kind: nvidia.com/gpu
devices:
  - name: "0"
    containerEdits: {deviceNodes: [{path: /dev/nvidia0}]}
  - name: all
"""


def info(**more: Any) -> EngineInfo:
    return EngineInfo(**{"kind": "docker", "version": "26.1.5", "api_version": "1.45", "os": "linux", "arch": "amd64", **more})


def specs(root: Path, **files: str) -> Path:
    folder = root / "etc/cdi"
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    return folder


def test_yaml_and_json_are_read(tmp_path: Path) -> None:
    folder = specs(tmp_path, nvidia_yaml=YAML, other_json=json.dumps(mock_spec("wsb.test/gpu", ["0"])))
    assert spec_devices([folder]) == ("nvidia.com/gpu=0", "nvidia.com/gpu=all", "wsb.test/gpu=0")


@pytest.mark.parametrize("text", ["", "{", "- a\n", "kind: 3\ndevices: 7\n", "kind: a/b\ndevices: [{}]\n", "\tx: 1\n"])
def test_a_damaged_spec_holds_no_device(tmp_path: Path, text: str) -> None:
    assert spec_devices([specs(tmp_path, bad_yaml=text), tmp_path / "nowhere"]) == ()


def test_a_name_that_two_specs_claim_is_neithers(tmp_path: Path) -> None:
    folder = specs(tmp_path, a_yaml=YAML, b_json=json.dumps(mock_spec("nvidia.com/gpu", ["0"])))
    assert spec_devices([folder]) == ("nvidia.com/gpu=all",)


def test_an_engine_that_tells_its_folders_gets_what_they_hold(tmp_path: Path) -> None:
    specs(tmp_path, nvidia_yaml=YAML)
    assert with_cdi_devices(info(cdi_spec_dirs=("/etc/cdi",)), tmp_path).cdi_devices == (
        "nvidia.com/gpu=0",
        "nvidia.com/gpu=all",
    )


@pytest.mark.parametrize(
    ("engine", "is_read"),
    [
        (info(), False),  # CDI is switched off in it
        (info(version="29.1.0"), True),  # was seen to tell nothing
        (info(kind="podman", version="5.4.0"), True),
        (info(version="29.1.0", is_remote=True), False),
        (info(version="29.1.0", is_desktop=True), False),
    ],
)
def test_the_usual_folders_are_read_where_they_are_this_engines(tmp_path: Path, engine: EngineInfo, is_read: bool) -> None:
    specs(tmp_path, nvidia_yaml=YAML)
    assert bool(with_cdi_devices(engine, tmp_path).cdi_devices) is is_read
