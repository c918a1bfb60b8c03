"""Does torch see the GPU, and has it machine code for it? Without a GPU nothing is claimed.

The mode comes with the expectations: none (nobody asked for a GPU), auto (use one if it is there), required. A mock device
(a test engine's) has device files that are no GPU's: the wiring is then there, and nothing can be computed. Every check that
touches CUDA has a Python of its own: CUDA does not survive a fork, and an error inside it poisons the process.
"""

import os
import re

from probe_gpu import MOCK, NOT_HERE, Wiring, accelerator, capability, device_names, was_handed_in, why_not_asked
from probe_kit import FRESH, check, failed, first_lines, passed, skipped, verdict


@check("gpu.visible", limit_s=120, start=FRESH, is_quick=True)
def visible(context):
    """Whether torch finds the devices that were asked for, and each can add one and one."""
    mode, wanted = context.gpu_mode, (context.get("gpu") or {}).get("count")
    expected = "%s device" % (wanted or "at least one")
    reason = why_not_asked(context)
    if reason:
        return skipped(reason)
    found = Wiring()
    measured = dict(found.document(), devices=[])
    try:
        import torch

        names = measured["devices"] = device_names(torch)
    except Exception as error:
        return failed(
            dict(measured, error=first_lines(str(error), 2)), expected, "the driver's libraries are there, and do not work"
        )
    if not names:
        if measured["is_mock"]:
            return skipped(MOCK, measured)
        if mode == "auto" and not was_handed_in(context.get("gpu") or {}):
            return skipped("no GPU is visible in this container", measured)
        return failed(measured, expected, why_invisible(torch, measured))
    kind = accelerator(torch)
    for number in range(len(names)):
        if float((torch.ones(1, device="%s:%d" % (kind, number)) + 1).cpu()) != 2.0:
            return failed(measured, expected, "device %d gives wrong results" % number)
    if wanted and len(names) != wanted:
        return failed(measured, expected, "another number of devices than asked for is visible")
    return passed(measured, expected)


def why_invisible(torch, measured):
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    if torch.version.cuda is None and getattr(torch.version, "hip", None) is None and not getattr(torch.version, "xpu", None):
        return "this torch was built for the CPU only: it cannot use a GPU however it is passed in"
    if not measured["nodes"]:
        return "the engine passed no device in: was the container started with one?"
    if hidden is not None and hidden.strip() in ("", "-1"):
        return "CUDA_VISIBLE_DEVICES=%r hides every GPU from torch" % hidden
    return "device files are there, and torch does not see a GPU: the driver's libraries are missing or too old for this build"


@check("gpu.arch", limit_s=120, start=FRESH)
def arch(context):
    """Whether this torch holds machine code that the GPU runs, or code that the driver can compile for it."""
    reason = why_not_asked(context)
    if reason:
        return skipped(reason)
    import torch

    has = capability(torch)
    if has is None:
        return skipped(
            MOCK if Wiring().is_mock else NOT_HERE if accelerator(torch) is None else "machine code is listed for CUDA only"
        )
    if not hasattr(torch.cuda, "get_arch_list"):
        return skipped("torch %s does not list its machine code" % torch.__version__)
    codes = torch.cuda.get_arch_list()
    measured = {"device": torch.cuda.get_device_name(0), "capability": "%d.%d" % has, "codes": codes}
    hint = "this torch has no code for compute capability %d.%d: plan another build (`wsb catalog gpu`)" % has
    return verdict(runs(codes, has), measured, "sm_X of the same major and no newer minor, or compute_X no newer", hint)


def runs(codes, has):
    """codes: such as sm_80, sm_90a, compute_90. Code for an architecture's own features (sm_90a) runs on that one alone."""
    for code in codes:
        found = re.match(r"(sm|compute)_(\d+)(\d)([af]?)$", code)
        if not found:
            continue
        of = (int(found.group(2)), int(found.group(3)))
        if found.group(4) == "a":
            fits = of == has
        elif found.group(1) == "sm" or found.group(4) == "f":
            fits = of[0] == has[0] and of[1] <= has[1]
        else:
            fits = of <= has
        if fits:
            return True
    return False
