"""How fast the GPU copies and multiplies, beside what its data sheet says. Slow is said, and is never a failure."""

import time

from probe_figures import FLOOR, figures
from probe_gpu import on_device
from probe_kit import FRESH, check, passed

MIB = 1 << 20


@check("gpu.bandwidth", limit_s=180, start=FRESH)
def bandwidth(context):
    return on_device(context, copies)


@check("gpu.tflops", limit_s=180, start=FRESH)
def tflops(context):
    return on_device(context, products)


def copies(device):
    """GB/s from pinned host memory, back to it, and within the device (bytes read and written counted)."""
    import torch

    size = 256 * MIB if device != "cpu" else 16 * MIB
    host = torch.empty(size, dtype=torch.uint8)
    host = host.pin_memory() if device == "cuda" else host
    there = torch.empty(size, dtype=torch.uint8, device=device)
    wide = torch.empty(room(torch, device, 4 * size), dtype=torch.uint8, device=device)
    target = wide.clone()
    measured = {
        "to_device_gbs": rate(torch, device, size, lambda: there.copy_(host, non_blocking=True)),
        "to_host_gbs": rate(torch, device, size, lambda: host.copy_(there, non_blocking=True)),
        "on_device_gbs": rate(torch, device, 2 * wide.numel(), lambda: target.copy_(wide)),
    }
    known = figures(name_of(torch, device))
    hint = ""
    if known:
        measured["data_sheet_gbs"] = known.bandwidth
        if known.seen:
            measured["seen_gbs"] = known.seen[0]
        hint = slow(measured["on_device_gbs"], known.bandwidth, "memory copies at %.0f GB/s, the data sheet says %.0f")
    if not hint and measured["to_device_gbs"] < 2 and device != "cpu":
        hint = "%.1f GB/s from the host: a PCIe link of few lanes or an old generation" % measured["to_device_gbs"]
    return passed(measured, "for information; below %d%% of the data sheet is worth a look" % (100 * FLOOR), hint)


def products(device):
    """TFLOP/s of matrix products: bfloat16 (float16 on cards without it) and float32 without TF32."""
    import torch

    edge = 8192 if device != "cpu" else 256
    half = "bfloat16" if device == "cpu" or bf16_is_native(torch, device) else "float16"
    measured = {}
    for name in (half, "float32"):
        kind, side = getattr(torch, name), edge if name == half else edge // 2
        left = torch.randn(side, side).to(kind).to(device)  # random: on zeros a card draws less power and runs faster
        right = torch.randn(side, side).to(kind).to(device)
        per_second = rate(torch, device, 2 * side**3, lambda a=left, b=right: torch.matmul(a, b))
        measured[name + "_tflops"] = float("%.4g" % (per_second / 1000.0))
    known = figures(name_of(torch, device))
    hint = ""
    if known:
        measured["data_sheet_tflops"] = known.tflops
        if known.seen:
            measured["seen_tflops"] = known.seen[1]
        said = "matrix products at %.0f TFLOP/s, the data sheet says %.0f"
        hint = slow(measured[half + "_tflops"], known.tflops, said)
    return passed(measured, "for information; below %d%% of the data sheet is worth a look" % (100 * FLOOR), hint)


def slow(got, known, said):
    """ "" for what is fast enough."""
    if got >= FLOOR * known:
        return ""
    return said % (got, known) + ": another program may be using the card, it may be too hot, or its power is limited"


def rate(torch, device, amount, run):
    """amount per nanosecond (GB/s for bytes, GFLOP/s for operations): the median of repeated runs, after warming up."""
    for _ in range(3):
        run()
    times = []
    for _ in range(7):
        times.append(seconds(torch, device, run))
    return float("%.4g" % (amount / sorted(times)[len(times) // 2] / 1e9))


def seconds(torch, device, run):
    """By the device's own clock where it has one: work there goes on after the call has returned."""
    if device == "cuda":
        before, after = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        before.record()
        run()
        after.record()
        after.synchronize()
        return before.elapsed_time(after) / 1000.0
    began = time.perf_counter()
    run()
    if device == "xpu":
        torch.xpu.synchronize()
    return time.perf_counter() - began


def room(torch, device, wanted):
    """Bytes to copy within the device: as many as wanted, at most an eighth of what is free."""
    if device != "cuda" or not hasattr(torch.cuda, "mem_get_info"):
        return wanted
    return min(wanted, torch.cuda.mem_get_info()[0] // 8)


def bf16_is_native(torch, device):
    if device != "cuda" or getattr(torch.version, "hip", None):
        return hasattr(torch, "bfloat16")
    return torch.cuda.get_device_capability(0) >= (8, 0)


def name_of(torch, device):
    return "" if device == "cpu" else getattr(torch, device).get_device_name(0)
