"""Checks beside a spoilt torch, each in a fork of one Python that has imported it.

    python torch_faults.py PROBES < {"fault": …, "check": …} a line

A fault is Python that replaces something in torch; `real` holds what it may still need. Prints one JSON answer a line.
"""

import importlib
import json
import os
import sys
import types

sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True

import probe_kit  # noqa: E402
import run  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402, N812
import torch.utils.data  # noqa: E402

for module in run.BUILT_IN:
    importlib.import_module(module)

PLACES = (torch.Tensor, torch, torch.linalg, F, torch.optim.SGD, torch.utils.data.DataLoader)
NAMES = [
    "matmul",
    "softmax",
    "tanh",
    "from_numpy",
    "svd",
    "conv2d",
    "layer_norm",
    "scaled_dot_product_attention",
    "step",
    "__iter__",
    "backward",
]
KEPT = {name: getattr(place, name) for name in NAMES for place in PLACES if hasattr(place, name)}
REAL = types.SimpleNamespace(**KEPT)

for line in sys.stdin:
    asked = json.loads(line)
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        exec(asked["fault"], {"torch": torch, "F": F, "real": REAL})
        check = next(one for one in probe_kit.CHECKS if one.id == asked["check"])
        answer = probe_kit.answer_of(check, probe_kit.Context({}, {}))
        print("answer:" + json.dumps({"check": asked["check"], **probe_kit.plain(answer)}), flush=True)
        os._exit(0)
    os.waitpid(child, 0)
