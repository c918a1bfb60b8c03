"""Machines of many kinds, and what a plan says of what it could not know."""

from __future__ import annotations

from builder.catalog import load
from builder.model.host import Gpu, Host
from builder.model.values import DriverVersion
from builder.ui.chain import chain_of
from tests.support.specs import NO_GPU, UNKNOWN_HOST, host, project, spec
from tests.unit.resolve.test_choice import codes, planned, refusal, said

CATALOG = load()


def named(*names: str, driver: str | None, arch: str = "x86_64") -> Host:
    """A machine whose cards are known by name only."""
    version = DriverVersion.parse(driver) if driver else None
    return Host(os="linux", arch=arch, driver=version, gpus=tuple(Gpu(name=name) for name in names))  # type: ignore[arg-type]


def test_on_windows_a_cuda_build_is_always_named() -> None:
    there = host(("NVIDIA GeForce RTX 4070", "8.9"), driver="591.44", os="windows")
    plan = planned(spec(torch="2.11.0"), there)
    assert plan.torch is not None
    assert (plan.torch.variant.name, plan.torch.index_url) == ("cu130", "https://download.pytorch.org/whl/cu130")


def test_a_card_that_no_table_knows_is_planned_for_with_a_warning_and_not_as_if_there_were_none() -> None:
    there = named("NVIDIA GeForce RTX 7090", driver="580.95.05")
    plan = planned(spec(), there)
    assert plan.torch is not None
    assert plan.torch.variant.cuda is not None
    assert "gpu-unknown" in codes(plan)
    assert "RTX 7090" in said(plan, "accelerator")
    assert chain_of(plan, there, CATALOG)[-1].state == "unknown"


def test_a_compute_capability_that_nobody_verified_is_warned_about_when_the_plan_leans_on_it() -> None:
    plan = planned(spec(), named("NVIDIA GeForce RTX 3060 Ti", driver="580.95.05"))
    assert any("RTX 3060 Ti" in warned.message for warned in plan.warnings if warned.code == "unverified")
    told = planned(spec(), host(("NVIDIA GeForce RTX 3060 Ti", "8.6"), driver="580.95.05"))
    assert "unverified" not in codes(told)


def test_a_build_that_may_exist_of_a_newer_torch_is_mentioned() -> None:
    plan = planned(spec(), host(("RTX 3090", "8.6"), driver="535.104.05"))
    assert plan.torch is not None
    assert plan.torch.local == "2.14.1+cu126"
    assert any("torch 2.15.0 may have a build for cu126" in warned.message for warned in plan.warnings)
    newest = planned(spec(), host(("RTX 3090", "8.6"), driver="580.95.05"))
    assert codes(newest) == []


def test_a_build_that_was_never_seen_is_taken_with_a_warning() -> None:
    plan = planned(spec(torch="2.15.0", accelerator="cu130"), host(("RTX 3090", "8.6"), driver="580.95.05"))
    assert "unverified" in codes(plan)


def test_the_decision_itself_says_that_it_was_extrapolated() -> None:
    assert "newer than the tables" in said(planned(spec(torch="2.17")), "torch.version")


def test_why_not_the_newest_is_part_of_the_reason() -> None:
    reason = said(planned(spec(), host(("RTX 3090", "8.6"), driver="470.57.02")), "torch.version")
    assert "2.15.0 does not: CUDA 13.2 needs driver 580 or newer; this machine has 470.57.02" in reason


class TestDeclaredWithoutAPin:
    """`--index-url …/whl/cu118` above a bare `torch`: pip would find the releases of that index only."""

    def test_the_newest_torch_of_that_build_is_taken(self) -> None:
        for there in (UNKNOWN_HOST, host(("RTX 3090", "8.6"), driver="550.54.15")):
            plan = planned(spec(accelerator="cuda"), there, project(torch="", variant="cu118"))
            assert plan.torch is not None
            assert plan.torch.local == "2.7.1+cu118"
            assert "the newest release that has the cu118 build" in said(plan, "torch.version")

    def test_where_no_such_build_runs_every_release_comes_into_question(self) -> None:
        plan = planned(spec(), host(("RTX 5090", "12.0"), driver="580.95.05"), project(torch="", variant="cu118"))
        assert plan.torch is not None
        assert plan.torch.local == "2.15.0+cu132"

    def test_a_torch_in_wsb_yaml_comes_before_what_the_project_declares(self) -> None:
        plan = planned(spec(torch="2"), host(("RTX 3090", "8.6"), driver="580.95.05"), project(torch="", cuda="11.8"))
        assert plan.torch is not None
        assert plan.torch.local == "2.15.0+cu132"


def test_a_named_build_that_runs_nowhere_here_is_answered_with_one_that_does() -> None:
    error = refusal(spec(torch="2.11", accelerator="cu130"), host(("RTX 3090", "8.6"), driver="535.104.05"))
    assert any("torch 2.11.0+cu128 runs here" in hint for hint in error.hints)


def test_no_driver_is_recommended_that_does_not_know_the_card() -> None:
    error = refusal(spec(torch="2.6"), host(("RTX 3090", "8.6"), driver="450.36"))
    assert "install NVIDIA driver 455 or newer" in error.hints[0]


def test_a_card_that_no_torch_computes_on_leaves_the_processor() -> None:
    error = refusal(spec(), host(("GTX 680", "3.0"), driver="470.82.01"))
    assert error.code == "gpu-not-supported"
    assert any("`accelerator: cpu` runs torch 2.15.0+cpu" in hint for hint in error.hints)


def test_a_python_is_recommended_only_where_it_leads_to_a_plan() -> None:
    error = refusal(spec(torch="2.15", python="3.10"), host(("RTX 3090", "8.6"), driver="535.104.05"))
    assert not any('set `python: "3.15"`' in hint for hint in error.hints)
    error = refusal(spec(torch="2.15", python="3.10"), host(("RTX 3090", "8.6"), driver="580.95.05"))
    assert any('set `python: "3.15"`' in hint for hint in error.hints)


def test_a_python_that_is_not_there_yet_is_answered_with_the_newest_that_is() -> None:
    error = refusal(spec(python="3.99"), host(("RTX 3090", "8.6"), driver="580.95.05"))
    assert any('`torch: "2.15.0"` and `python: "3.15"`' in hint for hint in error.hints)


def test_a_jetson_is_told_of_nvidias_own_wheels() -> None:
    error = refusal(spec(), named("Jetson AGX Orin", driver="540.4.0", arch="aarch64"))
    assert any("Jetson" in hint and "wheels" in hint for hint in error.hints)


def test_rocm_on_an_arm_machine_is_an_error_that_says_where_there_is_one() -> None:
    error = refusal(spec(accelerator="rocm"), host(driver=None, arch="aarch64"))
    assert any("linux/amd64" in hint for hint in error.hints)


def test_an_intel_gpu_is_told_how_to_be_asked_for() -> None:
    assert "intel-not-taken" in codes(planned(spec(), named("Intel Arc A770", driver=None)))
    assert codes(planned(spec(), NO_GPU)) == []


def test_an_intel_mac_is_told_where_torch_ends_without_a_container() -> None:
    plan = planned(spec(torch="2.3.0", python="3.12"), host(driver=None, os="macos"))
    assert plan.torch is not None
    assert plan.torch.version == "2.3.0"
    assert "torch ends at 2.2.2" in said(plan, "accelerator")
    assert "2.2.2" not in said(planned(spec(), host(driver=None, os="macos", arch="aarch64")), "accelerator")


def test_a_place_that_nobody_verified_is_warned_about() -> None:
    there = host(("GTX 1080", "6.1"), driver="410.48")
    plan = planned(spec(torch="1.0.1", accelerator="cu100"), there)
    assert any(warned.message.startswith("where 1.0.1+cu100 lies was not verified") for warned in plan.warnings)
    default = planned(spec(torch="1.0.1", accelerator="cu90"), there)
    assert not any(warned.message.startswith("where ") for warned in default.warnings)
