"""What holds for every plan, over the whole tables and many machines."""

from __future__ import annotations

import dataclasses
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from packaging.version import Version

from builder.catalog import load
from builder.errors import Problems, WsbError
from builder.model.host import Gpu, Host
from builder.model.plan import Plan
from builder.model.project import EMPTY_PROJECT
from builder.model.values import ComputeCapability, DriverVersion, Unknown
from builder.resolve import plan_json, resolve
from tests.support.specs import project, spec

CATALOG = load()
CAPABILITIES = sorted({gpu.compute_capability for gpu in CATALOG.gpus if not gpu.is_integrated})
DRIVERS = sorted({toolkit.linux for toolkit in CATALOG.toolkits})
PYTHONS = [f"3.{minor}" for minor in range(6, 16)]
VERSIONS = [str(release.version) for release in CATALOG.releases]

drivers = st.sampled_from(DRIVERS)
cards = st.sampled_from(CAPABILITIES).map(lambda cc: Gpu(name=f"card of {cc}", compute_capability=cc))
machines = st.builds(
    Host,
    os=st.sampled_from(["linux", "windows", "macos"]),
    arch=st.sampled_from(["x86_64", "aarch64"]),
    driver=st.one_of(st.none(), drivers, st.just(Unknown("nobody told"))),
    gpus=st.one_of(st.lists(cards, max_size=3).map(tuple), st.just(Unknown("nobody told"))),
)
gpu_machines = st.builds(
    Host,
    os=st.just("linux"),
    arch=st.sampled_from(["x86_64", "x86_64", "aarch64"]),
    driver=drivers,
    gpus=st.lists(cards, min_size=1, max_size=2).map(tuple),
)
requests = st.one_of(
    st.none(),
    st.sampled_from(VERSIONS),
    st.sampled_from(["latest", "2", "1.13", "2.6", ">=2,<2.9", ">=1.7", "2.17", "0.4", "none", "2.6.0+cu126", ">2.15"]),
)
specs = st.fixed_dictionaries(
    {},
    optional={
        "torch": requests.filter(lambda value: value is not None),
        "python": st.sampled_from([*PYTHONS, ">=3.8", "3.8.5"]),
        "accelerator": st.sampled_from(["auto", "cpu", "cuda", "rocm", "xpu", "12.6", "cu118", "cu132", "rocm7.2"]),
        "manager": st.sampled_from(["miniconda", "miniforge", "venv"]),
        "base": st.sampled_from(["ubuntu:18.04", "ubuntu:24.04", "nvidia/cuda:12.4.1-devel-ubuntu22.04", "alpine", "x/y:z"]),
        "pip": st.lists(
            st.sampled_from(
                [
                    "torchvision",
                    "torchaudio==2.6.0",
                    "xformers",
                    "flash-attn",
                    "numpy==2.1",
                    "torch-scatter",
                    "detectron2",
                    "triton==3.0",
                    "git+https://github.com/openai/CLIP.git",
                    "einops>=0.6",
                    "apex",
                    "deepspeed",
                    "mmcv==2.1.0",
                ]
            ),
            max_size=4,
            unique=True,
        ),
    },
)
projects = st.fixed_dictionaries(
    {},
    optional={
        "torch": st.sampled_from(["==1.13.1+cu117", ">=2", "==2.1.2", "==1.7.1"]),
        "torchvision": st.sampled_from(["==0.14.1", "", ">=0.15"]),
        "python": st.sampled_from(["=3.8", ">=3.9"]),
        "cuda": st.sampled_from(["11.8", "11.3", "9.0"]),
        "conda": st.lists(st.sampled_from(["ffmpeg", "pyg", "numpy=1.21", "r-base"]), max_size=2, unique=True),
        "channels": st.lists(st.sampled_from(["pytorch", "defaults", "conda-forge"]), max_size=2, unique=True),
    },
)


def plan_of(asked: dict[str, Any], there: Host, declared: dict[str, Any] | None = None) -> Plan | None:
    """The plan; None where it is refused, which must be with an error of ours."""
    try:
        return resolve(spec(**asked), project(**declared) if declared else EMPTY_PROJECT, CATALOG, there)
    except (WsbError, Problems) as error:
        refused = error
    assert refused.exit_code in (2, 3), refused
    assert str(refused)
    return None


@settings(max_examples=150, deadline=None)
@given(asked=specs, there=machines, declared=projects)
def test_every_question_gets_a_plan_or_an_error_of_ours(asked: Any, there: Host, declared: Any) -> None:
    plan = plan_of(asked, there, declared)
    if plan is not None:
        document = plan_json(plan)
        assert document["digest"].startswith("sha256:")
        assert all(decision["because"] for decision in document["decisions"])


@settings(max_examples=60, deadline=None)
@given(torch=requests, there=gpu_machines)
def test_a_plan_never_needs_a_newer_driver_than_the_host_has(torch: str | None, there: Host) -> None:
    plan = plan_of({"torch": torch}, there)
    assume(plan is not None and plan.torch is not None and plan.torch.variant.cuda is not None)
    assert plan is not None
    assert plan.torch is not None
    floor = CATALOG.driver_floor(plan.torch.variant, there.os)
    assert isinstance(there.driver, DriverVersion)
    assert floor is not None
    assert floor <= there.driver


@settings(max_examples=60, deadline=None)
@given(torch=requests, there=gpu_machines)
def test_a_plan_never_holds_code_the_gpu_cannot_run(torch: str | None, there: Host) -> None:
    assume(torch != "2.6.0+cu126")  # a named build may leave a card out, and says so
    plan = plan_of({"torch": torch}, there)
    assume(plan is not None and plan.torch is not None and plan.torch.variant.cuda is not None)
    assert plan is not None
    assert plan.torch is not None
    release = CATALOG.release(plan.torch.version) or CATALOG.extrapolated(Version(plan.torch.version))
    platform = "linux_aarch64" if there.arch == "aarch64" else "linux_x86_64"
    code = CATALOG.code(release.known_as, platform, plan.torch.variant)
    assert code is not None
    for gpu in there.gpus if not isinstance(there.gpus, Unknown) else ():
        assert gpu.compute_capability is not None
        assert CATALOG.runs(code, gpu.compute_capability, plan.torch.variant.cuda)


@settings(max_examples=60, deadline=None)
@given(asked=specs, there=machines)
def test_the_python_is_one_the_wheel_has_files_for(asked: Any, there: Host) -> None:
    plan = plan_of(asked, there)
    assume(plan is not None and plan.torch is not None)
    assert plan is not None
    assert plan.torch is not None
    release = CATALOG.release(plan.torch.version) or CATALOG.newest
    platform = "linux_aarch64" if there.arch == "aarch64" else "linux_x86_64"
    assert plan.python in release.python_of(platform)
    for package in plan.torch.install_companions:
        row = CATALOG.companion(package, getattr(plan.torch, package))
        assert row is None or row.has_python(platform, plan.python)


@settings(max_examples=60, deadline=None)
@given(first=drivers, second=drivers, there=gpu_machines, torch=st.sampled_from([None, ">=1.7", "2.6", "2"]))
def test_a_newer_driver_never_gives_an_older_torch(first: Any, second: Any, there: Host, torch: str | None) -> None:
    older, newer = sorted([first, second])
    before = plan_of({"torch": torch}, dataclasses.replace(there, driver=older))
    after = plan_of({"torch": torch}, dataclasses.replace(there, driver=newer))
    assume(before is not None)
    assert before is not None
    assert before.torch is not None
    assert after is not None
    assert after.torch is not None
    assert Version(after.torch.version) >= Version(before.torch.version)


@settings(max_examples=60, deadline=None)
@given(there=gpu_machines, more=cards, torch=st.sampled_from([None, ">=1.7", "2.6", "2.8"]))
def test_one_more_gpu_never_gives_a_newer_torch(there: Host, more: Gpu, torch: str | None) -> None:
    assert not isinstance(there.gpus, Unknown)
    with_more = plan_of({"torch": torch}, dataclasses.replace(there, gpus=(*there.gpus, more)))
    without = plan_of({"torch": torch}, there)
    assume(with_more is not None)
    assert with_more is not None
    assert with_more.torch is not None
    assert without is not None
    assert without.torch is not None
    assert Version(with_more.torch.version) <= Version(without.torch.version)


@settings(max_examples=50, deadline=None)
@given(asked=specs, there=machines, declared=projects)
def test_the_same_question_gets_the_same_digest_in_any_order(asked: Any, there: Host, declared: Any) -> None:
    plan = plan_of(asked, there, declared)
    assume(plan is not None)
    turned = {key: asked[key] if key != "pip" else asked[key][::-1] for key in reversed(list(asked))}
    cards = there.gpus if isinstance(there.gpus, Unknown) else there.gpus[::-1]
    again = plan_of(turned, dataclasses.replace(there, gpus=cards), declared)
    assert plan is not None
    assert again is not None
    assert again.digest == plan.digest


@settings(max_examples=200)
@given(code=st.sampled_from(CAPABILITIES), card=st.sampled_from(CAPABILITIES))
def test_code_runs_on_its_own_generation_and_later_cards_of_it_only(code: ComputeCapability, card: ComputeCapability) -> None:
    from builder.catalog.rows import MachineCode

    runs = CATALOG.runs(MachineCode(sm=(code,)), card, None)
    assert runs == (code.major == card.major and code.minor <= card.minor)
    assert CATALOG.runs(MachineCode(sm=(), ptx=(code,)), card, None) == (code <= card)
