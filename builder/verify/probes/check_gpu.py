"""Is a GPU reached from here, and does it compute? Without one, these checks say so and claim nothing.

The mode comes with the expectations: none (nobody asked for a GPU), auto (use one if it is there), required. A mock device
(a test engine's) shows as WSB_CDI_MOCK in the environment: the wiring is then there, and nothing can be computed. Every
check has a Python of its own: CUDA does not survive a fork, and an error inside it poisons the process.
"""

import glob
import os

from check_compute import conv2d_fp32, matmul_fp32
from check_learning import sgd_step
from probe_kit import FRESH, check, failed, first_lines, passed, skipped

NODES = ("/dev/nvidia[0-9]*", "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/dxg", "/dev/kfd", "/dev/dri/renderD*", "/dev/wsb*")
NOT_ASKED = "no device was asked for"


def wiring():
    """What the engine put into this container for a GPU."""
    nodes = sorted(path for pattern in NODES for path in glob.glob(pattern))
    return {"nodes": nodes, "is_mock": bool(os.environ.get("WSB_CDI_MOCK"))}


@check("gpu.visible", limit_s=120, start=FRESH)
def visible(context):
    """Whether torch finds the devices that were asked for, and each can add one and one."""
    mode, wanted = context.gpu_mode, (context.get("gpu") or {}).get("count")
    expected = "%s device" % (wanted or "at least one")
    if mode == "none":
        return skipped(NOT_ASKED)
    measured = dict(wiring(), devices=[])
    try:
        import torch

        names = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
        if torch.cuda.is_available():
            measured["devices"] = names
    except Exception as error:
        return failed(
            dict(measured, error=first_lines(str(error), 2)), expected, "the driver's libraries are there, and do not work"
        )
    if not measured["devices"]:
        if measured["is_mock"]:
            return passed(measured, expected, "wiring pass, compute not run: the device is a mock")
        if mode == "auto":
            return skipped("no GPU is visible in this container", measured)
        return failed(measured, expected, why_invisible(torch, measured))
    for number in range(len(names)):
        if float((torch.ones(1, device="cuda:%d" % number) + 1).cpu()) != 2.0:
            return failed(measured, expected, "device %d gives wrong results" % number)
    if wanted and len(names) != wanted:
        return failed(measured, expected, "another number of devices than asked for is visible")
    return passed(measured, expected)


def why_invisible(torch, measured):
    if torch.version.cuda is None and getattr(torch.version, "hip", None) is None:
        return "this torch was built for the CPU only: it cannot use a GPU however it is passed in"
    if not measured["nodes"]:
        return "the engine passed no device in: was the container started with one?"
    return "device files are there, and torch does not see a GPU: the driver's libraries are missing or too old for this build"


def on_device(context, compute):
    """compute's answer on the first device, with the device's name in it; a skip where there is none."""
    if context.gpu_mode == "none":
        return skipped(NOT_ASKED)
    import torch

    if not torch.cuda.is_available():
        return skipped("no GPU is visible in this container: see gpu.visible")
    if hasattr(getattr(torch.backends, "cuda", None), "matmul"):
        torch.backends.cuda.matmul.allow_tf32 = False  # TF32 is a choice of speed over digits, not an error; here digits count
    torch.backends.cudnn.allow_tf32 = False
    answer = compute("cuda")
    if isinstance(answer["measured"], dict):
        answer["measured"]["device"] = torch.cuda.get_device_name(0)
    return answer


@check("gpu.matmul.fp32", limit_s=180, start=FRESH)
def matmul(context):
    return on_device(context, matmul_fp32)


@check("gpu.conv2d.fp32", limit_s=180, start=FRESH)
def conv2d(context):
    return on_device(context, conv2d_fp32)


@check("gpu.sgd", limit_s=180, start=FRESH)
def sgd(context):
    return on_device(context, sgd_step)
