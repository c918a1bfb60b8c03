"""Do DataLoader's worker processes hand their tensors over through /dev/shm?"""

import os

from probe_kit import FRESH, check, failed, first_lines, verdict

MIB = 1048576
ITEM_BYTES = 2 * MIB
NO_ROOM = "/dev/shm has %d MiB, the batches need %d: set run.shm_size in wsb.yaml, or start with --shm-size"


class Numbered:
    """Item i is 2 MiB of the number i. Any object with a length and items is a data set to DataLoader."""

    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        import torch

        if index >= self.count:
            raise IndexError(index)
        return index, torch.full((ITEM_BYTES // 4,), float(index))


def shm_bytes():
    try:
        facts = os.statvfs("/dev/shm")
    except OSError:
        return 0
    return facts.f_bavail * facts.f_frsize


@check("data.loader", limit_s=180, start=FRESH)
def data_loader(context):
    """Two workers; every batch is kept until the end, so that all of it lies in /dev/shm at once, as prefetching makes it.

    80 MiB: more than the 64 MiB that a container gets when nobody asks for more, less than half of anything sensible.
    """
    from torch.utils.data import DataLoader

    expected = context.get("shm_bytes")
    total = min(80 * MIB, expected // 2 // ITEM_BYTES * ITEM_BYTES) if expected else 80 * MIB
    count = max(4, total // ITEM_BYTES)
    said = "%d MiB in order and unharmed" % (count * ITEM_BYTES // MIB)
    room = shm_bytes()
    # A worker that finds no room drops its batch, and DataLoader waits for it for ever unless it is given a time.
    patience_s = 60 if room > count * ITEM_BYTES else 10
    try:
        loader = DataLoader(Numbered(count), batch_size=4, num_workers=2, shuffle=False, timeout=patience_s)
        batches = list(loader)
    except (RuntimeError, OSError) as error:
        hint = "" if room > count * ITEM_BYTES else NO_ROOM % (room // MIB, count * ITEM_BYTES // MIB)
        return failed(first_lines(str(error), 3), said, hint)
    order = [int(index) for indexes, _ in batches for index in indexes]
    if order != list(range(count)):
        return failed("order " + " ".join(str(index) for index in order), said, "items came back in another order")
    is_shared = all(tensors.is_shared() for _, tensors in batches)
    sums = [float(tensor.double().sum()) for _, tensors in batches for tensor in tensors]
    is_right = sums == [float(index * (ITEM_BYTES // 4)) for index in range(count)] and is_shared
    measured = {
        "mib": count * ITEM_BYTES // MIB,
        "batches": len(batches),
        "shared": is_shared,
        "cpus": len(os.sched_getaffinity(0)),
    }
    return verdict(is_right, measured, said, "tensors came back changed, or not through shared memory")
