"""The chain from the card to a kernel, on machines that are not here: which link is named, and with which remedy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from builder.doctor.checks import CHECKS, examine, is_broken, may_ask_a_container
from builder.doctor.facts import Built, Facts, Trouble
from builder.model.host import Host
from builder.model.report import Check, Finding, Report, Severity, Status
from builder.model.values import DriverVersion, Unknown, Variant
from builder.ui.doctor import doctor_lines, summary
from tests.support import host_trees
from tests.unit.doctor.hosts import DEBIAN, DOCKER, FEDORA, STOPPED, card, facts, from_tree, nvidia_host

CDI = replace(DOCKER, cdi_devices=("nvidia.com/gpu=0", "nvidia.com/gpu=1", "nvidia.com/gpu=all"))
TITLES = [(check.name, check.title, check.of_chain) for check in CHECKS]
NO_GPU = Host(os="linux", arch="x86_64", driver=None, gpus=())


def broken(given: Facts) -> list[tuple[str, str]]:
    """(link, id) of what is broken."""
    return [(one.link, one.id) for one in examine(given) if one.severity is Severity.ERROR]


def only(given: Facts, id: str) -> Finding:
    (found,) = [one for one in examine(given) if one.id == id]
    return found


def text(given: Facts) -> str:
    return "\n".join(doctor_lines(given.distribution.name, TITLES, examine(given)))


def report(device: str, **statuses: str) -> Report:
    checks = tuple(
        Check(
            id=id.replace("__", "."), group=id.partition("__")[0], status=Status(status), measured="what it saw", hint="do this"
        )
        for id, status in statuses.items()
    )
    return Report(image="mnist:latest", device=device, checks=checks)


def test_a_healthy_machine_is_fine_from_the_card_to_the_kernel() -> None:
    inside = report("NVIDIA H100 80GB HBM3", gpu__wiring="pass", gpu__cuda="pass", gpu__matmul__fp32="pass")
    built = Built(image="mnist:latest", torch="2.6.0", variant=Variant.parse("cu126"))
    given = facts(nvidia_host(card(0), card(1)), CDI, tools=frozenset({"docker", "nvidia-ctk"}), inside=inside, built=built)
    assert broken(given) == []
    chain = [one.link for one in examine(given) if one.link in {name for name, _, is_of_chain in TITLES if is_of_chain}]
    assert chain == ["gpu", "driver", "nvml", "toolkit", "engine", "passthrough", "container", "torch", "kernel"]
    assert "2 × NVIDIA H100 80GB HBM3 (80 GB)" in text(given)
    assert "computed on NVIDIA H100 80GB HBM3" in text(given)
    assert text(given).endswith("nothing is broken")


def test_a_machine_without_a_gpu_is_not_broken() -> None:
    given = facts(NO_GPU)
    assert not is_broken(examine(given))
    assert "plays no part here" in text(given)


def test_a_card_without_its_toolkit_is_told_with_this_distribution_s_way() -> None:
    given = facts(nvidia_host(card(0)), distribution=FEDORA)
    assert broken(given) == [("toolkit", "toolkit-missing")]
    assert "sudo dnf install nvidia-container-toolkit" in only(given, "toolkit-missing").remedy
    assert "sudo apt-get install nvidia-container-toolkit" in only(facts(nvidia_host(card(0))), "toolkit-missing").remedy


def test_a_toolkit_that_is_installed_and_not_registered_is_the_next_link() -> None:
    given = facts(nvidia_host(card(0)), replace(DOCKER, cdi_spec_dirs=()), tools=frozenset({"docker", "nvidia-ctk"}))
    assert broken(given) == [("passthrough", "container-toolkit-missing")]
    assert "nvidia-ctk runtime configure" in only(given, "container-toolkit-missing").remedy


def test_podman_without_a_cdi_file_gets_one_written() -> None:
    podman = replace(DOCKER, kind="podman", version="5.6.0", cdi_spec_dirs=())
    given = facts(nvidia_host(card(0)), podman, tools=frozenset({"podman", "nvidia-ctk"}))
    assert broken(given) == [("passthrough", "cdi-spec-missing")]
    assert only(given, "cdi-spec-missing").fix[-1][:3] == ("nvidia-ctk", "cdi", "generate")


def test_nouveau_is_named_as_what_holds_the_card(tmp_path: Path) -> None:
    given = from_tree(tmp_path, host_trees.NOUVEAU, distribution=DEBIAN)
    assert broken(given) == [("driver", "nouveau")]
    assert "sudo apt-get install linux-headers-amd64 nvidia-driver" in only(given, "nouveau").remedy
    assert "container toolkit  not looked at: a link before it is broken" in text(given)


def test_wsl_without_a_driver_is_told_to_look_into_windows(tmp_path: Path) -> None:
    given = from_tree(tmp_path, host_trees.WSL_WITHOUT_DRIVER)
    assert broken(given) == [("driver", "driver-missing")]
    remedy = only(given, "driver-missing").remedy
    assert "update the NVIDIA driver in Windows" in remedy
    assert "apt-get" not in remedy


def test_an_amd_server_is_fine(tmp_path: Path) -> None:
    given = from_tree(tmp_path, host_trees.AMD_SERVER)
    assert broken(given) == []
    assert "2 × AMD Instinct MI210 (64 GB)" in text(given)
    assert "amdgpu with /dev/kfd, ROCm 6.4.1" in text(given)


def test_a_jetson_is_fine_with_its_runtime(tmp_path: Path) -> None:
    given = from_tree(tmp_path, host_trees.JETSON, replace(DOCKER, runtimes=("nvidia", "runc"), arch="arm64"))
    assert broken(given) == []
    assert "NVIDIA Jetson AGX Orin" in text(given)


def test_a_kernel_module_without_its_libraries(tmp_path: Path) -> None:
    host = from_tree(tmp_path, host_trees.KERNEL_ONLY).host
    assert host.details is not None
    given = facts(replace(host, details=replace(host.details, nvml="absent")))
    assert ("nvml", "nvml-missing") in broken(given)


def test_a_driver_updated_under_its_old_module_asks_for_a_restart() -> None:
    host = nvidia_host(card(0), nvml="mismatch", nvml_said="Driver/library version mismatch")
    because = Unknown("NVML does not start")
    given = facts(replace(host, gpus=because), CDI, tools=frozenset({"nvidia-ctk"}))
    assert broken(given) == [("nvml", "nvml-mismatch")]
    assert only(given, "nvml-mismatch").remedy.startswith("restart the machine")


def test_a_missing_uvm_file_is_mended_by_loading_its_module() -> None:
    given = facts(
        nvidia_host(card(0), nodes=(("/dev/nvidia0", 0), ("/dev/nvidiactl", 0))), CDI, tools=frozenset({"nvidia-ctk"})
    )
    assert broken(given) == [("nvml", "uvm-missing")]
    assert only(given, "uvm-missing").fix == (("modprobe", "nvidia-uvm"),)


@pytest.mark.parametrize(
    ("state", "id"),
    [
        ({"ecc_errors": 3}, "gpu-ecc"),
        ({"compute_mode": "prohibited"}, "gpu-prohibited"),
        ({"compute_mode": "exclusive", "processes": 1}, "gpu-exclusive"),
        ({"is_mig_on": True}, "mig-empty"),
    ],
)
def test_a_card_that_cannot_be_used_says_why(state: dict[str, object], id: str) -> None:
    assert only(facts(nvidia_host(card(0, **state)), CDI, tools=frozenset({"nvidia-ctk"})), id).link == "gpu"


def test_a_lost_card_is_told() -> None:
    host = nvidia_host(card(0), lost=("GPU 1 does not answer: GPU is lost",))
    assert ("gpu", "gpu-lost") in broken(facts(host, CDI, tools=frozenset({"nvidia-ctk"})))


def test_a_stopped_engine_is_started_by_fix_where_systemd_can() -> None:
    given = facts(NO_GPU, STOPPED)
    assert broken(given) == [("engine", "engine-unreachable")]
    assert only(given, "engine-unreachable").fix == (("systemctl", "start", "docker"),)
    assert only(facts(NO_GPU, STOPPED, tools=frozenset({"docker"})), "engine-unreachable").fix == ()
    assert text(given).endswith("broken: engine")


def test_an_engine_at_another_place_is_not_this_one_to_start() -> None:
    elsewhere = replace(STOPPED, message="no container engine answers at unix:///tmp/none.sock; its socket file does not exist")
    found = only(facts(NO_GPU, elsewhere), "engine-unreachable")
    assert (found.fix, "DOCKER_HOST" in found.remedy) == ((), True)


def test_a_forbidden_socket_is_no_stopped_engine() -> None:
    denied = Trouble(
        code="engine-unreachable",
        message="no container engine answers at unix:///var/run/docker.sock; this user may not open its socket",
    )
    assert "usermod -aG docker" in only(facts(NO_GPU, denied), "engine-denied").remedy


def test_an_engine_that_is_not_installed_is_installed_with_this_distribution_s_tool() -> None:
    absent = replace(STOPPED, message=STOPPED.message.replace("nobody listens there", "its socket file does not exist"))
    assert "sudo dnf install" in only(facts(NO_GPU, absent, tools=frozenset(), distribution=FEDORA), "engine-missing").remedy


def test_a_workspace_whose_torch_wants_a_newer_driver() -> None:
    built = Built(image="mnist:latest", torch="2.13.0", variant=Variant.parse("cu130"))
    given = facts(nvidia_host(card(0)), CDI, tools=frozenset({"nvidia-ctk"}), built=built)
    assert broken(given) == [("torch", "driver-too-old")]
    assert "needs driver 580" in only(given, "driver-too-old").message


def test_a_cpu_build_on_a_machine_with_a_gpu_is_worth_a_warning() -> None:
    built = Built(image="mnist:latest", torch="2.13.0", variant=Variant.parse("cpu"))
    given = facts(nvidia_host(card(0)), CDI, tools=frozenset({"nvidia-ctk"}), built=built)
    assert only(given, "torch-is-cpu").severity is Severity.WARNING
    assert only(facts(NO_GPU, built=built), "torch").severity is Severity.INFO


def test_a_device_that_did_not_arrive_breaks_the_container_s_link() -> None:
    inside = report("none", gpu__wiring="fail", gpu__visible="fail")
    given = facts(nvidia_host(card(0)), CDI, tools=frozenset({"nvidia-ctk"}), inside=inside)
    assert broken(given) == [("container", "gpu.wiring"), ("kernel", "gpu.visible")]
    assert only(given, "gpu.wiring").remedy == "do this"


def test_a_mock_device_never_says_that_the_gpu_works() -> None:
    given = facts(NO_GPU, CDI, inside=report("mock", gpu__wiring="pass", gpu__visible="skip"))
    assert "wiring pass, compute not run" in text(given)
    assert "computed on" not in text(given)


def test_where_nothing_is_built_the_container_is_not_asked() -> None:
    given = facts(nvidia_host(card(0)), CDI, tools=frozenset({"nvidia-ctk"}), inside=Unknown("no workspace is built yet"))
    assert only(given, "container-not-asked").severity is Severity.WARNING


def test_a_container_that_the_engine_refuses_breaks_its_link_with_the_engine_s_words() -> None:
    refused = Trouble(code="engine-refused", message="the engine cannot hand a GPU to the container; no hook", hints=("look",))
    given = facts(nvidia_host(card(0)), CDI, tools=frozenset({"nvidia-ctk"}), inside=refused)
    assert broken(given) == [("container", "container-refused")]
    assert only(given, "container-refused").remedy == "look"


def test_a_container_is_only_asked_where_the_links_before_it_hold() -> None:
    assert may_ask_a_container(facts(nvidia_host(card(0)), CDI, tools=frozenset({"nvidia-ctk"})))
    assert not may_ask_a_container(facts(nvidia_host(card(0))))
    assert not may_ask_a_container(facts(NO_GPU, STOPPED))


def test_a_remote_engine_is_not_judged_by_this_machine_s_path() -> None:
    remote = replace(CDI, is_remote=True, endpoint="ssh://gpu-box")
    assert [one.link for one in examine(facts(nvidia_host(card(0)), remote)) if one.id == "toolkit-missing"] == []


def test_every_finding_but_the_good_ones_has_a_remedy_and_a_known_link(tmp_path: Path) -> None:
    links = {check.name for check in CHECKS}
    for number, tree in enumerate(
        (host_trees.NOUVEAU, host_trees.WSL_WITHOUT_DRIVER, host_trees.AMD_SERVER, host_trees.JETSON)
    ):
        for engine in (DOCKER, CDI, STOPPED):
            folder = tmp_path / f"{number}{engine is CDI}{engine is STOPPED}"
            for one in examine(from_tree(folder, tree, engine)):
                assert one.link in links
                assert one.severity is Severity.INFO or one.remedy, one


def test_the_summary_counts() -> None:
    findings = (
        Finding(id="a", severity=Severity.ERROR, message="", link="driver"),
        Finding(id="b", severity=Severity.WARNING, message="", link="disk"),
        Finding(id="c", severity=Severity.WARNING, message="", link="network"),
    )
    assert summary(TITLES, findings) == "broken: driver; 2 warnings"


def test_the_driver_is_compared_as_a_version() -> None:
    built = Built(image="x", torch="2.6.0", variant=Variant.parse("cu126"))
    host = replace(nvidia_host(card(0)), driver=DriverVersion.parse("525.60.13"))
    assert broken(facts(host, CDI, tools=frozenset({"nvidia-ctk"}), built=built)) == []
