"""Proves one rank of a job, then becomes the command: the GPUs are reached, and all ranks add up to the right sum.

Started by torchrun with its usual variables. Every rank says whether it is well in the same all_reduce that is the proof, so
that all of them end together when one is not.
"""

import argparse
import datetime
import os
import signal
import socket
import sys

sys.dont_write_bytecode = True

PROOF_FAILED = 97
LIMIT_S = 300  # the first all_reduce of a large job sets up every connection
BLIND = "this torch is a CPU build, so nothing was computed on them: wiring pass, compute not run"


def say(text):
    sys.stdout.write("wsb: %s\n" % text)
    sys.stdout.flush()


def has_gpu_build(torch):
    return bool(torch.version.cuda or getattr(torch.version, "hip", None))


def gpu_trouble(torch, wanted, local_rank):
    """What is wrong with the GPUs as torch sees them; "" when nothing is."""
    if not wanted or not has_gpu_build(torch):
        return ""
    if not torch.cuda.is_available():
        return "%d GPUs were asked for, and torch reaches none of them" % wanted
    if torch.cuda.device_count() != wanted:
        return "%d GPUs were asked for, and torch sees %d" % (wanted, torch.cuda.device_count())
    try:
        device = torch.device("cuda", local_rank % wanted)
        values = torch.arange(1024, dtype=torch.float32, device=device)
        found = (values * 2).sum().item()
    except RuntimeError as error:
        return "GPU %d does not compute: %s" % (local_rank % wanted, str(error).splitlines()[0])
    return "" if found == 1023 * 1024 else "GPU %d computes wrongly: %s" % (local_rank % wanted, found)


def add_up(torch, rank, world, device, is_well):
    """(sum of all ranks, how many are well), as the all_reduce gives them."""
    import torch.distributed as dist

    # a store with a prefix of its own: the command will use the same server, and must not find keys of the proof in it
    host, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    limit = datetime.timedelta(seconds=LIMIT_S)
    is_master = rank == 0 and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True"
    server = dist.TCPStore(host, port, world, is_master, timeout=limit)
    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    store = dist.PrefixStore("wsb/proof/" + attempt, server)
    backend = "nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, store=store, rank=rank, world_size=world, timeout=limit)
    numbers = torch.tensor([rank, int(is_well)], dtype=torch.float64, device=device)
    dist.all_reduce(numbers)
    total, well = (int(number) for number in numbers.tolist())
    dist.destroy_process_group()
    return total, well


def prove(wanted):
    """Whether this and every other rank is well; says what is not."""
    rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    local_rank = int(os.environ.get("LOCAL_RANK", "0"))
    where = "rank %d on %s" % (rank, socket.gethostname())
    try:
        import torch
    except Exception as error:
        say("proof failed: torch cannot be imported: %s (%s)" % (error, where))
        return False
    trouble = gpu_trouble(torch, wanted, local_rank)
    if trouble:
        say("proof failed: %s (%s)" % (trouble, where))
    uses_gpu = wanted and has_gpu_build(torch) and torch.cuda.is_available()
    device = torch.device("cuda", local_rank % max(1, torch.cuda.device_count())) if uses_gpu else torch.device("cpu")
    expected = world * (world - 1) // 2
    try:
        total, well = add_up(torch, rank, world, device, not trouble)
    except Exception as error:
        reason = (str(error) or repr(error)).splitlines()[0]
        say("proof failed: the all_reduce over %d ranks broke: %s (%s)" % (world, reason, where))
        return False
    if total != expected:
        say("proof failed: the all_reduce over %d ranks gave %d, not %d (%s)" % (world, total, expected, where))
        return False
    if rank == 0 and well == world:
        say(summary(torch, world, total, wanted))
    return well == world


def summary(torch, world, total, wanted):
    text = "all_reduce over %d ranks gave %d, which is right" % (world, total)
    if not wanted:
        return text
    if not has_gpu_build(torch):
        return "%s; %d GPUs given on each node, and %s" % (text, wanted, BLIND)
    return "%s; each rank computed on its GPU (%s)" % (text, torch.cuda.get_device_name(0))


def too_late(_number, _frame):
    say("proof failed: the ranks did not find each other within %d s; is the network between the nodes open?" % LIMIT_S)
    os._exit(PROOF_FAILED)


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gpus", type=int, default=0, help="GPUs asked for on each node")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args(arguments)
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    signal.signal(signal.SIGALRM, too_late)
    signal.alarm(LIMIT_S + 10)
    is_well = prove(options.gpus)
    signal.alarm(0)
    sys.stdout.flush()
    if not is_well:
        # not sys.exit: threads of a broken process group may wait for ever
        os._exit(PROOF_FAILED)
    if not command:
        os._exit(0)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.stderr.write("wsb: cannot start %s: %s\n" % (command[0], error.strerror))
        return 127 if isinstance(error, FileNotFoundError) else 126


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
