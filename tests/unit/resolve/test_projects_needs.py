"""What a project's own files ask of the plan beside torch: a compiler, no libraries twice, pins that hold."""

from __future__ import annotations

from dataclasses import replace

from builder.model.plan import Plan
from builder.model.project import Project
from builder.model.values import Located, Location
from tests.support.specs import NO_GPU, host, project, spec
from tests.unit.resolve.test_choice import codes, planned

RTX_3090 = host(("RTX 3090", "8.6"), driver="550.54.15")
WHERE = Location(file="environment.yml", line=7, column=5)


def with_conda(*lines: str, channels: tuple[str, ...] = ("conda-forge",)) -> Project:
    return replace(
        project(torch="2.0.1"),
        conda=tuple(Located(line, WHERE) for line in lines),
        channels=tuple(Located(channel, WHERE) for channel in channels),
    )


def said(plan: Plan, code: str) -> str:
    return " ".join(warned.message for warned in plan.warnings if warned.code == code)


def test_a_conda_package_with_nvcc_asks_for_a_compiler_image() -> None:
    plan = planned(spec(accelerator="cuda"), NO_GPU, with_conda("cudatoolkit-dev=11.7", "einops"))
    assert plan.base.flavour.value == "devel"
    assert plan.packages.conda == ("einops",)


def test_a_compiler_for_the_processor_is_gcc_alone() -> None:
    plan = planned(spec(accelerator="cpu"), NO_GPU, with_conda("cuda-nvcc"))
    assert plan.base.flavour.value == "plain"
    assert "build-essential" in plan.packages.apt


def test_libraries_of_cuda_that_the_wheel_carries_are_left_out() -> None:
    plan = planned(
        spec(accelerator="cuda"), NO_GPU, with_conda("cuda-cudart=11.8.89", "cudnn=8.9", "libcublas=11.11", "numpy=1.24")
    )
    assert plan.packages.conda == ("numpy=1.24",)
    assert plan.base.flavour.value == "plain"
    assert "cuda-cudart=11.8.89" in said(plan, "managed-by-torch")


def test_builds_of_anacondas_own_channel_are_not_asked_of_conda_forge() -> None:
    plan = planned(spec(), NO_GPU, with_conda("numpy=1.24.3=py310h5f9d8c6_1", "conda-forge::x=1=y_0", channels=("defaults",)))
    assert "numpy=1.24.3" in plan.packages.conda
    assert "conda-forge::x=1=y_0" in plan.packages.conda
    assert "numpy=1.24.3=py310h5f9d8c6_1" in said(plan, "build-strings-left-out")
    plan = planned(spec(), NO_GPU, with_conda("numpy=1.24.3=py310h5f9d8c6_1"))
    assert plan.packages.conda == ("numpy=1.24.3=py310h5f9d8c6_1",)


def test_a_build_whose_compiler_is_gone_gives_way_to_one_that_has_it() -> None:
    plan = planned(spec(accelerator="cuda"), NO_GPU, project(torch="==1.5.1", variant="cu92", pip=["detectron2"]))
    assert plan.torch is not None
    assert plan.torch.variant.name == "cu102"
    assert plan.base.image == "pytorch/pytorch:1.9.0-cuda10.2-cudnn7-devel"


def test_a_pin_without_a_wheel_for_this_python_is_named_with_the_nearest_that_has_one() -> None:
    plan = planned(spec(python="3.11", pip=["numpy==1.21.6", "tqdm==4.45.0"]), RTX_3090)
    assert "numpy==1.21.6" in said(plan, "pin-cannot-hold")
    assert "the nearest that has one is 1.23.2" in said(plan, "pin-cannot-hold")
    assert "tqdm" not in said(plan, "pin-cannot-hold")
    assert "pin-cannot-hold" not in codes(planned(spec(python="3.9", pip=["numpy==1.21.6"]), RTX_3090))


def test_a_torch_text_pins_the_torch_it_was_made_for() -> None:
    plan = planned(spec(pip=["torchtext==0.14.0"]), NO_GPU)
    assert plan.torch is not None
    assert plan.torch.version == "1.13.0"


def test_a_range_of_a_package_made_for_one_torch_leaves_room() -> None:
    plan = planned(spec(python="3.8", pip=["xformers>=0.0.22,<1"]), NO_GPU)
    assert plan.torch is not None
    assert plan.torch.version.startswith("2.")


def test_a_package_that_conda_and_pip_are_asked_for_comes_from_pip() -> None:
    declared = replace(with_conda("pillow=9.4", "opencv=4.7"), pip=(Located("Pillow==9.5.0", WHERE),))
    plan = planned(spec(), NO_GPU, declared)
    assert plan.packages.conda == ("opencv=4.7",)
    assert "Pillow==9.5.0" in plan.packages.pip
    assert "pillow=9.4" in said(plan, "asked-twice")
