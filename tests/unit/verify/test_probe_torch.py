"""The torch checks can fail: against stand-ins for torch everywhere, against the real one where there is one."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path
from textwrap import dedent

import pytest

from builder.model.report import Status

from .conftest import PROBES, RunProbes, run_probes

FAULT_SCRIPT = Path(__file__).parents[2] / "support" / "torch_faults.py"


def stand_in(folder: Path, *, version: str, cuda: str | None = None, hip: str | None = None) -> dict[str, str]:
    """A module called torch that knows its version and nothing else."""
    package = folder / "torch"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(f"from . import version\n__version__ = {version!r}\n")
    (package / "version.py").write_text(f"cuda = {cuda!r}\nhip = {hip!r}\n")
    return {"PYTHONPATH": str(folder)}


@pytest.mark.parametrize(
    ("version", "cuda", "hip", "planned", "is_right"),
    [
        ("2.6.0+cu126", "12.6", None, ("2.6.0", "cu126"), (True, True)),
        ("2.6.0", "12.6", None, ("2.6.0", "cu126"), (True, True)),  # the default index's and conda-forge's builds carry no tag
        ("2.6.0", None, None, ("2.6.0", "cpu"), (True, True)),
        ("2.6.0+cpu", None, None, ("2.6.0", "cu126"), (True, False)),
        ("2.6.0+cu124", "12.4", None, ("2.6.0", "cu126"), (True, False)),
        ("2.6.0+cu126", "12.6", None, ("2.6.1", "cu126"), (False, True)),
        ("2.10.0", "12.6", None, ("2.1.0", "cu126"), (False, True)),
        ("2.6.0+cpu", "12.6", None, ("2.6.0", "cpu"), (True, False)),  # what was compiled in counts, not the tag
        ("1.13.1", "11.7", None, ("1.13.1", "cu117"), (True, True)),
        ("2.6.0+rocm6.2.4", None, "6.2.41134-65d174c3e", ("2.6.0", "rocm6.2.4"), (True, True)),
        ("2.6.0+rocm6.1", None, "6.1.40091", ("2.6.0", "rocm6.2.4"), (True, False)),
        ("2.8.0+xpu", None, None, ("2.8.0", "xpu"), (True, True)),
    ],
)
def test_release_and_build_are_held_against_the_plan(probes: RunProbes, tmp_path, version, cuda, hip, planned, is_right):
    env = stand_in(tmp_path, version=version, cuda=cuda, hip=hip)
    expect = {"torch": {"version": planned[0], "variant": planned[1]}}
    ran = probes("--check", "torch.version", "--check", "torch.variant", expect=expect, env=env)
    statuses = tuple(ran[id].status is Status.PASS for id in ("torch.version", "torch.variant"))
    assert statuses == is_right
    assert Status.SKIP not in {check.status for check in ran.report.checks}


@pytest.mark.parametrize(
    ("module", "plan", "status"),
    [
        (None, {"torchvision": "0.21.0", "companions": ["torchvision"]}, Status.FAIL),
        (None, {"torchvision": "0.21.0", "companions": []}, Status.SKIP),
        ("__version__ = '0.21.0+cu126'", {"torchvision": "0.21.0"}, Status.PASS),
        ("__version__ = '0.20.0'", {"torchvision": "0.21.0"}, Status.FAIL),
        ("raise RuntimeError('operator torchvision::nms does not exist')", {"torchvision": "0.21.0"}, Status.FAIL),
    ],
)
def test_a_companion_must_be_the_one_made_for_this_torch(probes: RunProbes, tmp_path: Path, module, plan, status: Status):
    env = stand_in(tmp_path, version="2.6.0")
    if module:
        (tmp_path / "torchvision.py").write_text(module)
    ran = probes("--check", "torch.torchvision", expect={"torch": plan}, env=env)
    assert ran["torch.torchvision"].status is status
    if status is Status.FAIL and module and "raise" in module:
        assert "nms" in ran["torch.torchvision"].measured


GPU_STAND_IN = """
from . import version
__version__ = "2.6.0"
class cuda:
    @staticmethod
    def is_available(): return {names!r} != []
    @staticmethod
    def device_count(): return len({names!r})
    @staticmethod
    def get_device_name(number): return {names!r}[number]
class ones:
    def __init__(self, count, device): pass
    def __add__(self, one): return self
    def cpu(self): return {result!r}
"""


@pytest.mark.parametrize(
    ("names", "result", "gpu", "mock", "status", "device"),
    [
        ([], 2.0, {"mode": "none"}, False, Status.SKIP, "none"),
        (["NVIDIA H200"], 2.0, {"mode": "none"}, False, Status.SKIP, "none"),
        ([], 2.0, {"mode": "auto"}, False, Status.SKIP, "none"),
        ([], 2.0, {"mode": "auto", "way": "cdi"}, False, Status.FAIL, "none"),  # it was handed in, and did not arrive
        ([], 2.0, {"mode": "required"}, False, Status.FAIL, "none"),
        ([], 2.0, {"mode": "required"}, True, Status.SKIP, "mock"),
        (["NVIDIA H200"], 2.0, {"mode": "required"}, False, Status.PASS, "NVIDIA H200"),
        (["NVIDIA H200"], 3.0, {"mode": "required"}, False, Status.FAIL, "NVIDIA H200"),
        (["NVIDIA H200"], 2.0, {"mode": "required", "count": 2}, False, Status.FAIL, "NVIDIA H200"),
        (["NVIDIA H200"] * 2, 2.0, {"mode": "required", "count": 2}, True, Status.PASS, "NVIDIA H200"),
    ],
)
def test_a_gpu_counts_only_when_it_was_asked_for_and_adds_up(probes, tmp_path, names, result, gpu, mock, status, device):
    env = stand_in(tmp_path, version="2.6.0", cuda="12.6")
    (tmp_path / "torch" / "__init__.py").write_text(GPU_STAND_IN.format(names=names, result=result))
    ran = probes("--check", "gpu.visible", expect={"gpu": gpu}, env={**env, "WSB_CDI_MOCK": "1" if mock else ""})
    assert ran["gpu.visible"].status is status, ran["gpu.visible"]
    assert ran.report.device == device


@pytest.mark.parametrize(
    ("mode", "mock", "reason"),
    [
        ("auto", "", "no GPU is visible in this container"),
        ("auto", "1", "compute not run: the device is a mock"),
        ("required", "", "torch sees no GPU: see gpu.visible"),
        ("none", "", "no device was asked for"),
    ],
)
def test_where_torch_sees_no_gpu_nothing_more_is_started_to_say_so(probes: RunProbes, tmp_path: Path, mode, mock, reason):
    env = stand_in(tmp_path, version="2.6.0", cuda="12.6")
    counted = tmp_path / "imports"
    source = GPU_STAND_IN.format(names=[], result=2.0) + f"open({str(counted)!r}, 'a').write('.')\n"
    (tmp_path / "torch" / "__init__.py").write_text(source)
    ran = probes("--group", "gpu", expect={"gpu": {"mode": mode}}, env={**env, "WSB_CDI_MOCK": mock})
    later = [check for check in ran.report.checks if check.id in ("gpu.matmul.fp32", "gpu.nccl", "gpu.memory", "gpu.tflops")]
    assert [(check.status, check.hint) for check in later] == [(Status.SKIP, reason)] * 4
    assert len(counted.read_text()) <= 3  # for gpu.driver, and for gpu.visible itself


def test_quick_looks_for_a_gpu_only_when_one_is_wanted(probes: RunProbes, tmp_path: Path):
    env = stand_in(tmp_path, version="2.6.0")
    without = probes("--quick", "--group", "gpu", env=env)
    wanted = probes("--quick", "--group", "gpu", expect={"gpu": {"mode": "auto"}}, env=env)
    assert [check.id for check in without.report.checks] == []
    ids = ["gpu.wiring", "gpu.nvml", "gpu.cuda", "gpu.visible", "gpu.matmul.fp32"]
    assert [check.id for check in wanted.report.checks] == ids


# --- with the real torch --------------------------------------------------------------------------------------------


def test_the_real_torch_passes(torch_python: str):
    ran = run_probes("--group", "torch,compute,data,gpu", python=torch_python, expect={"gpu": {"mode": "none"}})
    assert {check.id: check.measured for check in ran.report.checks if check.status is Status.FAIL} == {}
    assert {ran[id].status for id in ("compute.matmul.fp32", "compute.autograd", "compute.sgd", "data.loader")} == {Status.PASS}
    assert {check.status for check in ran.report.checks if check.group == "gpu"} == {Status.SKIP}


FAULTS = {
    "compute.matmul.fp32": "torch.matmul = lambda a, b: real.matmul(a, b) * (1 + 1e-4)",
    "compute.matmul.fp64": "torch.matmul = lambda a, b: real.matmul(a.float(), b.float()).double()",
    "compute.matmul.bf16": "torch.matmul = lambda a, b: real.matmul(a, b) * (1.05 if a.dtype == torch.bfloat16 else 1)",
    "compute.conv2d.fp32": "F.conv2d = lambda x, w, b, padding: real.conv2d(x, w, b, padding=padding).roll(1, -1)",
    "compute.softmax.fp32": "torch.softmax = lambda x, dim: real.softmax(x * 1.0001, dim)",
    "compute.layer_norm.fp32": "F.layer_norm = lambda x, shape, w, b, eps: real.layer_norm(x, shape, w, b, 1e-2)",
    "compute.reduce.fp32": "torch.Tensor.argmax = lambda x: torch.argmin(x)",
    "compute.svd.fp32": "torch.linalg.svd = lambda a, full_matrices: [part * 1.001 for part in real.svd(a, False)]",
    "compute.sdpa.fp32": "F.scaled_dot_product_attention = lambda *qkv, is_causal: real.scaled_dot_product_attention(*qkv)",
    "compute.gradcheck": """
        class Lazy(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return real.tanh(x)
            @staticmethod
            def backward(ctx, grad):
                return grad
        torch.tanh = Lazy.apply
        """,
    "compute.autograd": "torch.Tensor.backward = lambda self: real.backward(self * 1.0001)",
    "compute.sgd": "torch.optim.SGD.step = lambda self: (real.step(self), real.step(self))",
    "torch.numpy": "torch.from_numpy = lambda array: real.from_numpy(array) + 1",
    "data.loader": "torch.utils.data.DataLoader.__iter__ = lambda self: reversed(list(real.__iter__(self)))",
}

SPOILT = """
import sys
from types import SimpleNamespace
sys.path.remove({folder!r})
del sys.modules["torch"]
import torch
import torch.nn.functional as F
import torch.utils.data
places = (torch.Tensor, torch, torch.linalg, F, torch.optim.SGD, torch.utils.data.DataLoader)
names = "matmul softmax tanh from_numpy svd conv2d layer_norm scaled_dot_product_attention step __iter__ backward".split()
real = SimpleNamespace(**{{name: getattr(place, name) for name in names for place in places if hasattr(place, name)}})
"""


def spoilt(folder: Path, fault: str) -> dict[str, str]:
    """A module called torch that hands out the real one with a function replaced."""
    (folder / "torch.py").write_text(SPOILT.format(folder=str(folder)) + dedent(fault))
    return {"PYTHONPATH": str(folder)}


def test_the_spoilt_torch_is_otherwise_the_real_one(torch_python: str, tmp_path: Path):
    ran = run_probes("--group", "compute", "--quick", python=torch_python, env=spoilt(tmp_path, ""))
    assert {check.status for check in ran.report.checks} == {Status.PASS}


@pytest.fixture(scope="module")
def with_faults(torch_python: str) -> dict[str, dict[str, object]]:
    """Check → its answer beside the fault that is made for it; all of them in forks of one Python, which imports torch once."""
    asked = "".join(json.dumps({"check": id, "fault": dedent(fault)}) + "\n" for id, fault in FAULTS.items())
    command = [torch_python, str(FAULT_SCRIPT), str(PROBES)]
    ran = subprocess.run(command, input=asked, capture_output=True, text=True, check=True)
    answers = [json.loads(line.partition(":")[2]) for line in ran.stdout.splitlines() if line.startswith("answer:")]
    return {answer["check"]: answer for answer in answers}


@pytest.mark.parametrize("id", sorted(FAULTS))
def test_a_fault_in_torch_is_found(with_faults: dict[str, dict[str, object]], id: str):
    answer = with_faults[id]
    assert answer["status"] == "fail"
    assert "Traceback" not in str(answer["hint"])  # the fault was measured; it did not merely break the check


def test_an_error_in_every_type_does_not_hide_behind_the_reference(torch_python: str, tmp_path: Path):
    """matmul is wrong in float64 by the same factor: only math.fsum can tell."""
    env = spoilt(tmp_path, "torch.matmul = lambda a, b: real.matmul(a, b) * 1.5")
    check = run_probes("--check", "compute.matmul.fp32", python=torch_python, env=env)["compute.matmul.fp32"]
    assert check.status is Status.FAIL
    assert "math.fsum" in check.measured


def test_the_shm_that_docker_gives_by_default_is_found_too_small_for_the_workers(torch_python: str, tmp_path: Path):
    small = 'mount -t tmpfs -o size=64m none /dev/shm && exec "$@"'
    inside = ["unshare", "--mount", "--map-root-user", "sh", "-c", small, "sh"]
    if subprocess.run([*inside, "true"], capture_output=True, check=False).returncode:
        pytest.skip("a /dev/shm of its own cannot be mounted here (unshare --mount is refused)")
    script = tmp_path / "python"
    script.write_text(f'#!/bin/sh\nexec {shlex.join(inside)} {shlex.quote(torch_python)} "$@"\n')
    script.chmod(0o755)
    ran = run_probes("--check", "data.loader", "--check", "environment.shm", python=str(script), expect={"shm_bytes": 8 << 30})
    assert {check.status for check in ran.report.checks} == {Status.FAIL}
    assert "run.shm_size" in ran["data.loader"].hint
    assert ran["environment.shm"].measured == "64 MiB"


PRETENDED = """
to = torch.Tensor.to
torch.Tensor.to = lambda self, *place: {result} if place == ("cuda",) else to(self, *place)
torch.cuda.is_available = lambda: True
torch.cuda.get_device_name = lambda number=0: "a pretended GPU"
"""


@pytest.mark.parametrize(("result", "status"), [("self", Status.PASS), ("self * 1.001", Status.FAIL)])
def test_the_gpus_checks_compute_there_and_say_on_what(torch_python: str, tmp_path: Path, result: str, status: Status):
    """No GPU is needed to show that these checks compare what comes back from the device."""
    env = spoilt(tmp_path, PRETENDED.format(result=result))
    ran = run_probes("--check", "gpu.matmul.fp32", python=torch_python, env=env, expect={"gpu": {"mode": "required"}})
    assert ran["gpu.matmul.fp32"].status is status, ran.report
    assert ran.report.device == "a pretended GPU"
