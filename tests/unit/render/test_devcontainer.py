"""The dev container files, for every way a GPU is handed in, every manager and every choice of IDEs."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from builder import assets
from builder.catalog import load
from builder.config import read_spec
from builder.model.host import Host
from builder.model.plan import Plan
from builder.model.project import EMPTY_PROJECT
from builder.model.values import Ide, Manager, Passthrough
from builder.render.devcontainer import devcontainer_files, devcontainer_metadata, mount
from builder.resolve import resolve
from tests.support.specs import NO_GPU, host

SCHEMA = json.loads((Path(__file__).parents[2] / "data" / "devcontainer.schema.json").read_text())
PARTS = assets.devcontainer_parts()
RTX_3090 = host(("NVIDIA GeForce RTX 3090", "8.6"), driver="550.54.15")
IDES = [ides for count in range(len(Ide) + 1) for ides in itertools.combinations(Ide, count)]
GPU_WORDS = ("--gpus", "--device", "--runtime")


def plan(text: str = "name: one\ntorch: '2.6'\npython: '3.11'\n", on: Host = NO_GPU) -> Plan:
    return resolve(read_spec(text, "wsb.yaml"), EMPTY_PROJECT, load(), on)


def files(a_plan: Plan) -> dict[str, dict[str, Any]]:
    return devcontainer_files(a_plan, PARTS)


@pytest.mark.parametrize("passthrough", Passthrough)
@pytest.mark.parametrize("manager", Manager)
@pytest.mark.parametrize("ides", IDES, ids=lambda ides: "+".join(ides) or "none")
def test_every_file_keeps_to_the_schema(passthrough: Passthrough, manager: Manager, ides: tuple[Ide, ...]) -> None:
    a_plan = replace(plan(), passthrough=passthrough, manager=manager, ide=ides)
    validator = Draft202012Validator(SCHEMA)
    for path, document in files(a_plan).items():
        assert not list(validator.iter_errors(document)), path
        words = document["runArgs"]
        assert not ("hostRequirements" in document and any(word.startswith(GPU_WORDS) for word in words)), path
        assert all(" " not in word for word in words), "each token stands by itself"
        assert document["remoteUser"] in ("dev", "root")
        assert (document["workspaceFolder"], document["workspaceMount"].count("target=/workspace")) == ("/workspace", 1)
        assert words[words.index("--shm-size") + 1] == "8g"
        assert ("vscode" in document.get("customizations", {})) == (Ide.VSCODE in ides)
        assert ("jetbrains" in document.get("customizations", {})) == (Ide.PYCHARM in ides)


@pytest.mark.parametrize("manager", Manager)
@pytest.mark.parametrize("ides", IDES, ids=lambda ides: "+".join(ides) or "none")
def test_the_image_carries_only_what_a_label_may_hold(manager: Manager, ides: tuple[Ide, ...]) -> None:
    allowed = set(SCHEMA["$defs"]["metadata"]["properties"])
    metadata = {"$ref": "#/$defs/metadata", "unevaluatedProperties": False, "$defs": SCHEMA["$defs"]}
    for entry in devcontainer_metadata(replace(plan(), manager=manager, ide=ides), PARTS):
        Draft202012Validator(metadata).validate(entry)
        assert set(entry) <= allowed
        # a command in both the label and the file would run twice
        assert not any(key.endswith("Command") for key in entry)
        assert "hostRequirements" not in entry


def test_the_schema_of_these_tests_refuses_what_is_wrong() -> None:
    good = files(plan())[".devcontainer/devcontainer.json"]
    validator = Draft202012Validator(SCHEMA)
    for wrong in (
        {"runArgs": "--gpus all"},
        {"foo": 1},
        {"hostRequirements": {"gpu": "sometimes"}},
        {"hostRequirements": {"memory": "8GB"}},
        {"build": {"dockerfile": "Dockerfile"}},
        {"userEnvProbe": "never"},
        {"mounts": [{"type": "tmpfs", "target": "/x"}]},
    ):
        assert list(validator.iter_errors({**good, **wrong})), wrong


@pytest.mark.parametrize(
    ("passthrough", "words"),
    [
        (Passthrough.GPUS, ["--gpus", "all"]),
        (Passthrough.CDI, ["--device", "nvidia.com/gpu=all"]),
        (Passthrough.RUNTIME, ["--runtime", "nvidia"]),
        (Passthrough.ROCM, ["--device", "/dev/kfd"]),
        (Passthrough.XPU, ["--device", "/dev/dri"]),
    ],
)
def test_the_gpu_file_says_how_the_gpu_is_handed_in_and_the_others_do_not(passthrough: Passthrough, words: list[str]) -> None:
    found = files(replace(plan(), passthrough=passthrough))
    assert f"{json.dumps(words)[1:-1]}" in json.dumps(found[".devcontainer/gpu/devcontainer.json"]["runArgs"])
    for path in (".devcontainer/devcontainer.json", ".devcontainer/cpu/devcontainer.json"):
        assert not any(word.startswith(GPU_WORDS) for word in found[path]["runArgs"])
    assert "hostRequirements" not in found[".devcontainer/cpu/devcontainer.json"]


def test_the_usual_file_takes_a_gpu_where_there_is_one_and_asks_for_none_otherwise() -> None:
    usual = ".devcontainer/devcontainer.json"
    assert files(plan(on=RTX_3090))[usual]["hostRequirements"] == {"gpu": "optional"}
    assert "hostRequirements" not in files(plan())[usual]  # a CPU build has no use for one, and Podman stops at it


def test_an_amd_gpu_is_named_as_amds_where_specs_name_it() -> None:
    a_plan = replace(plan("name: one\ntorch: '2.6'\naccelerator: rocm\n"), passthrough=Passthrough.CDI)
    found = files(a_plan)
    assert "amd.com/gpu=all" in found[".devcontainer/gpu/devcontainer.json"]["runArgs"]
    assert "hostRequirements" not in found[".devcontainer/devcontainer.json"]  # which only finds NVIDIA's


def test_a_plan_without_a_gpu_has_no_gpu_file() -> None:
    assert ".devcontainer/gpu/devcontainer.json" not in files(plan())


def test_a_cuda_build_for_a_machine_nobody_described_has_one() -> None:
    a_plan = plan("name: one\ntorch: '2.6'\naccelerator: cuda\n")
    assert "--gpus" in files(replace(a_plan, passthrough=Passthrough.NONE))[".devcontainer/gpu/devcontainer.json"]["runArgs"]


def test_the_users_own_run_settings_arrive() -> None:
    a_plan = plan("name: one\nrun: {shm_size: 2g, ports: [8888, 7860], mounts: ['data:/data:ro', '~/w:/w'], env: {A: 'b c'}}\n")
    document = files(a_plan)[".devcontainer/devcontainer.json"]
    assert document["mounts"] == [
        "source=${localWorkspaceFolder}/data,target=/data,type=bind,readonly",
        "source=${localEnv:HOME}/w,target=/w,type=bind",
    ]
    assert document["forwardPorts"] == [7860, 8888, 6006]
    assert document["containerEnv"]["A"] == "b c"
    assert document["runArgs"][document["runArgs"].index("--shm-size") + 1] == "2g"


def test_an_absolute_mount_stays_absolute() -> None:
    assert mount("/srv/x:/x") == "source=/srv/x,target=/x,type=bind"


def test_the_interpreter_is_a_literal_path_of_the_plans_environment() -> None:
    for manager, path in ((Manager.VENV, "/opt/venv/one/bin/python"), (Manager.MINIFORGE, "/opt/conda/envs/one/bin/python")):
        document = files(replace(plan(), manager=manager))[".devcontainer/devcontainer.json"]
        settings = document["customizations"]["vscode"]["settings"]
        assert settings["python.defaultInterpreterPath"] == path
        assert settings["python.testing.pytestEnabled"] is True
        assert ("python.condaPath" in settings) == (manager is Manager.MINIFORGE)


def test_an_image_nobody_built_is_built_and_never_pulled() -> None:
    assert files(plan())[".devcontainer/devcontainer.json"]["initializeCommand"] == (
        "wsb build --if-needed || docker image inspect --format built one:latest || docker build --tag one:latest ."
    )


def test_root_is_root_inside_with_the_gpu_of_the_plan() -> None:
    document = files(plan(on=RTX_3090))[".devcontainer/root/devcontainer.json"]
    assert (document["remoteUser"], document["containerUser"], document["updateRemoteUserUID"]) == ("root", "root", False)
    assert "--gpus" in document["runArgs"]
