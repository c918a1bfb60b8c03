"""The GPU checks' arithmetic on the processor, right and spoilt, in one Python with torch: one import for all of them.

    python gpu_arithmetic.py PROBES

Prints one JSON object: case → the check's answer. A case is a function of the probes and a fault in what it computes with.
"""

import contextlib
import json
import sys

sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True

import check_compute  # noqa: E402
import check_gpu_compute  # noqa: E402
import check_gpu_many  # noqa: E402
import check_gpu_speed  # noqa: E402
import check_learning  # noqa: E402
import torch  # noqa: E402

F = torch.nn.functional
real_to = torch.Tensor.to


@contextlib.contextmanager
def replaced(place, name, value):
    kept = getattr(place, name)
    setattr(place, name, value)
    try:
        yield
    finally:
        setattr(place, name, kept)


def nothing():
    return contextlib.nullcontext()


def scaled(place, name, factor, kind=None):
    """A function whose results are too large by a factor, for one type or all."""
    real = getattr(place, name)

    def spoilt(*words, **named):
        out = real(*words, **named)
        first = words[0]
        if kind is not None and first.dtype != kind:
            return out
        return tuple(one * factor for one in out) if isinstance(out, tuple) else out * factor

    return replaced(place, name, spoilt)


def arriving_changed():
    """Whatever is brought to the device is not what was sent."""

    def to(self, *place, **named):
        out = real_to(self, *place, **named)
        return out + 1 if place == ("cpu",) and not out.dtype.is_floating_point else out

    return replaced(torch.Tensor, "to", to)


class Backwards(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w, b):
        ctx.save_for_backward(x, w, b)
        return real_conv(x, w, b, padding=1)

    @staticmethod
    def backward(ctx, grad):
        x, w, b = [one.detach().clone().requires_grad_(True) for one in ctx.saved_tensors]
        with torch.enable_grad():
            out = real_conv(x, w, b, padding=1)
        one, two, three = torch.autograd.grad(out, (x, w, b), grad)
        return one, two * 1.0005, three


real_conv = F.conv2d
real_sdpa = F.scaled_dot_product_attention

CASES = {
    "add": (check_gpu_compute.add, nothing, arriving_changed),
    "matmul.fp32": (check_compute.matmul_fp32, nothing, lambda: scaled(torch, "matmul", 1.0001, torch.float32)),
    "matmul.tf32": (check_gpu_compute.matmul_tf32, nothing, lambda: scaled(torch, "matmul", 1.05, torch.float32)),
    "matmul.fp16": (check_gpu_compute.matmul_fp16, nothing, lambda: scaled(torch, "matmul", 1.02, torch.float16)),
    "matmul.bf16": (check_compute.matmul_bf16, nothing, lambda: scaled(torch, "matmul", 1.05, torch.bfloat16)),
    "matmul.fp8": (check_gpu_compute.matmul_fp8, nothing, lambda: scaled(torch, "_scaled_mm", 1.05)),
    "reduce": (check_compute.reduce_fp32, nothing, lambda: replaced(torch.Tensor, "argmax", lambda self: torch.argmin(self))),
    "conv2d": (check_compute.conv2d_fp32, nothing, lambda: scaled(F, "conv2d", 1.001)),
    "conv2d.backward": (
        check_gpu_compute.conv2d_backward,
        nothing,
        lambda: replaced(F, "conv2d", lambda x, w, b, **_: Backwards.apply(x, w, b)),
    ),
    "sdpa": (check_compute.sdpa, nothing, lambda: scaled(F, "scaled_dot_product_attention", 1.0001)),
    "sdpa.bf16": (check_gpu_compute.sdpa_half, nothing, lambda: scaled(F, "scaled_dot_product_attention", 1.05)),
    "svd": (check_compute.svd_fp32, nothing, lambda: scaled(torch.linalg, "svd", 1.001)),
    "sgd": (check_learning.sgd_step, nothing, lambda: scaled(torch, "matmul", 1.000001)),
    "loader": (
        check_gpu_many.pinned,
        nothing,
        lambda: replaced(torch.Tensor, "to", lambda self, *place, **_: real_to(self, *place) + 1),
    ),
    "peer": (
        lambda device: check_gpu_many.copy_pairs([device, device, device]),
        nothing,
        arriving_changed,
    ),
    "gloo": (lambda device: check_gpu_many.all_reduce("gloo", device, 2), nothing, None),
    "gloo.sum": (
        lambda device: check_gpu_many.all_reduce("gloo", device, 1),
        None,
        lambda: replaced(check_gpu_many, "RANK", check_gpu_many.RANK.replace("dist.all_reduce(numbers)", "numbers += 1")),
    ),
    "gloo.crash": (
        lambda device: check_gpu_many.all_reduce("gloo", device, 1),
        None,
        lambda: replaced(check_gpu_many, "RANK", "raise RuntimeError('Error: it broke')"),
    ),
}


def main():
    answers = {}
    for name, (compute, right, wrong) in CASES.items():
        for kind, way in (("right", right), ("wrong", wrong)):
            if way is None:
                continue
            with way():
                answers[f"{name} {kind}"] = compute("cpu")
    answers["speed copies"] = check_gpu_speed.copies("cpu")
    answers["speed products"] = check_gpu_speed.products("cpu")
    print("answers:" + json.dumps(answers))


if __name__ == "__main__":
    main()
