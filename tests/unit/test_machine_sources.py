"""This machine's own mirrors: used where a project is silent, and told nobody."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from builder import pipeline
from builder.errors import Problems, WsbError
from builder.grounding import mirrored
from builder.model.plan import Plan
from builder.render.files import apt_root
from tests.unit.lock.locks import WSB_YAML, plan

MIRROR = "https://mirror.lab.example/simple"


def local(tmp_path: Path, text: str, made: Plan) -> Plan:
    config = tmp_path / "config.yaml"
    config.write_text(text)
    return pipeline.with_local_sources(made, {"WSB_CONFIG": str(config)})


def test_they_are_used_and_stand_in_no_document(tmp_path: Path) -> None:
    made = plan()
    used = local(tmp_path, f"sources: {{pip: '{MIRROR}', apt: 'https://mirror.lab.example/debian/'}}\n", made)
    files = pipeline.render(used)
    env = files[".wsb/network/env"].decode()
    assert f"export UV_DEFAULT_INDEX={MIRROR}" in env
    assert "export WSB_APT_MIRROR=https://mirror.lab.example\n" in env
    assert used.digest == made.digest
    assert "mirror.lab" not in json.dumps(pipeline.document(used))
    assert "mirror.lab" not in files["Dockerfile"].decode()
    assert b"mirror.lab" not in files[".wsb/image/plan.json"]


def test_what_the_project_says_goes_before_them(tmp_path: Path) -> None:
    made = plan(WSB_YAML + "sources: {pip: 'https://project.example/simple'}\n")
    env = pipeline.render(local(tmp_path, f"sources: {{pip: '{MIRROR}'}}\n", made))[".wsb/network/env"].decode()
    assert "https://project.example/simple" in env
    assert MIRROR not in env


def test_a_preset_may_stand_there_too(tmp_path: Path) -> None:
    used = local(tmp_path, "sources: tuna\n", plan())
    assert used.sources.used.pip == "https://pypi.tuna.tsinghua.edu.cn/simple"


def test_the_index_of_torch_is_the_one_of_the_build(tmp_path: Path) -> None:
    made = plan("name: one\ntorch: '2.6'\n")
    assert made.torch is not None
    used = local(tmp_path, "sources: {torch: 'https://mirror.lab.example/pytorch/whl'}\n", made)
    assert used.sources.used.torch == f"https://mirror.lab.example/pytorch/whl/{made.torch.variant}"
    env = pipeline.render(used)[".wsb/network/env"].decode()
    assert f"WSB_TORCH_INDEX=https://mirror.lab.example/pytorch/whl/{made.torch.variant}" in env


def test_a_mirror_of_minicondas_folder_changes_no_line_of_the_dockerfile(tmp_path: Path) -> None:
    made = plan("name: one\ntorch: none\nmanager: miniconda\n")
    used = local(tmp_path, "sources: {miniconda: 'https://mirror.lab.example/miniconda'}\n", made)
    assert pipeline.render(used)["Dockerfile"] == pipeline.render(made)["Dockerfile"]
    assert (
        "WSB_INSTALLER_URL=https://mirror.lab.example/miniconda/Miniconda3-"
        in pipeline.render(used)[".wsb/network/env"].decode()
    )


def test_no_file_means_the_usual_places(tmp_path: Path) -> None:
    assert pipeline.machine_sources({"WSB_CONFIG": str(tmp_path / "nothing")}) == {}


@pytest.mark.parametrize(
    ("text", "code"), [("name: x\n", "unknown-key"), ("sources: tunna\n", "bad-value"), ("a: b\n", "unknown-key")]
)
def test_a_mistake_in_it_is_said_with_its_file(text: str, code: str, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(text)
    with pytest.raises((WsbError, Problems)) as caught:
        pipeline.machine_sources({"WSB_CONFIG": str(config)})
    first = caught.value.errors[0] if isinstance(caught.value, Problems) else caught.value
    assert first.code in (code, "duplicate-key")
    assert first.where is not None
    assert str(config) in first.where.file


def test_a_mirror_of_docker_hub_is_asked_for_its_images_only() -> None:
    assert mirrored("debian:bookworm-slim", "registry.lab.example") == "registry.lab.example/library/debian:bookworm-slim"
    assert (
        mirrored("nvidia/cuda:12.6.3-devel", "registry.lab.example/hub") == "registry.lab.example/hub/nvidia/cuda:12.6.3-devel"
    )
    assert mirrored("ghcr.io/lab/base:1", "registry.lab.example") == "ghcr.io/lab/base:1"
    assert mirrored("wsb/base:bookworm", "registry.lab.example") == "wsb/base:bookworm"
    assert mirrored("debian:bookworm-slim", None) == "debian:bookworm-slim"


@pytest.mark.parametrize(
    "written", ["https://m.example", "https://m.example/", "https://m.example/debian", "https://m.example/ubuntu/"]
)
def test_a_mirror_of_apt_may_be_named_with_or_without_the_distribution(written: str) -> None:
    assert apt_root(written) == "https://m.example"


def test_a_plan_without_settings_renders_as_before() -> None:
    made = plan()
    assert pipeline.render(replace(made, sources=replace(made.sources, of_machine=()))).digest == pipeline.render(made).digest
