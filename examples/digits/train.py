"""Trains the network on handwritten digits and says how well it reads digits it has not seen.

Alone with `python train.py`, or as several processes that share the work: `torchrun --nproc-per-node=2 train.py`.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader
from torch.utils.data.distributed import DistributedSampler
from tqdm import tqdm

from data import Digits
from model import Net


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch-size", type=int, default=64, help="images in a step, over all processes")
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--workers", type=int, default=2, help="processes that load the data")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", type=Path, default=Path(__file__).parent / "dataset", help="folder with digits.csv.gz")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, …")
    parser.add_argument("--min-accuracy", type=float, default=0.0, help="exit with 1 when the test accuracy is below")
    parser.add_argument("--save", type=Path, help="write the trained weights here")
    return parser.parse_args()


def join_others():
    """(this process's number, how many there are): (0, 1) alone, else as torchrun says."""
    if "WORLD_SIZE" not in os.environ:
        return 0, 1
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    return dist.get_rank(), dist.get_world_size()


def choose_device(name):
    if name != "auto":
        return torch.device(name)
    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


def train_epoch(model, loader, optimizer, schedule, device, title):
    """The mean loss and the accuracy over one pass through the training images."""
    model.train()
    loss_sum, right, count = 0.0, 0, 0
    for images, digits in tqdm(loader, desc=title, leave=False, disable=None):  # None: no bar when it is not a terminal
        images, digits = images.to(device), digits.to(device)
        scores = model(images)
        loss = nn.functional.cross_entropy(scores, digits)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        loss_sum += loss.item() * len(digits)
        right += (scores.argmax(1) == digits).sum().item()
        count += len(digits)
    return loss_sum / count, right / count


@torch.no_grad()
def accuracy(model, loader, device):
    model.eval()
    right, count = 0, 0
    for images, digits in loader:
        right += (model(images.to(device)).argmax(1).cpu() == digits).sum().item()
        count += len(digits)
    return right / count


def main():
    args = parse_args()
    started = time.time()
    rank, world_size = join_others()
    say = print if rank == 0 else lambda *_, **__: None  # one voice for all
    torch.manual_seed(args.seed)
    device = choose_device(args.device)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    elif world_size == 1:
        # the loading processes need cores of their own; threads that wait for them make a small machine several times slower
        torch.set_num_threads(max(1, (os.cpu_count() or 1) - args.workers))
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else f"{torch.get_num_threads()} threads"
    say(f"torch {torch.__version__}, device {device} ({name})" + (f", {world_size} processes" if world_size > 1 else ""))

    train_set, test_set = Digits(args.data, train=True, shift=True), Digits(args.data, train=False)
    share = DistributedSampler(train_set, seed=args.seed) if world_size > 1 else None
    loading = {"num_workers": args.workers, "persistent_workers": args.workers > 0, "pin_memory": device.type == "cuda"}
    train_loader = DataLoader(train_set, args.batch_size // world_size, shuffle=share is None, sampler=share, **loading)
    test_loader = DataLoader(test_set, 512)

    model = Net().to(device)
    trained = DistributedDataParallel(model) if world_size > 1 else model
    torch.manual_seed(args.seed + rank)  # from here on each process draws its own numbers
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr)
    steps = args.epochs * len(train_loader)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=args.lr * 3, total_steps=steps)
    for epoch in range(1, args.epochs + 1):
        if share:
            share.set_epoch(epoch)
        loss, seen = train_epoch(trained, train_loader, optimizer, schedule, device, f"epoch {epoch}")
        say(f"epoch {epoch:2d}/{args.epochs}  loss {loss:.4f}  training accuracy {seen:.3f}", flush=True)

    if world_size > 1:
        dist.destroy_process_group()
    if rank > 0:
        return 0
    if args.save:
        torch.save(model.state_dict(), args.save)
    reached = accuracy(model, test_loader, device)
    seconds = time.time() - started
    print(f"test accuracy {reached:.3f} on {len(test_set)} images, device {device.type}, {seconds:.1f} s")
    if reached < args.min_accuracy:
        print(f"below the {args.min_accuracy} asked for by --min-accuracy", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
