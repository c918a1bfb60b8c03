"""What the GPU checks share: what the engine put into this container, the driver's libraries, and running on a device."""

import ctypes
import gc
import glob
import os
import re
import stat

from probe_kit import failed, skipped

NODES = ("/dev/nvidia[0-9]*", "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/dxg", "/dev/kfd", "/dev/dri/renderD*", "/dev/nvmap")
OTHER_NODES = ("/dev/wsb*",)
NOT_ASKED = "no device was asked for"
NOT_HERE = "no GPU is visible in this container: see gpu.visible"
MOCK = "compute not run: the device is a mock"
LEFT_MIB = 128  # libraries keep their workspaces


class Wiring:
    """The device files of GPUs here. is_mock: a test engine's: it says so, or its files are /dev/null or the like."""

    def __init__(self):
        self.nodes = sorted(path for pattern in NODES + OTHER_NODES for path in glob.glob(pattern))
        self.is_mock = bool(os.environ.get("WSB_CDI_MOCK")) or any(is_stand_in(path) for path in self.nodes)

    @property
    def cards(self):
        """Those of one NVIDIA card each."""
        return [path for path in self.nodes if re.match(r"/dev/nvidia\d+$", path)]

    def document(self):
        return {"nodes": self.nodes, "is_mock": self.is_mock}


def is_stand_in(path):
    """Whether a device file is the kernel's memory driver (major 1: null, zero, …) or no device at all."""
    try:
        facts = os.stat(path)
    except OSError:
        return False
    return not stat.S_ISCHR(facts.st_mode) or os.major(facts.st_rdev) == 1


def library(name):
    """(the loaded library, "") or (None, why not)."""
    try:
        return ctypes.CDLL(name), ""
    except OSError as error:
        return None, str(error)


def path_of(name):
    """Where the kernel mapped a loaded library from, links followed; None when it is not loaded."""
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as file:
            for line in file:
                path = line.rstrip("\n").partition("/")[2]
                if os.path.basename(path).startswith(name):
                    return "/" + path
    except OSError:
        pass
    return None


def why_not_asked(context):
    """The reason to skip before anything is looked at; None when a GPU is wanted here."""
    return NOT_ASKED if context.gpu_mode == "none" else None


def was_handed_in(gpu):
    """Whether the engine was asked for a GPU; then none is a failure even where none was required."""
    return gpu.get("way") not in (None, "none")


def accelerator(torch):
    """What torch calls the device that is there: cuda (ROCm's too), xpu, or None."""
    if torch.cuda.is_available():
        return "cuda"
    xpu = getattr(torch, "xpu", None)
    return "xpu" if xpu is not None and hasattr(xpu, "is_available") and xpu.is_available() else None


def device_names(torch):
    """The names of the devices that torch sees."""
    kind = accelerator(torch)
    if kind is None:
        return []
    module = getattr(torch, kind)
    return [module.get_device_name(number) for number in range(module.device_count())]


def on_device(context, compute):
    """compute's answer on the first device, with the device's name in it; a skip where there is none.

    compute: a function of what `.to()` takes. What it leaves in the device's memory afterwards is a failure too.
    """
    reason = why_not_asked(context)
    if reason:
        return skipped(reason)
    import torch

    kind = accelerator(torch)
    if kind is None:
        return skipped(MOCK if Wiring().is_mock else NOT_HERE)
    exact_arithmetic(torch)
    answer = compute(kind)
    measured = answer["measured"]
    if answer["status"] == "skip":
        return answer
    if not isinstance(measured, dict):
        measured = {"said": measured}
    measured["device"] = getattr(torch, kind).get_device_name(0)
    answer["measured"] = measured
    left = left_mib(torch) if kind == "cuda" else 0
    if answer["status"] == "pass" and left > LEFT_MIB:
        return failed(dict(measured, left_mib=left), "its memory is returned", "%d MiB stay allocated on the device" % left)
    return answer


def exact_arithmetic(torch):
    """TF32 and sums kept in half precision are a choice of speed over digits, not an error; here digits count."""
    matmul = getattr(getattr(torch.backends, "cuda", None), "matmul", None)
    for name in ("allow_tf32", "allow_fp16_reduced_precision_reduction", "allow_bf16_reduced_precision_reduction"):
        if matmul is not None and hasattr(matmul, name):
            setattr(matmul, name, False)
    torch.backends.cudnn.allow_tf32 = False


def left_mib(torch):
    """What is still allocated when everything that can be let go has been."""
    gc.collect()
    clear = getattr(torch._C, "_cuda_clearCublasWorkspaces", None)
    if clear is not None:
        clear()
    torch.cuda.empty_cache()
    return int(torch.cuda.memory_allocated() // 1048576)


def capability(torch):
    """(8, 6) for an RTX 3090; None for what is no NVIDIA card."""
    if getattr(torch.version, "hip", None) or not torch.cuda.is_available():
        return None
    return tuple(torch.cuda.get_device_capability(0))
