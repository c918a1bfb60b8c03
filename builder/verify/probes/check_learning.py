"""Does learning work: derivatives, one step of SGD, and torch.compile?"""

import math
import os
import shutil
import sysconfig
import tempfile

from probe_kit import FRESH, WARM, check, first_lines, skipped, verdict


@check("compute.gradcheck", limit_s=60, start=WARM)
def gradcheck(context):
    """autograd's derivatives of a small network against finite differences, in float64."""
    del context
    import torch

    torch.manual_seed(20250110)
    inputs = torch.randn(4, 5, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    targets = torch.tensor([0, 2, 1, 2])

    def loss(x, w):
        return torch.nn.functional.cross_entropy(torch.tanh(torch.matmul(x, w)), targets)

    try:
        is_right = torch.autograd.gradcheck(loss, (inputs, weights), eps=1e-6, atol=1e-7)
        measured = "agrees"
    except RuntimeError as error:
        is_right, measured = False, first_lines(str(error), 3)
    return verdict(bool(is_right), measured, "finite differences within 1e-7", "gradients are wrong: training cannot work")


def regression(torch):
    """Linear regression in float64: inputs, targets, weights, and the gradient of the mean squared error worked out by hand."""
    torch.manual_seed(20250111)
    rows, columns = 16, 6
    inputs, targets = torch.randn(rows, columns, dtype=torch.float64), torch.randn(rows, 1, dtype=torch.float64)
    weights = torch.randn(columns, 1, dtype=torch.float64)
    x, t, w = inputs.tolist(), [row[0] for row in targets.tolist()], [row[0] for row in weights.tolist()]
    misses = [math.fsum(a * b for a, b in zip(row, w)) - target for row, target in zip(x, t)]
    slopes = [2.0 / rows * math.fsum(miss * row[column] for miss, row in zip(misses, x)) for column in range(columns)]
    return inputs, targets, weights, slopes


def mean_squared_error(torch, inputs, weights, targets):
    return ((torch.matmul(inputs, weights) - targets) ** 2).mean()


@check("compute.autograd", limit_s=60, start=WARM, is_quick=True)
def autograd(context):
    """A gradient against the same one in Python's own floats."""
    del context
    import torch

    inputs, targets, weights, slopes = regression(torch)
    weights.requires_grad_(True)
    mean_squared_error(torch, inputs, weights, targets).backward()
    error = max(abs(got[0] - want) for got, want in zip(weights.grad.tolist(), slopes))
    measured = {"max_error": float("%.3g" % error), "largest": float("%.3g" % max(abs(slope) for slope in slopes))}
    said = "the gradient worked out by hand, within 1e-12"
    return verdict(error <= 1e-12, measured, said, "gradients are wrong: training cannot work")


def sgd_step(device):
    """One step of linear regression, forward, backward and update, against the same step by hand."""
    import torch

    rate = 0.1
    inputs, targets, start, slopes = regression(torch)
    weights = torch.nn.Parameter(start.clone().to(device))
    optimizer = torch.optim.SGD([weights], lr=rate)
    loss = mean_squared_error(torch, inputs.to(device), weights, targets.to(device))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    after = [weight[0] - rate * slope for weight, slope in zip(start.tolist(), slopes)]
    error = max(abs(got[0] - want) for got, want in zip(weights.detach().cpu().tolist(), after))
    measured = {"max_error": float("%.3g" % error), "largest_move": float("%.3g" % max(abs(rate * slope) for slope in slopes))}
    said = "the step worked out by hand, within 1e-12"
    return verdict(error <= 1e-12, measured, said, "a step of SGD is wrong: training cannot work")


@check("compute.sgd", limit_s=60, start=WARM)
def sgd(context):
    """Not among the quick ones: the first step of an optimizer imports a large part of torch."""
    del context
    return sgd_step("cpu")


@check("compute.compile", limit_s=300, start=FRESH)
def compiled(context):
    """torch.compile of a tiny function; its CPU backend calls a C++ compiler at run time."""
    del context
    missing = why_not_compile()
    if missing:
        return skipped(missing)
    folder = tempfile.mkdtemp(prefix="wsb-compile-")
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = folder  # before the import; no cache is left in the user's home
    os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"
    try:
        return compile_and_compare("cpu")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def compile_and_compare(device):
    import torch

    if not hasattr(torch, "compile"):
        return skipped("torch %s has no torch.compile (2.0 brought it)" % torch.__version__)

    def wave(x):
        return torch.sin(x) ** 2 + torch.cos(x) * 0.5 + x

    torch.manual_seed(20250112)
    inputs = torch.randn(1000)
    try:
        got = torch.compile(wave)(inputs.to(device)).cpu()
    except RuntimeError as error:
        if "not supported" in str(error) or "not yet supported" in str(error):  # this Python is too new for this torch
            return skipped(first_lines(str(error), 1))
        raise
    error = float((got.double() - wave(inputs.double())).abs().max())
    measured = {"max_error": float("%.3g" % error)}
    return verdict(error <= 1e-5, measured, "float64 within 1e-5", "compiled code gives other results than torch itself")


def why_not_compile():
    """What torch.compile's CPU backend would miss in this image; "" when nothing."""
    if not any(shutil.which(name) for name in (os.environ.get("CXX", ""), "g++", "clang++", "c++") if name):
        return "no C++ compiler in this image, which torch.compile needs on the CPU (packages: {apt: [g++]})"
    include = sysconfig.get_paths()["include"]
    if not os.path.exists(os.path.join(include, "Python.h")):
        return "no Python.h in %s, which torch.compile needs on the CPU" % include
    return ""
