"""What the engine put in, and the driver as it is reached from inside: device files, NVML, libcuda, and whose libcuda it is.

Without torch but for the last, so that trouble with the driver is told apart from trouble with torch.
"""

import ctypes
import os
import re

import probe_nvml
from probe_gpu import MOCK, Wiring, library, path_of, was_handed_in, why_not_asked
from probe_kit import WARM, check, failed, passed, skipped, verdict


@check("gpu.wiring", limit_s=30, is_quick=True)
def wiring(context):
    """Whether the engine put in what was asked for, and this user may use it."""
    reason = why_not_asked(context)
    if reason:
        return skipped(reason)
    gpu = context.get("gpu") or {}
    found = Wiring()
    measured = dict(found.document(), way=gpu.get("way"), visible=os.environ.get("NVIDIA_VISIBLE_DEVICES"))
    measured = {name: value for name, value in measured.items() if value is not None}
    expected = "%s GPU's device files, open to this user" % (gpu.get("count") or "at least one")
    if not found.nodes:
        if context.gpu_mode == "auto" and not was_handed_in(gpu):
            return skipped("no GPU was put into this container", measured)
        return failed(measured, expected, "the engine passed no device in: was the container started with one?")
    shut = [path for path in found.nodes if os.path.exists(path) and not os.access(path, os.R_OK | os.W_OK)]
    if shut:
        hint = "uid %d may not open %s: its group must be among the container's (--group-add)" % (os.getuid(), ", ".join(shut))
        return failed(dict(measured, shut=shut), expected, hint)
    if gpu.get("count") and found.cards and len(found.cards) != gpu["count"]:
        return failed(measured, expected, "another number of GPUs than asked for was passed in")
    if found.cards and "/dev/nvidia-uvm" not in found.nodes:
        return failed(measured, expected, NO_UVM)
    return passed(measured, expected, "wiring pass, " + MOCK if found.is_mock else "")


NO_UVM = "/dev/nvidia-uvm is missing, and CUDA needs it: `nvidia-modprobe -u -c 0` on the host, then generate the CDI spec anew"


@check("gpu.nvml", limit_s=60, is_quick=True)
def nvml(context):
    """The driver as it is reached from here, and the GPUs it shows, by UUID, beside those of the host."""
    reason = why_not_asked(context)
    if reason:
        return skipped(reason)
    gpu, found = context.get("gpu") or {}, Wiring()
    if not found.nodes:
        return skipped("no GPU was put into this container: see gpu.wiring")
    if not (found.cards or "/dev/dxg" in found.nodes):
        return skipped("these device files are no NVIDIA card's; only NVIDIA has NVML")
    wanted = set(gpu.get("uuids") or ())
    expected = {"uuids": sorted(wanted)} if wanted else "a driver, and at least one GPU"
    try:
        told = probe_nvml.ask()
    except OSError as error:
        if found.is_mock:
            return skipped(MOCK)
        hint = "the driver's libraries are not here: the capability `utility` was not asked for, or the engine skipped them"
        return failed(str(error), expected, hint)
    except probe_nvml.Broken as error:
        return failed(str(error), expected, nvml_hint(str(error)))
    measured = {"driver": told.driver, "cuda": "%d.%d" % told.cuda if told.cuda else None, "lost": told.lost}
    measured["cards"] = [describe(card) for card in told.cards]
    if found.is_mock:
        measured["is_mock"] = True
    uuids = {card.uuid for card in told.cards}
    if told.lost:
        return failed(
            measured, expected, "a GPU fell off the bus: see dmesg for Xid errors; a restart of the host is the usual cure"
        )
    if not told.cards:
        return failed(measured, expected, "the driver is reached, and shows no GPU in this container")
    if wanted and not wanted <= uuids:
        return failed(
            measured, expected, "other GPUs than those asked for are here: missing %s" % ", ".join(sorted(wanted - uuids))
        )
    if gpu.get("count") and len(uuids) != gpu["count"]:
        return failed(measured, expected, "%d GPUs were asked for, %d are here" % (gpu["count"], len(uuids)))
    return passed(measured, expected, ecc_hint(told.cards))


def describe(card):
    facts = {"name": card.name, "uuid": card.uuid, "memory_mib": card.memory_mib, "free_mib": card.free_mib}
    if card.is_mig_on:
        facts["is_mig_on"] = True
    if card.ecc_errors:
        facts["ecc_errors"] = card.ecc_errors
    return facts


def ecc_hint(cards):
    spoilt = ["%s: %d" % (card.name, card.ecc_errors) for card in cards if card.ecc_errors]
    return (
        "uncorrected memory errors since the driver was loaded (%s): have the card looked at" % ", ".join(spoilt)
        if spoilt
        else ""
    )


MISMATCH = (
    "the host's driver was updated and the host not restarted, or a CDI spec names the old driver's libraries: restart, or "
    "generate the spec anew"
)
LOST_DEVICES = (
    "the container lost its devices: after `systemctl daemon-reload` it must be started anew; CDI does not have this trouble"
)


def nvml_hint(text):
    if "mismatch" in text.lower():
        return MISMATCH
    if "Unknown Error" in text:
        return LOST_DEVICES
    return "nvidia-smi on the host says more; `wsb doctor` looks there"


@check("gpu.cuda", limit_s=60, is_quick=True)
def cuda(context):
    """cuInit and the count of devices: the driver alone, without torch. Forked from a Python that never touched CUDA."""
    reason = why_not_asked(context)
    if reason:
        return skipped(reason)
    found = Wiring()
    if not (found.cards or "/dev/dxg" in found.nodes or "/dev/nvmap" in found.nodes):
        return skipped("no NVIDIA device was put into this container: see gpu.wiring")
    expected = "cuInit answers 0 and there is at least one device"
    driver, why = library("libcuda.so.1")
    if driver is None:
        if found.is_mock:
            return skipped(MOCK)
        return failed(
            why, expected, "libcuda is not here: the capability `compute` was not asked for, or the engine skipped it"
        )
    code, count, version = driver.cuInit(0), ctypes.c_int(0), ctypes.c_int(0)
    if code:
        return failed("cuInit: %s" % cuda_error(driver, code), expected, CUDA_HINTS.get(code, ""))
    driver.cuDriverGetVersion(ctypes.byref(version))
    code = driver.cuDeviceGetCount(ctypes.byref(count))
    measured = {"devices_counted": count.value, "cuda": "%d.%d" % (version.value // 1000, version.value % 1000 // 10)}
    return verdict(
        code == 0 and count.value > 0, measured, expected, "CUDA_VISIBLE_DEVICES=%r" % os.environ.get("CUDA_VISIBLE_DEVICES")
    )


CUDA_HINTS = {
    3: "the driver could not be started",
    35: "the driver is older than this libcuda",
    100: "no device is visible to CUDA: /dev/nvidia-uvm, permissions, or CUDA_VISIBLE_DEVICES",
    802: "the NVSwitch fabric is not up: start nvidia-fabricmanager on the host, in the driver's version",
    803: "libcuda and the kernel's driver do not fit each other: see gpu.compat",
    804: "a cuda-compat library shadows the driver's own, and this card does not support it: see gpu.compat",
    999: "unknown to the driver: dmesg on the host may say more (Xid); nvidia-uvm may have to be loaded anew",
}


def cuda_error(driver, code):
    text = ctypes.c_char_p()
    if driver.cuGetErrorString(code, ctypes.byref(text)) == 0 and text.value:
        return "%d (%s)" % (code, text.value.decode("utf-8", "replace"))
    return str(code)


@check("gpu.compat", limit_s=30)
def compat(context):
    """Whether the libcuda that programs load is the driver's own: one from a cuda-compat folder may shadow it."""
    reason = why_not_asked(context)
    if reason:
        return skipped(reason)
    driver, _ = library("libcuda.so.1")
    if driver is None:
        return skipped("libcuda is not in this container: see gpu.cuda")
    path = os.path.realpath(path_of("libcuda.so") or "")
    loaded, kernel = version_in(path), kernel_version()
    measured = {"libcuda": path, "kernel_driver": kernel}
    expected = "the driver's own libcuda"
    if "compat" in os.path.dirname(path).split(os.sep):
        return passed(measured, expected, SHADOWED % os.path.dirname(path))
    if loaded and kernel and loaded != kernel:
        hint = "libcuda %s and the kernel's driver %s do not fit (error 803): a driver's library was installed into the image"
        return failed(measured, expected, hint % (loaded, kernel))
    return passed(measured, expected)


SHADOWED = (
    "%s shadows the driver's own: take it out of LD_LIBRARY_PATH and ld.so.conf unless forward compatibility is meant, which "
    "works on data-centre cards only"
)


def version_in(path):
    """550.54.15 from libcuda.so.550.54.15; None when the name tells none."""
    found = re.search(r"\.so\.(\d{3}\.\d+(?:\.\d+)?)$", path)
    return found.group(1) if found else None


def kernel_version():
    try:
        with open("/proc/driver/nvidia/version", encoding="utf-8", errors="replace") as file:
            found = re.search(r"Kernel Module(?: for \S+)?\s+(\d+\.\d+(?:\.\d+)?)", file.read())
    except OSError:
        return None
    return found.group(1) if found else None


@check("gpu.driver", limit_s=60, start=WARM)
def driver(context):
    """Whether the driver can run the CUDA that torch was built with: any minor of its own major, nothing of a newer one."""
    reason = why_not_asked(context)
    if reason:
        return skipped(reason)
    import torch

    if not torch.version.cuda:
        return skipped("this torch was built without CUDA")
    if Wiring().is_mock:
        return skipped(MOCK)
    libcuda, _ = library("libcuda.so.1")
    if libcuda is None:
        return skipped("libcuda is not in this container: see gpu.cuda")
    number = ctypes.c_int(0)
    libcuda.cuDriverGetVersion(ctypes.byref(number))
    offered, built = (
        (number.value // 1000, number.value % 1000 // 10),
        tuple(int(part) for part in torch.version.cuda.split(".")[:2]),
    )
    measured = {"driver_offers": "%d.%d" % offered, "torch_built_with": "%d.%d" % built}
    # before 11 there was no compatibility between minors at all
    is_right = offered >= built if built[0] < 11 else offered[0] >= built[0]
    return verdict(
        is_right,
        measured,
        "the driver's CUDA is not of an older major",
        "update the driver, or plan a torch for CUDA %d.x" % offered[0],
    )
