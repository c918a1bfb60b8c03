"""More than one thing at once: pinned loading, copies between GPUs, NCCL, and memory that comes back."""

import json
import os
import subprocess
import sys
import tempfile

from check_data import ITEM_BYTES, Numbered
from probe_gpu import MOCK, NOT_HERE, Wiring, accelerator, device_names, on_device, why_not_asked
from probe_kit import FRESH, check, failed, first_lines, is_at_least, passed, skipped, verdict

MIB = 1048576


@check("gpu.loader", limit_s=180, start=FRESH)
def loader(context):
    """Two workers, pinned memory, copies that do not wait: as training loops feed a GPU."""
    return on_device(context, pinned)


def pinned(device):
    from torch.utils.data import DataLoader

    count = 16
    batches = DataLoader(Numbered(count), batch_size=4, num_workers=2, pin_memory=device == "cuda", timeout=60)
    sums, is_pinned = [], []
    for _, tensors in batches:
        is_pinned.append(tensors.is_pinned() if device == "cuda" else None)
        there = tensors.to(device, non_blocking=True)
        sums += [float(one) for one in there.double().sum(dim=1).cpu()]
    wanted = [float(index * (ITEM_BYTES // 4)) for index in range(count)]
    measured = {"mib": count * ITEM_BYTES // MIB, "pinned": all(is_pinned)}
    is_right = sums == wanted and (device != "cuda" or all(is_pinned))
    return verdict(is_right, measured, "every batch pinned, in order and unharmed", "batches came back changed, or not pinned")


@check("gpu.peer", limit_s=180, start=FRESH)
def peer(context):
    """Copies between every two GPUs, in both directions: with broken IOMMU settings they come out wrong, silently."""
    return on_device(context, between)


def between(device):
    import torch

    count = len(device_names(torch))
    if count < 2:
        return skipped("there is one GPU here")
    return copy_pairs(["%s:%d" % (device, number) for number in range(count)])


def copy_pairs(devices):
    """Every ordered pair of these, each with numbers of its own."""
    import torch

    wrong, copied = [], 0
    for first, source in enumerate(devices):
        for second, target in enumerate(devices):
            if first == second:
                continue
            torch.manual_seed(1000 * first + second)
            numbers = torch.randint(0, 1 << 30, (4 * MIB,))
            back = numbers.to(source).to(target).cpu()
            copied += 1
            if not bool((back == numbers).all()):
                wrong.append("%s to %s" % (source, target))
    hint = "copies between GPUs arrive changed: an IOMMU or ACS setting of the host; NCCL_P2P_DISABLE=1 avoids it, slowly"
    return verdict(not wrong, {"pairs": copied, "wrong": wrong}, "what arrives is what was sent", hint)


RANK = """
import json, os, sys
import torch
import torch.distributed as dist
backend, device = sys.argv[1], sys.argv[2]
dist.init_process_group(backend)
rank, size = dist.get_rank(), dist.get_world_size()
place = "%s:%d" % (device, int(os.environ["LOCAL_RANK"])) if device != "cpu" else "cpu"
if device == "cuda":
    torch.cuda.set_device(place)
numbers = (torch.arange(1000, dtype=torch.float32) + rank).to(place)
dist.all_reduce(numbers)
wanted = torch.arange(1000, dtype=torch.float32) * size + size * (size - 1) // 2
said = json.dumps({"rank": rank, "size": size, "is_right": bool((numbers.cpu() == wanted).all())})
os.write(1, (said + "\\n").encode())  # in one piece: all ranks write to the same pipe
dist.destroy_process_group()
"""


@check("gpu.nccl", limit_s=240, start=FRESH)
def nccl(context):
    """One process a GPU through torchrun, and the sum of all. With one GPU it shows that NCCL starts."""
    reason = why_not_asked(context)
    if reason:
        return skipped(reason)
    import torch

    kind = accelerator(torch)
    if kind != "cuda":
        return skipped(MOCK if Wiring().is_mock else NOT_HERE)
    names = device_names(torch)
    count = 1 if any("MIG" in name for name in names) else len(names)  # there is no NCCL across slices
    answer = all_reduce("nccl", "cuda", count)
    if isinstance(answer["measured"], dict):
        answer["measured"]["device"] = names[0]
    return answer


def all_reduce(backend, device, count):
    """torchrun's answer, every rank's word and the exit code held against what they should be."""
    import torch
    import torch.distributed

    if not is_at_least(torch, 1, 10):
        return skipped("torch %s has no torch.distributed.run" % torch.__version__)
    if not torch.distributed.is_available() or (backend == "nccl" and not torch.distributed.is_nccl_available()):
        return skipped("this torch was built without %s" % backend)
    with tempfile.NamedTemporaryFile("w", suffix=".py", prefix="wsb-rank-") as script:
        script.write(RANK)
        script.flush()
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=%d" % count]
        ran = subprocess.run(
            [*command, script.name, backend, device],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
            env=dict(os.environ, NCCL_DEBUG="WARN", OMP_NUM_THREADS="1"),
        )
    said = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith('{"rank"')]
    measured = {"processes": count, "right": sum(one["is_right"] and one["size"] == count for one in said)}
    expected = "each of %d processes has the sum of all" % count
    if ran.returncode:
        warned = [line for line in (ran.stdout + ran.stderr).splitlines() if "NCCL WARN" in line or "Error" in line]
        return failed(dict(measured, exit_code=ran.returncode), expected, first_lines("\n".join(warned) or ran.stderr, 4))
    return verdict(measured["right"] == count, measured, expected, "the sum over GPUs is wrong")


@check("gpu.memory", limit_s=120, start=FRESH)
def memory(context):
    """What a program has taken comes back when it lets go, and when it ends."""
    reason = why_not_asked(context)
    if reason:
        return skipped(reason)
    import torch

    if accelerator(torch) != "cuda":
        return skipped(MOCK if Wiring().is_mock else NOT_HERE)
    if not hasattr(torch.cuda, "mem_get_info"):
        return skipped("torch %s does not tell how much memory is free" % torch.__version__)
    answer = comes_back(torch, lambda: torch.cuda.mem_get_info()[0], TAKE)
    answer["measured"]["device"] = torch.cuda.get_device_name(0)
    return answer


TAKE = "import torch; kept = torch.ones(512 << 20, dtype=torch.uint8, device='cuda'); torch.cuda.synchronize()"


def comes_back(torch, free_bytes, program):
    """free_bytes: asks the device. program: what another process takes memory with."""
    torch.ones(1 << 20, dtype=torch.uint8, device="cuda")  # the kernel that fills is loaded with the first use, and stays
    torch.cuda.synchronize()
    torch.cuda.empty_cache()
    before = free_bytes()
    taken = torch.ones(512 << 20, dtype=torch.uint8, device="cuda")
    with_it = free_bytes()
    del taken
    torch.cuda.empty_cache()
    without_it = free_bytes()
    ran = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    after = free_bytes()
    measured = {
        "taken_mib": (before - with_it) // MIB,
        "kept_mib": max(0, before - without_it) // MIB,
        "kept_after_a_process_mib": max(0, without_it - after) // MIB,
    }
    expected = "what is taken comes back"
    if ran.returncode:
        return failed(measured, expected, first_lines(ran.stdout.decode("utf-8", "replace"), 3))
    is_back = measured["taken_mib"] >= 500 and measured["kept_mib"] <= 64 and measured["kept_after_a_process_mib"] <= 64
    if is_back:
        return passed(measured, expected)
    return failed(measured, expected, "memory stays taken: another program uses this GPU as well, or the driver leaks")
