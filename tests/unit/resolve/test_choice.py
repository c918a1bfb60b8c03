"""Which torch is taken, from which place, and what is said when none can be."""

from __future__ import annotations

import pytest

from builder.catalog import load
from builder.errors import WsbError
from builder.model.host import Host, Reach
from builder.model.plan import Plan
from builder.model.project import EMPTY_PROJECT, Project
from builder.model.spec import Spec
from builder.model.values import DriverVersion
from builder.resolve import plan_json, resolve
from tests.support.specs import NO_GPU, REQ, UNKNOWN, UNKNOWN_HOST, WSB, host, project, spec

CATALOG = load()
RTX_3090 = host(("NVIDIA GeForce RTX 3090", "8.6"), driver="550.54.15")


def planned(asked: Spec, there: Host = NO_GPU, declared: Project = EMPTY_PROJECT, **options: object) -> Plan:
    return resolve(asked, declared, CATALOG, there, **options)  # type: ignore[arg-type]


def refusal(asked: Spec, there: Host = NO_GPU, declared: Project = EMPTY_PROJECT, **options: object) -> WsbError:
    with pytest.raises(WsbError) as caught:
        planned(asked, there, declared, **options)
    return caught.value


def said(plan: Plan, field: str) -> str:
    return next(decision.because for decision in plan.decisions if decision.field == field)


def codes(plan: Plan) -> list[str]:
    return [warned.code for warned in plan.warnings]


def test_the_smallest_spec_becomes_a_whole_plan() -> None:
    plan = planned(spec())
    assert plan.torch is not None
    assert (plan.torch.local, plan.platform, plan.manager.value) == ("2.15.0+cpu", "linux/amd64", "miniconda")
    assert plan.base.image == "debian:bookworm-slim"
    assert plan.installer is not None
    assert plan.channels == ("conda-forge",)
    assert plan.digest.startswith("sha256:")


def test_what_the_default_index_serves_needs_no_index() -> None:
    plan = planned(spec(torch="2.6"), RTX_3090)
    assert plan.torch is not None
    assert (plan.torch.local, plan.torch.index_url) == ("2.6.0+cu124", None)
    assert "index_url" not in plan_json(plan)["torch"]


def test_the_cuda_that_the_project_declares_comes_first_when_it_runs() -> None:
    plan = planned(spec(), RTX_3090, project(torch="==2.6.0", variant="cu126"))
    assert plan.torch is not None
    assert plan.torch.index_url == "https://download.pytorch.org/whl/cu126"
    assert "declares CUDA 12.6" in said(plan, "torch.variant")


def test_a_declared_cuda_that_does_not_run_here_is_passed_over_with_a_reason() -> None:
    there = host(("RTX 4090", "8.9"), driver="570.124.06")
    plan = planned(spec(), there, project(torch="==2.12.0", variant="cu130"))
    assert plan.torch is not None
    assert plan.torch.variant.name == "cu126"
    decision = next(one for one in plan.decisions if one.field == "torch.variant")
    assert any(one.value == "cu130" and "580" in one.because for one in decision.rejected)


def test_a_declared_cuda_that_was_never_built_is_said_to_be_so() -> None:
    plan = planned(spec(accelerator="cuda"), UNKNOWN_HOST, project(torch="==1.9.1", cuda="11.3"))
    decision = next(one for one in plan.decisions if one.field == "torch.variant")
    assert any(one.value == "cu113" and "no such build" in one.because for one in decision.rejected)


def test_an_old_driver_gives_an_older_torch_and_says_so() -> None:
    plan = planned(spec(), host(("RTX 3090", "8.6"), driver="470.57.02"))
    assert plan.torch is not None
    assert plan.torch.local == "2.7.1+cu118"
    decision = next(one for one in plan.decisions if one.field == "torch.version")
    assert decision.rejected[0].value == "2.15.0"
    assert "driver" in decision.rejected[0].because


def test_builds_that_are_not_advertised_are_taken_only_when_named() -> None:
    blackwell = host(("RTX 5090", "12.0"), driver="570.124.06")
    error = refusal(spec(torch="2.13"), blackwell)
    assert error.code == "driver-too-old"
    assert any("cu129" in hint for hint in error.hints)
    plan = planned(spec(torch="2.13", accelerator="cu129"), blackwell)
    assert plan.torch is not None
    assert plan.torch.variant.name == "cu129"


def test_the_long_term_support_release_is_taken_only_when_pinned() -> None:
    plan = planned(spec(torch="1.8"))
    assert plan.torch is not None
    assert plan.torch.version == "1.8.1"
    plan = planned(spec(torch="1.8.2", accelerator="cu111"))
    assert plan.torch is not None
    assert plan.torch.index_url == "https://download.pytorch.org/whl/lts/1.8/cu111"


def test_a_gpu_without_code_in_any_build_is_an_error_that_names_the_first_torch_with_it() -> None:
    error = refusal(spec(torch="2.6.0"), host(("NVIDIA GeForce RTX 5090", "12.0"), driver="570.124.06"))
    assert error.code == "gpu-not-supported"
    assert error.where == WSB
    assert "RTX 5090" in error.message
    assert any("2.7.0+cu128" in hint for hint in error.hints)


def test_a_driver_that_is_too_old_is_an_error_that_names_the_driver_and_the_newest_torch() -> None:
    error = refusal(spec(torch="2.8.0"), host(("V100", "7.0"), driver="470.57.02"))
    assert error.code == "driver-too-old"
    assert "525.60.13" in error.message
    assert any("2.7.1+cu118" in hint for hint in error.hints)


def test_code_of_a_gpus_generation_is_not_enough_when_it_is_for_a_later_card() -> None:
    # sm_86 does not run on the A100 (8.0), sm_80 runs on the RTX 3090 (8.6)
    for card in (("A100", "8.0"), ("RTX 3090", "8.6")):
        plan = planned(spec(torch="1.7.1"), host(card, driver="460.32.03"))
        assert plan.torch is not None
        assert plan.torch.variant.name == "cu110"


def test_of_several_cards_the_build_serves_all() -> None:
    both = host(("V100", "7.0"), ("A100", "8.0"), driver="580.65.06")
    plan = planned(spec(), both)
    assert plan.torch is not None
    assert plan.torch.local == "2.14.1+cu126"


def test_cards_that_no_build_serves_together_get_a_choice_for_each() -> None:
    both = host(("RTX 5090", "12.0"), ("GTX 1080 Ti", "6.1"), driver="580.95.05")
    error = refusal(spec(), both)
    assert error.code == "gpu-not-supported"
    assert len([hint for hint in error.hints if "leaves the others out" in hint]) == 2
    plan = planned(spec(accelerator="cu126"), both)
    assert "gpu-left-out" in codes(plan)


def test_a_torch_newer_than_the_tables_is_extrapolated_and_said_so() -> None:
    plan = planned(spec(torch="2.17"), host(("RTX 4090", "8.9"), driver="595.58.03"))
    assert plan.torch is not None
    assert (plan.torch.version, plan.torch.variant.name) == ("2.17.0", "cu132")
    assert codes(plan) == ["torch-extrapolated"]


@pytest.mark.parametrize("asked", [">2.15", ">=2.16,<3", "~=2.16", "2.16.1", "3", ">=3.1"])
def test_every_spelling_of_a_later_torch_is_understood(asked: str) -> None:
    plan = planned(spec(torch=asked))
    assert plan.torch is not None
    assert "torch-extrapolated" in codes(plan)


@pytest.mark.parametrize(("asked", "hint"), [("0.3.1", "0.4"), ("2.6.7", "2.6.0"), ("1.14", "1.13.1")])
def test_a_torch_that_never_was_is_an_error_that_names_the_nearest(asked: str, hint: str) -> None:
    error = refusal(spec(torch=asked))
    assert error.code == "no-such-torch"
    assert any(hint in one for one in error.hints)


def test_a_named_cuda_that_the_torch_is_not_built_for_is_an_error_that_names_both_ways_out() -> None:
    error = refusal(spec(torch="2.6", accelerator="12.8"), RTX_3090)
    assert error.code == "no-such-torch"
    assert "cu118, cu124, cu126" in error.details[0]
    assert any("12.6" in hint for hint in error.hints)
    assert any("2.7.0+cu128" in hint for hint in error.hints)


def test_a_named_cuda_without_a_torch_gives_the_newest_torch_that_has_it() -> None:
    plan = planned(spec(accelerator="cu118"), RTX_3090)
    assert plan.torch is not None
    assert plan.torch.local == "2.7.1+cu118"


def test_torchvision_alone_fixes_torch() -> None:
    plan = planned(spec(), NO_GPU, project(torchvision="==0.14.1"))
    assert plan.torch is not None
    assert (plan.torch.version, plan.torch.install_companions) == ("1.13.1", ("torchvision",))
    assert plan.python == "3.10"  # torchvision 0.14 has no wheel for 3.11


def test_a_torchvision_made_for_another_torch_is_replaced_by_the_right_one() -> None:
    plan = planned(spec(), NO_GPU, project(torch="==2.1.2", torchvision="==0.16.0"))
    assert plan.torch is not None
    assert (plan.torch.version, plan.torch.torchvision) == ("2.1.2", "0.16.2")
    assert "companion-mismatch" in codes(plan)


def test_xformers_alone_fixes_torch() -> None:
    plan = planned(spec(pip=["xformers==0.0.22"]))
    assert plan.torch is not None
    assert plan.torch.version == "2.0.1"


def test_torch_among_the_packages_is_a_request_and_not_a_line() -> None:
    plan = planned(spec(pip=["torch==2.4.0", "einops"]))
    assert plan.torch is not None
    assert plan.torch.version == "2.4.0"
    assert plan.packages.pip == ("einops",)


def test_wsb_yaml_wins_over_the_projects_files() -> None:
    plan = planned(spec(torch="2.6"), NO_GPU, project(torch="==1.13.1"))
    assert plan.torch is not None
    assert plan.torch.version == "2.6.0"
    decision = next(one for one in plan.decisions if one.field == "torch")
    assert decision.rejected[0].value == "==1.13.1"


def test_torch_none_has_no_torch() -> None:
    plan = planned(spec(torch="none", pip=["einops"]))
    assert plan.torch is None
    assert "torch" not in plan_json(plan)
    assert plan.passthrough.value == "none"


class TestUnknownHost:
    def test_auto_is_the_processor_with_a_warning_that_says_how_to_tell(self) -> None:
        plan = planned(spec(), UNKNOWN_HOST)
        assert plan.torch is not None
        assert plan.torch.variant.name == "cpu"
        assert any("--driver" in warned.message for warned in plan.warnings)

    def test_cuda_takes_what_the_project_declares(self) -> None:
        plan = planned(spec(accelerator="cuda"), UNKNOWN_HOST, project(torch="==1.13.1", cuda="11.6"))
        assert plan.torch is not None
        assert plan.torch.variant.name == "cu116"

    def test_cuda_takes_the_default_index_otherwise_and_names_the_driver(self) -> None:
        plan = planned(spec(accelerator="cuda"), UNKNOWN_HOST)
        assert plan.torch is not None
        assert (plan.torch.local, plan.torch.index_url) == ("2.15.0+cu132", None)
        assert any("580" in warned.message for warned in plan.warnings if warned.code == "driver-unknown")

    def test_a_driver_without_a_gpu_is_a_limit_too(self) -> None:
        there = Host(os="linux", arch="x86_64", driver=DriverVersion.parse("535.54.03"), gpus=UNKNOWN)
        plan = planned(spec(), there)
        assert plan.torch is not None
        assert plan.torch.variant.name == "cu126"
        assert "host-unknown" in codes(plan)


class TestOtherMachines:
    def test_a_mac_has_an_arm_linux_and_no_gpu(self) -> None:
        plan = planned(spec(), host(driver=None, os="macos", arch="aarch64"))
        assert plan.platform == "linux/arm64"
        assert plan.torch is not None
        assert plan.torch.variant.name == "cpu"
        assert "no GPU of a Mac" in said(plan, "accelerator")
        assert plan.passthrough.value == "none"

    def test_in_wsl_the_driver_of_windows_counts(self) -> None:
        error = refusal(spec(torch="2.9"), host(("RTX 4070", "8.9"), driver="527.41", os="windows"))
        assert error.code == "driver-too-old"
        assert "Windows driver" in error.message

    def test_an_arm_server_has_cuda_from_the_default_index(self) -> None:
        plan = planned(spec(torch="2.12"), host(("GH200", "9.0"), driver="580.95.05", arch="aarch64"))
        assert plan.torch is not None
        assert (plan.torch.variant.name, plan.torch.index_url) == ("cu130", None)

    def test_an_amd_card_made_for_computing_takes_rocm(self) -> None:
        from builder.model.host import Gpu

        there = Host(os="linux", arch="x86_64", driver=None, gpus=(Gpu(name="AMD Instinct MI300X"),))
        plan = planned(spec(torch="2.14.1"), there)
        assert plan.torch is not None
        assert plan.torch.variant.name == "rocm7.14"  # newer than 7.2
        assert plan.passthrough.value == "rocm"

    def test_a_card_without_a_driver_is_told_of(self) -> None:
        there = Host(os="linux", arch="x86_64", driver=None, gpus=RTX_3090.gpus)
        assert "driver-missing" in codes(planned(spec(), there))

    def test_a_mig_slice_is_known_by_its_card(self) -> None:
        from builder.model.host import Gpu

        there = Host(
            os="linux",
            arch="x86_64",
            driver=DriverVersion.parse("550.54.15"),
            gpus=(Gpu(name="NVIDIA A100-SXM4-40GB MIG 1g.5gb"),),
        )
        plan = planned(spec(torch="2.6"), there)
        assert plan.torch is not None
        assert plan.torch.variant.name == "cu124"


class TestPython:
    def test_the_newest_that_torch_has_files_for(self) -> None:
        assert planned(spec(torch="2.6")).python == "3.13"
        assert planned(spec(torch="2.5.1", pip=["torchvision"])).python == "3.12"

    def test_a_patch_release_asks_for_its_minor(self) -> None:
        assert planned(spec(), NO_GPU, project(torch="==1.11.0", python="=3.8.5")).python == "3.8"

    def test_a_python_the_torch_lacks_is_an_error_with_both_ways_out(self) -> None:
        error = refusal(spec(torch="1.7.0", python="3.9"))
        assert error.code == "python-not-supported"
        assert any('python: "3.8"' in hint for hint in error.hints)
        assert any("1.7.1" in hint for hint in error.hints)

    def test_a_companion_without_a_wheel_is_named(self) -> None:
        error = refusal(spec(torch="2.5.1", python="3.13", pip=["torchvision"]))
        assert error.code == "python-not-supported"
        assert "torchvision 0.20.1" in error.message
        assert "cp313" in error.message

    def test_an_old_python_gives_the_newest_torch_that_has_it(self) -> None:
        plan = planned(spec(), NO_GPU, project(python="=3.7"))
        assert plan.torch is not None
        assert plan.torch.version == "1.13.1"

    def test_a_venv_uses_the_python_of_its_base(self) -> None:
        assert planned(spec(manager="venv", bootstrap="bookworm")).python == "3.11"
        assert planned(spec(manager="venv", bootstrap="trixie")).python == "3.13"
        assert planned(spec(manager="venv", base="ubuntu:22.04")).python == "3.10"
        assert planned(spec(manager="venv", base="python:3.9-slim")).python == "3.9"
        plan = planned(spec(manager="venv", python="3.10"))
        assert (plan.python, plan.base.image) == ("3.10", "python:3.10-slim-bookworm")

    def test_a_python_that_the_base_of_a_venv_lacks_is_an_error_that_names_the_way_out(self) -> None:
        error = refusal(spec(manager="venv", bootstrap="bookworm", python="3.12"))
        assert error.code == "python-not-supported"
        assert any("miniconda" in hint for hint in error.hints)


class TestFallbacks:
    DOWN = (("registry", "no route"), ("conda", "403"), ("miniconda", "403"), ("torch", "403"))
    WHEELS = (
        "torch-2.6.0+cpu-cp311-cp311-linux_x86_64.whl",
        "torch-2.6.0%2Bcpu-cp312-cp312-linux_x86_64.whl",
        "numpy-2.0.0-cp311-cp311-manylinux2014_x86_64.whl",
    )

    def reach(self, **changes: object) -> Reach:
        usual: dict[str, object] = {
            "unreachable": self.DOWN,
            "local_wheels": self.WHEELS,
            "wheel_dir": "/opt/wheels",
            "can_bootstrap": True,
        }
        return Reach(**{**usual, **changes})  # type: ignore[arg-type]

    def test_everything_out_of_reach_still_gives_a_plan(self) -> None:
        plan = planned(spec(), reach=self.reach())
        assert (plan.manager.value, plan.base.bootstrap, plan.python) == ("venv", "bookworm", "3.11")
        assert plan.torch is not None
        assert plan.torch.wheel == self.WHEELS[0]
        assert plan.torch.local == "2.6.0+cpu"
        assert plan.sources.torch == "/opt/wheels"
        assert [one.source for one in plan.fallbacks] == ["conda", "registry", "torch"]

    def test_nothing_falls_back_when_nobody_asked(self) -> None:
        assert planned(spec()).fallbacks == ()

    def test_a_base_that_is_already_here_needs_no_registry(self) -> None:
        reach = self.reach(unreachable=(("registry", "no route"),), local_images=("debian:bookworm-slim",))
        plan = planned(spec(), reach=reach)
        assert plan.base.image == "debian:bookworm-slim"
        assert plan.fallbacks == ()

    def test_a_base_that_nobody_can_make_is_an_error(self) -> None:
        error = refusal(spec(), reach=self.reach(can_bootstrap=False))
        assert error.code == "base-unreachable"

    def test_without_a_wheel_the_default_index_serves_a_build_that_also_computes_on_the_processor(self) -> None:
        plan = planned(spec(), reach=self.reach(local_wheels=()))
        assert plan.torch is not None
        assert (plan.torch.local, plan.torch.index_url) == ("2.15.0+cu132", None)
        assert plan.passthrough.value == "none"

    def test_without_a_wheel_or_an_index_it_is_an_error_that_says_which(self) -> None:
        down = (*self.DOWN, ("pip", "403"))
        error = refusal(spec(), reach=self.reach(local_wheels=(), unreachable=down))
        assert error.code == "source-unreachable"

    def test_a_wheel_that_does_not_satisfy_the_request_is_not_taken(self) -> None:
        plan = planned(spec(torch="2.5.1"), reach=self.reach())
        assert plan.torch is not None
        assert plan.torch.wheel is None

    def test_a_wheel_is_not_taken_without_the_companion_that_the_project_uses(self) -> None:
        plan = planned(spec(), NO_GPU, project(torch=">=2", torchvision=""), reach=self.reach())
        assert plan.torch is not None
        assert plan.torch.wheel is None
        beside = (*self.WHEELS, "torchvision-0.21.0+cpu-cp311-cp311-linux_x86_64.whl")
        plan = planned(spec(), NO_GPU, project(torch=">=2", torchvision=""), reach=self.reach(local_wheels=beside))
        assert plan.torch is not None
        assert plan.torch.wheel == self.WHEELS[0]

    def test_a_directory_that_wsb_yaml_names_comes_first_while_a_wheel_fits(self) -> None:
        reach = Reach(local_wheels=self.WHEELS, wheel_dir="/opt/wheels")
        plan = planned(spec(torch="2.6", sources={"torch": "/opt/wheels"}), reach=reach)
        assert plan.torch is not None
        assert plan.torch.wheel is not None
        assert plan.fallbacks == ()
        plan = planned(spec(torch="2.5", sources={"torch": "/opt/wheels"}), reach=reach)
        assert plan.torch is not None
        assert plan.torch.wheel is None
        assert plan.sources.torch is None


def test_requests_in_error_messages_point_at_the_line_that_made_them() -> None:
    error = refusal(spec(), NO_GPU, project(torch="==2.6.7"))
    assert error.where == REQ
