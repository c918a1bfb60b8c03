"""What holds for every plan, over the whole tables and many machines.

Where a property speaks of a plan, the question is made from a row of the tables that answers it, so there always is one:
nothing is thrown away by `assume`, and no property can hold because nothing was asked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.version import Version

from builder.catalog import load
from builder.catalog.rows import LINUX_AARCH64, LINUX_X86_64, MachineCode, TorchBuild, TorchRelease
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
requests = st.one_of(
    st.sampled_from(VERSIONS),
    st.sampled_from(["latest", "2", "1.13", "2.6", ">=2,<2.9", ">=1.7", "2.17", "0.4", "none", "2.6.0+cu126", ">2.15"]),
)
specs = st.fixed_dictionaries(
    {},
    optional={
        "torch": requests,
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


@dataclass(frozen=True)
class Runs:
    """A build of the tables, cards that have code in it, drivers that are new enough for it; so a plan exists."""

    release: TorchRelease
    build: TorchBuild
    platform: str
    cards: tuple[ComputeCapability, ...]
    drivers: tuple[DriverVersion, ...]

    def host(self, driver: DriverVersion, *cards: ComputeCapability) -> Host:
        arch = "aarch64" if self.platform == LINUX_AARCH64 else "x86_64"
        gpus = tuple(Gpu(name=f"card of {card}", compute_capability=card) for card in cards)
        return Host(os="linux", arch=arch, driver=driver, gpus=gpus)

    @property
    def requests(self) -> list[str | None]:
        """Ways to ask for a torch, each of which this release satisfies."""
        version = self.release.version
        if self.release.is_lts:
            return [str(version)]
        return [
            None,
            str(version),
            f"{version.major}.{version.minor}",
            str(version.major),
            f">={version.major}.{version.minor}",
        ]

    def __str__(self) -> str:
        return f"{self.build.local}-{self.platform}"


def _runs() -> list[Runs]:
    """Every CUDA build that is taken without being named, with all the cards and drivers that run it."""
    rows = []
    for platform in (LINUX_X86_64, LINUX_AARCH64):
        for release in CATALOG.releases:
            for build in CATALOG.builds(release, platform):
                if build.code is None or build.variant.cuda is None or not (build.is_advertised or release.is_lts):
                    continue
                code = MachineCode(sm=build.code.sm)
                able = tuple(one for one in CAPABILITIES if CATALOG.runs(code, one, build.variant.cuda))
                floor = CATALOG.driver_floor(build.variant, "linux")
                assert floor is not None
                enough = tuple(driver for driver in DRIVERS if driver >= floor)
                rows.append(Runs(release, build, platform, able, enough))
    return rows


RUNS = _runs()


@st.composite
def runnable(draw: st.DrawFn, *, cards: int = 1) -> tuple[Runs, str | None, DriverVersion, tuple[ComputeCapability, ...]]:
    """A build, a request it satisfies, a driver and cards that run it."""
    row = draw(st.sampled_from(RUNS))
    chosen = draw(st.lists(st.sampled_from(row.cards), min_size=cards, max_size=3))
    return row, draw(st.sampled_from(row.requests)), draw(st.sampled_from(row.drivers)), tuple(chosen)


def test_the_tables_hold_enough_to_ask_about() -> None:
    assert len(RUNS) > 120
    assert all(row.cards and row.drivers for row in RUNS)
    assert {row.platform for row in RUNS} == {LINUX_X86_64, LINUX_AARCH64}
    assert {card for row in RUNS for card in row.cards} >= set(CAPABILITIES) - {ComputeCapability.parse("3.0")}


def plan_of(asked: dict[str, Any], there: Host, declared: dict[str, Any] | None = None) -> Plan | None:
    """The plan; None where it is refused, which must be with an error of ours."""
    try:
        return resolve(spec(**asked), project(**declared) if declared else EMPTY_PROJECT, CATALOG, there)
    except (WsbError, Problems) as error:
        refused = error
    assert refused.exit_code in (2, 3), refused
    assert str(refused)
    return None


def planned(asked: dict[str, Any], there: Host) -> Plan:
    """The plan of a question that has an answer."""
    plan = plan_of(asked, there)
    assert plan is not None
    assert plan.torch is not None
    return plan


def torch_of(plan: Plan) -> Version:
    assert plan.torch is not None
    return Version(plan.torch.version)


def check_python(plan: Plan, there: Host) -> None:
    """The wheels of everything in the torch family have files for this Python."""
    assert plan.torch is not None
    release = CATALOG.release(plan.torch.version) or CATALOG.newest
    platform = LINUX_AARCH64 if there.arch == "aarch64" else LINUX_X86_64
    assert plan.python in release.python_of(platform)
    for package in plan.torch.install_companions:
        row = CATALOG.companion(package, getattr(plan.torch, package))
        assert row is None or row.has_python(platform, plan.python)


@settings(max_examples=150, deadline=None)
@given(asked=specs, there=machines, declared=projects)
def test_every_question_gets_a_plan_or_an_error_of_ours(asked: Any, there: Host, declared: Any) -> None:
    plan = plan_of(asked, there, declared)
    if plan is not None:
        document = plan_json(plan)
        assert document["digest"].startswith("sha256:")
        assert all(decision["because"] for decision in document["decisions"])
        if plan.torch is not None:
            check_python(plan, there)


@pytest.mark.parametrize("row", RUNS, ids=str)
def test_every_build_of_the_tables_is_planned_where_it_is_named_and_runs(row: Runs) -> None:
    asked = {"torch": str(row.release.version), "accelerator": str(row.build.variant)}
    plan = planned(asked, row.host(row.drivers[0], *row.cards))
    assert plan.torch is not None
    assert plan.torch.local == row.build.local


@settings(max_examples=60, deadline=None)
@given(drawn=runnable())
def test_a_plan_never_needs_a_newer_driver_than_the_host_has(drawn: Any) -> None:
    row, request, driver, chosen = drawn
    plan = planned({"torch": request}, row.host(driver, *chosen))
    assert plan.torch is not None
    floor = CATALOG.driver_floor(plan.torch.variant, "linux")
    assert floor is not None
    assert floor <= driver


@settings(max_examples=60, deadline=None)
@given(drawn=runnable())
def test_a_plan_never_holds_code_the_gpu_cannot_run(drawn: Any) -> None:
    row, request, driver, chosen = drawn
    plan = planned({"torch": request}, row.host(driver, *chosen))
    assert plan.torch is not None
    release = CATALOG.release(plan.torch.version)
    assert release is not None
    code = CATALOG.code(release.known_as, row.platform, plan.torch.variant)
    assert code is not None
    for card in chosen:
        assert CATALOG.runs(code, card, plan.torch.variant.cuda)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), arch=st.sampled_from(["x86_64", "aarch64"]))
def test_the_python_is_one_the_wheels_have_files_for(data: st.DataObject, arch: Any) -> None:
    platform = LINUX_AARCH64 if arch == "aarch64" else LINUX_X86_64
    release = data.draw(st.sampled_from([one for one in CATALOG.releases if one.python_of(platform)]))
    python = data.draw(st.sampled_from(release.python_of(platform)))
    rows = {name: CATALOG.companion(name, getattr(release, name)) for name in ("torchvision", "torchaudio")}
    used = [name for name, row in rows.items() if row is not None and row.has_python(platform, python)]
    there = Host(os="linux", arch=arch, driver=None, gpus=())
    told = planned({"torch": str(release.version), "python": python, "pip": used}, there)
    check_python(told, there)
    assert told.python == python
    free = planned({"torch": str(release.version), "pip": used}, there)
    check_python(free, there)
    assert Version(free.python) >= Version(python)


@settings(max_examples=60, deadline=None)
@given(drawn=runnable(), data=st.data())
def test_a_newer_driver_never_gives_an_older_torch(drawn: Any, data: st.DataObject) -> None:
    row, request, older, chosen = drawn
    newer = data.draw(st.sampled_from([driver for driver in DRIVERS if driver >= older]))
    before = planned({"torch": request}, row.host(older, *chosen))
    after = planned({"torch": request}, row.host(newer, *chosen))
    assert torch_of(after) >= torch_of(before)


@settings(max_examples=60, deadline=None)
@given(drawn=runnable(cards=2))
def test_one_more_gpu_never_gives_a_newer_torch(drawn: Any) -> None:
    row, request, driver, chosen = drawn
    with_more = planned({"torch": request}, row.host(driver, *chosen))
    without = planned({"torch": request}, row.host(driver, *chosen[:-1]))
    assert torch_of(with_more) <= torch_of(without)


@settings(max_examples=50, deadline=None)
@given(asked=specs, there=machines, declared=projects)
def test_the_same_question_gets_the_same_answer_in_any_order(asked: Any, there: Host, declared: Any) -> None:
    plan = plan_of(asked, there, declared)
    turned = {key: asked[key] if key != "pip" else asked[key][::-1] for key in reversed(list(asked))}
    cards = there.gpus if isinstance(there.gpus, Unknown) else there.gpus[::-1]
    again = plan_of(turned, replace(there, gpus=cards), declared)
    assert (again and again.digest) == (plan and plan.digest)


@settings(max_examples=60, deadline=None)
@given(drawn=runnable(cards=2), pip=st.permutations(["einops", "xformers", "torchvision", "numpy"]))
def test_the_order_of_cards_and_packages_does_not_change_the_digest(drawn: Any, pip: list[str]) -> None:
    row, request, driver, chosen = drawn
    one = planned({"torch": request, "accelerator": "cuda", "pip": sorted(pip)}, row.host(driver, *chosen))
    other = planned({"pip": pip, "accelerator": "cuda", "torch": request}, row.host(driver, *chosen[::-1]))
    assert one.digest == other.digest


@settings(max_examples=200)
@given(code=st.sampled_from(CAPABILITIES), card=st.sampled_from(CAPABILITIES))
def test_code_runs_on_its_own_generation_and_later_cards_of_it_only(code: ComputeCapability, card: ComputeCapability) -> None:
    runs = CATALOG.runs(MachineCode(sm=(code,)), card, None)
    assert runs == (code.major == card.major and code.minor <= card.minor)
    assert CATALOG.runs(MachineCode(sm=(), ptx=(code,)), card, None) == (code <= card)
