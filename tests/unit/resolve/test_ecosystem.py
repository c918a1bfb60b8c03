"""Packages that are tied to a torch, a CUDA, a compiler or a card, and what a plan makes of them."""

from __future__ import annotations

from builder.model.plan import Plan
from tests.support.specs import NO_GPU, host, project, spec
from tests.unit.resolve.test_choice import codes, planned, said

RTX_3090 = host(("RTX 3090", "8.6"), driver="535.104.05")


def warned(plan: Plan, code: str) -> str:
    return " ".join(one.message for one in plan.warnings if one.code == code)


def test_torchtext_alone_fixes_torch_and_torch_alone_fixes_torchtext() -> None:
    plan = planned(spec(pip=["torchtext==0.15.2"]))
    assert plan.torch is not None
    assert plan.torch.version == "2.0.1"
    assert "torchtext==0.16.2" in planned(spec(torch="2.1.2", pip=["torchtext"])).packages.constraints


def test_the_torch_that_a_package_needs_is_looked_for_where_none_is_pinned() -> None:
    assert "package-limit" in codes(planned(spec(torch="2.1", pip=["bitsandbytes"]), RTX_3090))
    plan = planned(spec(torch=">=2", pip=["bitsandbytes"]), RTX_3090)
    assert plan.torch is not None
    assert "package-limit" not in codes(plan)


def test_an_older_flash_attn_than_those_with_known_wheels_gets_a_compiler() -> None:
    known = planned(spec(torch="2.6", pip=["flash-attn==2.8.3"]), RTX_3090)
    assert known.base.flavour.value == "plain"
    older = planned(spec(torch="2.6", pip=["flash-attn==2.7.4"]), RTX_3090)
    assert older.base.flavour.value == "devel"


def test_apex_is_told_when_no_compiler_of_torchs_very_cuda_starts_here() -> None:
    plan = planned(spec(torch="2.6", pip=["apex"]), RTX_3090)
    assert plan.base.image == "nvidia/cuda:12.2.2-devel-ubuntu22.04"
    assert "exactly" in warned(plan, "inexact-cuda")
    newer = planned(spec(torch="2.6", pip=["apex"]), host(("RTX 3090", "8.6"), driver="550.54.15"))
    assert "inexact-cuda" not in codes(newer)


def test_a_tag_that_was_not_seen_itself_is_a_warning() -> None:
    assert "naming scheme" in warned(planned(spec(torch="2.6", pip=["deepspeed"]), RTX_3090), "unverified")


def test_a_card_that_newer_releases_of_a_package_dropped_is_named() -> None:
    volta = host(("V100", "7.0"), driver="580.95.05")
    assert "7.5" in warned(planned(spec(torch="2.8.0", pip=["xformers"]), volta), "package-limit")
    assert "package-limit" not in codes(planned(spec(torch="2.6.0", pip=["xformers"]), volta))


def test_names_that_mean_something_else_on_pypi_are_named() -> None:
    message = warned(planned(spec(pip=["clip", "sklearn", "faiss"])), "wrong-package")
    assert "openai/CLIP" in message
    assert "scikit-learn" in message
    assert "faiss-cpu" in message


def test_a_project_that_asks_for_the_processor_gets_it_on_a_machine_with_a_gpu_too() -> None:
    plan = planned(spec(), RTX_3090, project(torch="==2.1.0+cpu", variant="cpu"))
    assert plan.torch is not None
    assert plan.torch.local == "2.1.0+cpu"
    assert "the project itself asks" in said(plan, "accelerator")
    assert "RTX 3090" in warned(plan, "declared-cpu")
    assert "declared-cpu" not in codes(planned(spec(), NO_GPU, project(torch="==2.1.0", variant="cpu")))
    named = planned(spec(accelerator="cuda"), RTX_3090, project(torch="==2.1.0", variant="cpu"))
    assert named.torch is not None
    assert named.torch.variant.cuda is not None
