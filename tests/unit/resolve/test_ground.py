"""Base images, packages, channels and sources."""

from __future__ import annotations

import pytest

from builder.errors import Problems, WsbError
from builder.model.values import Flavour
from builder.resolve import plan_json
from tests.support.specs import NO_GPU, host, project, spec
from tests.unit.resolve.test_choice import codes, planned, refusal

RTX_3090 = host(("RTX 3090", "8.6"), driver="535.104.05")


class TestBase:
    def test_wheels_alone_need_a_plain_base(self) -> None:
        plan = planned(spec(torch="2.4.0", pip=["transformers", "einops"]), RTX_3090)
        assert (plan.base.image, plan.base.flavour) == ("debian:bookworm-slim", Flavour.PLAIN)

    def test_what_compiles_needs_nvcc_of_the_same_major_that_the_driver_lets_start(self) -> None:
        plan = planned(spec(torch="2.6", pip=["detectron2"]), RTX_3090)
        assert plan.base.image == "nvidia/cuda:12.2.2-devel-ubuntu22.04"
        assert plan.base.flavour is Flavour.DEVEL
        assert plan.packages.no_build_isolation == ("detectron2",)
        assert plan.packages.apt == ("git",)

    def test_what_compiles_for_the_processor_needs_gcc_only(self) -> None:
        plan = planned(spec(torch="2.6", pip=["detectron2"]))
        assert plan.base.image == "debian:bookworm-slim"
        assert "build-essential" in plan.packages.apt

    def test_a_venv_that_compiles_stands_on_an_ubuntu_with_its_own_python(self) -> None:
        plan = planned(spec(torch="2.12", manager="venv", pip=["flash-attn"]), host(("A100", "8.0"), driver="595.58.03"))
        assert plan.base.image == "nvidia/cuda:13.0.3-devel-ubuntu24.04"
        assert plan.python == "3.12"

    def test_an_old_cuda_is_compiled_on_the_image_that_still_has_its_compiler(self) -> None:
        there = host(("T4", "7.5"), driver="440.33.01")
        plan = planned(spec(torch="1.12.1+cu102", pip=["detectron2"]), there)
        assert plan.base.image == "pytorch/pytorch:1.9.0-cuda10.2-cudnn7-devel"
        assert plan.base.flavour.value == "devel"
        error = refusal(spec(torch="1.12.1+cu102", pip=["detectron2"], manager="venv"), there)
        assert error.code == "no-such-base"  # the Python of that image is conda's
        assert "pytorch/pytorch:1.9.0-cuda10.2-cudnn7-devel" in error.hints[0]

    def test_an_nvidia_base_that_the_driver_does_not_let_start_is_an_error(self) -> None:
        # theroyallab/tabbyAPI#324: cuda>=12.8 on driver 550.144.03
        there = host(("RTX 3090", "8.6"), driver="550.144.03")
        error = refusal(spec(base="nvidia/cuda:12.8.0-runtime-ubuntu22.04"), there)
        assert error.code == "driver-too-old"
        assert any("base: auto" in hint for hint in error.hints)
        plan = planned(spec(torch="2.8"), there)  # the same CUDA on a plain base
        assert plan.torch is not None
        assert plan.torch.variant.name == "cu128"

    @pytest.mark.parametrize(
        ("image", "said"),
        [
            ("nvidia/cuda:12.7.1-devel-ubuntu22.04", "no image of CUDA 12.7 is known"),
            ("nvidia/cuda:12.4.1-devel-ubuntu24.04", "12.4.1 is there on Ubuntu 20.04 and 22.04"),
            ("nvidia/cuda:12.4.1-cudnn8-devel-ubuntu22.04", "spell cuDNN as -cudnn-"),
            ("pytorch/pytorch:1.13.1-cuda11.7-cudnn8-runtime", "pytorch/pytorch:1.13.1-cuda11.6-cudnn8-runtime"),
            ("pytorch/pytorch:2.5.1-cuda12.4-cudnn9-runtime", "not verified"),
            ("ubuntu:26.04", "the C library and the Python of ubuntu 26.04 were not verified"),
            ("pytorch/pytorch:2.3.1-cuda12.1-cudnn8-devel", "does not start below CUDA 12.1"),
        ],
    )
    def test_a_tag_that_nobody_has_seen_or_that_would_not_start_is_told_of(self, image: str, said: str) -> None:
        old = host(("GTX 1080", "6.1"), driver="525.85.12")
        there = old if "start" in said else host(("GTX 1080", "6.1"), driver="570.124.06")
        plan = planned(spec(torch="2.1", base=image), there)
        assert said in " ".join(warned.message for warned in plan.warnings)

    def test_a_tag_that_is_in_the_tables_and_starts_is_no_warning(self) -> None:
        there = host(("GTX 1080", "6.1"), driver="570.124.06")
        for image in ("nvidia/cuda:12.4.1-cudnn-devel-ubuntu22.04", "pytorch/pytorch:2.3.1-cuda12.1-cudnn8-devel"):
            assert codes(planned(spec(torch="2.1", base=image), there)) == []

    def test_an_nvidia_base_that_was_deleted_names_the_one_that_was_kept(self) -> None:
        error = refusal(spec(base="nvidia/cuda:11.7.0-devel-ubuntu20.04"), RTX_3090)
        assert error.code == "no-such-base"
        assert "nvidia/cuda:11.7.1-devel-ubuntu20.04" in error.hints[0]

    def test_a_base_with_an_old_c_library_is_an_error_for_a_pinned_torch(self) -> None:
        error = refusal(spec(base="ubuntu:18.04", torch="2.7.1"))
        assert error.code == "glibc-too-old"
        assert "2.28" in error.message
        assert any("2.6.0" in hint for hint in error.hints)

    def test_a_base_with_an_old_c_library_gives_an_older_torch_when_it_is_open(self) -> None:
        plan = planned(spec(base="ubuntu:18.04"))
        assert plan.torch is not None
        assert plan.torch.version == "2.6.0"

    def test_alpine_is_refused(self) -> None:
        assert refusal(spec(base="python:3.11-alpine", torch="2.6")).code == "glibc-too-old"

    def test_cuda_compat_in_the_base_lifts_the_driver_limit_of_data_centre_cards(self) -> None:
        base = "nvidia/cuda:13.0.1-runtime-ubuntu22.04"
        plan = planned(spec(base=base, torch="2.14"), host(("A100", "8.0"), driver="535.104.05"))
        assert plan.torch is not None
        assert plan.torch.variant.name == "cu130"
        assert "cuda-compat" in codes(plan)
        assert refusal(spec(base=base, torch="2.15"), RTX_3090).code == "driver-too-old"


class TestPackages:
    def test_numpy_stays_below_2_for_an_old_torch(self) -> None:
        assert planned(spec(torch="2.2")).packages.constraints == ("numpy<2",)
        assert planned(spec(torch="2.3")).packages.constraints == ()

    def test_a_numpy_that_contradicts_torch_is_told_of(self) -> None:
        assert "pins-disagree" in codes(planned(spec(torch="2.2", pip=["numpy==2.1.0"])))

    def test_mkl_stays_old_for_an_environment_of_the_pytorch_channel(self) -> None:
        plan = planned(spec(), NO_GPU, project(torch="=2.0.1", cuda="11.8", channels=["pytorch", "nvidia"]))
        assert "mkl<2024.1" in plan.packages.constraints

    def test_triton_and_nvidia_wheels_are_left_to_torch(self) -> None:
        plan = planned(spec(torch="2.6", pip=["triton==2.0", "nvidia-cublas-cu12==12.1.3.1", "einops"]))
        assert plan.packages.pip == ("einops",)
        assert "managed-by-torch" in codes(plan)

    def test_wheels_of_pyg_are_found_on_its_page(self) -> None:
        plan = planned(spec(torch="2.1.2+cu118", pip=["torch-scatter"]), RTX_3090)
        assert plan.sources.find_links == ("https://data.pyg.org/whl/torch-2.1.0+cu118.html",)
        assert plan.base.flavour is Flavour.PLAIN

    def test_xformers_is_the_release_made_for_this_torch(self) -> None:
        plan = planned(spec(torch="2.6", accelerator="cu126", pip=["xformers"]), RTX_3090)
        assert "xformers==0.0.29.post3" in plan.packages.constraints
        assert plan.sources.extra_pip == ("https://download.pytorch.org/whl/cu126",)

    def test_opencv_brings_the_libraries_a_slim_image_lacks(self) -> None:
        assert planned(spec(pip=["opencv-python"])).packages.apt == ("libgl1", "libglib2.0-0")

    def test_the_apex_of_pypi_is_not_the_one_that_is_meant(self) -> None:
        plan = planned(spec(torch="2.6", pip=["apex"]), RTX_3090)
        assert plan.packages.pip == ("apex @ git+https://github.com/NVIDIA/apex.git",)
        assert "wrong-package" in codes(plan)

    def test_a_package_that_the_gpu_cannot_run_is_told_of(self) -> None:
        plan = planned(spec(torch="2.6", pip=["flash-attn"]), host(("T4", "7.5"), driver="550.54.15"))
        assert "package-limit" in codes(plan)

    def test_conda_packages_that_bring_a_torch_of_their_own_come_from_pip(self) -> None:
        plan = planned(spec(conda=["ffmpeg", "pytorch-lightning=2.1", "pyg"]))
        assert plan.packages.conda == ("ffmpeg",)
        assert plan.packages.pip == ("pytorch-lightning==2.1.*", "torch-geometric")
        assert codes(plan).count("conda-torch") == 2

    def test_in_a_venv_conda_packages_go_by_their_other_names(self) -> None:
        packages = ["opencv=4.5", "ffmpeg", "numpy=1.21.2=py38h1", "_libgcc_mutex=0.1", "pillow>=9"]
        plan = planned(spec(manager="venv", conda=packages, torch="2.2"))
        assert plan.packages.pip == ("numpy==1.21.2", "opencv-python-headless==4.5.*", "Pillow>=9")
        assert plan.packages.apt == ("ffmpeg",)
        assert plan.packages.conda == ()

    def test_in_a_venv_a_package_that_only_conda_has_is_an_error(self) -> None:
        with pytest.raises(Problems) as caught:
            planned(spec(manager="venv", conda=["r-base", "rpy2-r"]))
        assert {error.code for error in caught.value.errors} == {"bad-value"}
        assert "r-base" in str(caught.value)

    def test_a_line_of_wsb_yaml_replaces_the_projects(self) -> None:
        plan = planned(spec(pip=["numpy==1.26.4"]), NO_GPU, project(torch="==2.6.0", pip=["numpy==2.0", "tqdm"]))
        assert plan.packages.pip == ("numpy==1.26.4", "tqdm")


class TestChannelsAndSources:
    def test_channels_of_torch_are_left_out_and_defaults_too(self) -> None:
        plan = planned(spec(), NO_GPU, project(channels=["pytorch", "nvidia", "bioconda", "defaults"]))
        assert plan.channels == ("bioconda", "conda-forge")
        assert "defaults-left-out" in codes(plan)

    def test_terms_are_never_accepted_for_the_user(self) -> None:
        error = refusal(spec(channels=["defaults"]))
        assert error.code == "terms-not-accepted"
        assert any("--accept-anaconda-terms" in hint for hint in error.hints)
        assert planned(spec(channels=["defaults"]), accept_anaconda_terms=True).channels == ("defaults",)

    def test_a_venv_has_neither_channels_nor_an_installer(self) -> None:
        plan = planned(spec(manager="venv"))
        assert (plan.channels, plan.installer) == ((), None)

    def test_each_manager_has_a_pinned_installer(self) -> None:
        for manager in ("miniconda", "miniforge"):
            for machine in ("x86_64", "aarch64"):
                installer = planned(spec(manager=manager), host(driver=None, arch=machine)).installer
                assert installer is not None
                assert machine in installer.url
                assert len(installer.sha256) == 64

    def test_a_preset_fills_what_is_not_given_alone(self) -> None:
        plan = planned(spec(sources={"preset": "tuna", "pip": "https://mirror.example/simple"}))
        assert plan.sources.pip == "https://mirror.example/simple"
        assert plan.sources.miniconda is not None
        assert "tuna" in plan.sources.miniconda

    def test_a_preset_nobody_knows_is_an_error_that_guesses(self) -> None:
        error = refusal(spec(sources={"preset": "tunna"}))
        assert error.code == "bad-value"
        assert "tuna" in error.hints[0]

    def test_a_mirror_of_the_torch_index_is_named_down_to_the_build(self) -> None:
        plan = planned(spec(torch="2.6", sources={"torch": "https://mirror.example/whl/"}))
        assert plan.sources.torch == "https://mirror.example/whl/cpu"
        assert plan.torch is not None
        assert (
            plan.torch.index_url == "https://download.pytorch.org/whl/cpu"
        )  # what the layer is called by, wherever it comes from
        plan = planned(spec(torch="2.6", sources={"torch": "https://mirror.example/cpu"}))
        assert plan.sources.torch == "https://mirror.example/cpu"

    def test_mirrors_do_not_change_the_digest(self) -> None:
        assert planned(spec(sources={"preset": "tuna"})).digest == planned(spec()).digest

    def test_the_document_names_no_path_of_this_machine(self) -> None:
        document = plan_json(planned(spec(sources={"pip": "/srv/mirror", "ca": "/etc/ca.pem"})))
        assert "/srv/mirror" not in str(document)
        assert "/etc/ca.pem" not in str(document)


def test_an_error_is_always_one_of_ours() -> None:
    assert isinstance(refusal(spec(torch="9.9.9+cu126")), WsbError)


class TestVenvThatCompiles:
    def test_nothing_narrows_its_python_while_wheels_serve(self) -> None:
        plan = planned(spec(torch="2.1.2", python="3.9", manager="venv", pip=["torch-scatter"]), RTX_3090)
        assert (plan.python, plan.base.image) == ("3.9", "python:3.9-slim-bookworm")

    def test_its_python_is_one_of_a_compiler_image_that_this_driver_starts(self) -> None:
        # 24.04 begins with CUDA 12.6, which does not start on this driver, so it is 22.04 with Python 3.10
        plan = planned(spec(torch="2.6", manager="venv", pip=["detectron2"]), RTX_3090)
        assert (plan.python, plan.base.image) == ("3.10", "nvidia/cuda:12.2.2-devel-ubuntu22.04")

    def test_a_python_that_no_compiler_image_has_is_an_error_that_names_the_way_out(self) -> None:
        error = refusal(spec(torch="2.6", python="3.9", manager="venv", pip=["detectron2"]), RTX_3090)
        assert error.code == "python-not-supported"
        assert any("miniconda" in hint for hint in error.hints)
