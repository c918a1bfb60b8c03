"""Public complaints about choosing a torch, each with what wsb answers: one and more for each of the three limits."""

from __future__ import annotations

from builder.catalog import load
from tests.support.specs import NO_GPU, host, project, spec
from tests.unit.resolve.test_choice import planned, refusal, said


def test_limit_1_nobody_says_whether_cuda_11_6_goes_with_torch_1_12_on_this_driver() -> None:
    # replicate/cog-stable-diffusion#11
    plan = planned(spec(torch="1.12.1", accelerator="11.6"), host(("A100", "8.0"), driver="470.82.01"))
    assert plan.torch is not None
    assert plan.torch.local == "1.12.1+cu116"
    error = refusal(spec(torch="1.12.1", accelerator="11.6"), host(("A100", "8.0"), driver="440.33.01"))
    assert error.code == "driver-too-old"
    assert "450.80.02" in error.message


def test_limit_2_cu128_is_given_to_a_gtx_1080_ti_which_finds_no_kernel_image() -> None:
    # astral-sh/uv#14742
    plan = planned(spec(torch="2.8"), host(("GTX 1080 Ti", "6.1"), driver="575.57.08"))
    assert plan.torch is not None
    assert plan.torch.local == "2.8.0+cu126"
    decision = next(one for one in plan.decisions if one.field == "torch.variant")
    assert any(one.value == "cu128" and "6.1" in one.because for one in decision.rejected)


def test_limit_3_an_nvidia_image_does_not_start_although_the_wheel_would_run() -> None:
    # theroyallab/tabbyAPI#324: unsatisfied condition: cuda>=12.8 on driver 550.144.03
    there = host(("RTX 3090", "8.6"), driver="550.144.03")
    assert refusal(spec(torch="2.8", base="nvidia/cuda:12.8.1-runtime-ubuntu22.04"), there).code == "driver-too-old"
    plan = planned(spec(torch="2.8"), there)
    assert plan.torch is not None
    assert (plan.torch.local, plan.base.image) == ("2.8.0+cu128", "debian:bookworm-slim")


def test_a_local_version_in_requirements_is_understood() -> None:
    # replicate/cog#1867: torch==2.0.1+cu118
    plan = planned(spec(), host(("A100", "8.0"), driver="535.104.05"), project(torch="==2.0.1+cu118", variant="cu118"))
    assert plan.torch is not None
    assert plan.torch.index_url == "https://download.pytorch.org/whl/cu118"


def test_a_new_torch_is_not_refused_until_the_next_release() -> None:
    # replicate/cog#390
    plan = planned(spec(torch=f"{load().newest.version.major}.{load().newest.version.minor + 1}"))
    assert "torch-extrapolated" in [warned.code for warned in plan.warnings]


def test_an_old_image_of_nvidia_that_was_deleted_is_not_planned() -> None:
    # replicate/cog#1162
    error = refusal(spec(base="nvidia/cuda:11.7.0-devel-ubuntu22.04"), NO_GPU)
    assert error.code == "no-such-base"


def test_a_mac_is_told_why_its_gpu_plays_no_part() -> None:
    # pytorch/pytorch#81224
    plan = planned(spec(), host(driver=None, os="macos", arch="aarch64"))
    assert "no GPU of a Mac" in said(plan, "accelerator")
