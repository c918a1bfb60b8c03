"""Do the GPU's kernels compute what arithmetic says? The functions of check_compute on the device, and the device's own types.

Each result is held against float64 on the CPU from the same rounded inputs, with bounds as in check_compute: u is the unit
roundoff of the type, 2^-11 for float16 and TF32's inputs, 2^-8 for bfloat16, 2^-4 for float8 e4m3.
"""

import math

from check_compute import (
    U32,
    UBF16,
    conv2d_fp32,
    conv_by_matmul,
    matmul_bf16,
    matmul_fp32,
    reduce_fp32,
    sdpa,
    svd_fp32,
    within,
)
from check_learning import sgd_step
from probe_gpu import capability, on_device
from probe_kit import FRESH, check, first_lines, is_at_least, skipped, verdict

U16 = 2.0**-11


@check("gpu.add.exact", limit_s=180, start=FRESH)
def add_exact(context):
    return on_device(context, add)


def add(device):
    """Whole numbers below 2^24 add exactly in float32, and all of them in int64: every bit must be right."""
    import torch

    torch.manual_seed(20250120)
    count, wrong = 1 << 20, {}
    for name, limit in (("float32", 1 << 22), ("int64", 1 << 40)):
        left, right = torch.randint(-limit, limit, (count,)), torch.randint(-limit, limit, (count,))
        kind = getattr(torch, name)
        got = (left.to(kind).to(device) + right.to(kind).to(device)).cpu().to(torch.int64)
        differ = int((got != left + right).sum())
        if differ:
            wrong[name] = "%d of %d differ" % (differ, count)
    return verdict(
        not wrong, wrong or {"numbers": count, "types": ["float32", "int64"]}, "exact in every bit", "sums are wrong"
    )


@check("gpu.matmul.fp32", limit_s=180, start=FRESH, is_quick=True)
def fp32(context):
    """TF32 switched off: full float32."""
    return on_device(context, matmul_fp32)


@check("gpu.matmul.tf32", limit_s=180, start=FRESH)
def tf32(context):
    return on_device(context, matmul_tf32)


def matmul_tf32(device):
    """float32 in and out, inputs rounded to TF32's 11 digits on the way (some cards cut them off instead: 2^-10)."""
    import torch

    matmul = getattr(getattr(torch.backends, "cuda", None), "matmul", None)
    has = capability(torch)
    if matmul is None or not hasattr(matmul, "allow_tf32"):
        return skipped("torch %s does not know TF32" % torch.__version__)
    if has is not None and has < (8, 0):
        return skipped("TF32 needs compute capability 8.0; this card has %d.%d" % has)
    matmul.allow_tf32 = True
    try:
        left, right, exact, size = products(torch, "float32", 512)
        got = torch.matmul(left.to(device), right.to(device))
    finally:
        matmul.allow_tf32 = False
    depth = left.shape[1]
    # each product is off by at most two roundings of its inputs, so the sum is, whatever their signs
    bound = (2 * 2.0**-10 + 8 * math.sqrt(depth) * U32) * size
    return within(got, exact, bound, "float64 within 2^-9·|A||B| and float32 sums, K=512")


@check("gpu.matmul.fp16", limit_s=180, start=FRESH)
def fp16(context):
    return on_device(context, matmul_fp16)


def matmul_fp16(device):
    """float16 in and out, summed in float32 and rounded once."""
    import torch

    left, right, exact, size = products(torch, "float16", 256)
    try:
        got = torch.matmul(left.to(device), right.to(device))
    except RuntimeError as error:  # on the CPU, in older releases
        return skipped("torch %s does not multiply float16 here: %s" % (torch.__version__, first_lines(str(error), 1)))
    bound = 2 * U16 * exact.abs() + 8 * math.sqrt(left.shape[1]) * U32 * size
    return within(got, exact, bound, "float64 within 2^-10·|AB| and float32 sums, K=256")


@check("gpu.matmul.bf16", limit_s=180, start=FRESH)
def bf16(context):
    return on_device(context, matmul_bf16)


@check("gpu.matmul.fp8", limit_s=180, start=FRESH)
def fp8(context):
    return on_device(context, matmul_fp8)


def matmul_fp8(device):
    """float8 e4m3 in, bfloat16 out. The tensor cores keep about 14 digits while they sum."""
    import torch

    has = capability(torch)
    if not hasattr(torch, "float8_e4m3fn") or not hasattr(torch, "_scaled_mm"):
        return skipped("torch %s does not multiply float8" % torch.__version__)
    if has is not None and has < (8, 9):
        return skipped("float8 needs compute capability 8.9; this card has %d.%d" % has)
    torch.manual_seed(20250123)
    depth = 64
    left, right = torch.randn(32, depth).to(torch.float8_e4m3fn), torch.randn(48, depth).to(torch.float8_e4m3fn)
    one = torch.ones(1).to(device)
    try:
        got = torch._scaled_mm(left.to(device), right.to(device).t(), scale_a=one, scale_b=one, out_dtype=torch.bfloat16)
    except (RuntimeError, TypeError, NotImplementedError) as error:
        return skipped("torch %s does not multiply float8 here: %s" % (torch.__version__, first_lines(str(error), 1)))
    got = got[0] if isinstance(got, tuple) else got  # before 2.5 the largest value came with it
    exact = torch.matmul(left.double(), right.double().t())
    size = torch.matmul(left.double().abs(), right.double().abs().t())
    return within(got, exact, 2 * UBF16 * exact.abs() + 2.0**-10 * size, "float64 within 2^-7·|AB| + 2^-10·|A||B|, K=64")


def products(torch, type_name, depth):
    """Matrices of this type, their product in float64, and the product of their sizes."""
    torch.manual_seed(20250121)
    kind = getattr(torch, type_name)
    left, right = torch.randn(96, depth).to(kind), torch.randn(depth, 80).to(kind)
    exact = torch.matmul(left.double(), right.double())
    return left, right, exact, torch.matmul(left.double().abs(), right.double().abs())


@check("gpu.reduce.fp32", limit_s=180, start=FRESH)
def reduce(context):
    return on_device(context, reduce_fp32)


@check("gpu.conv2d.fp32", limit_s=180, start=FRESH)
def conv2d(context):
    return on_device(context, conv2d_fp32)


@check("gpu.conv2d.backward", limit_s=180, start=FRESH)
def conv2d_gradients(context):
    return on_device(context, conv2d_backward)


def conv2d_backward(device):
    """The gradients of images, weights and bias against those of the same convolution written as a matrix product."""
    import torch

    torch.manual_seed(20250122)
    images, weights, bias = torch.randn(4, 16, 14, 14), torch.randn(24, 16, 3, 3), torch.randn(24)
    upstream = torch.randn(4, 24, 14, 14)

    def gradients(convolve, above, *inputs):
        leaves = [one.clone().requires_grad_(True) for one in inputs]
        (convolve(*leaves) * above).sum().backward()
        return [leaf.grad.detach().cpu() for leaf in leaves]

    def by_matmul(x, w, b):
        return conv_by_matmul(torch, x, w, b)

    def by_library(x, w, b):
        return torch.nn.functional.conv2d(x, w, b, padding=1)

    inputs = (images, weights, bias)
    got = gradients(by_library, upstream.to(device), *(one.to(device) for one in inputs))
    exact = gradients(by_matmul, upstream.double(), *(one.double() for one in inputs))
    size = gradients(by_matmul, upstream.double().abs(), *(one.double().abs() for one in inputs))
    depths = (24 * 9, 4 * 14 * 14, 4 * 14 * 14)  # how many products each gradient sums
    answers = [
        within(one, want, depth * U32 * most + 1e-30, "float64 within K·2^-24·(|x|*|g|)")
        for one, want, depth, most in zip(got, exact, depths, size)
    ]
    measured = {name: answer["measured"] for name, answer in zip(("images", "weights", "bias"), answers)}
    is_right = all(answer["status"] == "pass" for answer in answers)
    return verdict(is_right, measured, answers[0]["expected"], "gradients of convolutions are wrong: training cannot work")


@check("gpu.sdpa.fp32", limit_s=180, start=FRESH)
def sdpa_fp32(context):
    return on_device(context, sdpa)


@check("gpu.sdpa.bf16", limit_s=180, start=FRESH)
def sdpa_bf16(context):
    """In half precision other kernels serve (flash attention)."""
    return on_device(context, sdpa_half)


def sdpa_half(device):
    import torch

    if not is_at_least(torch, 2, 0):
        return skipped("torch %s has no scaled_dot_product_attention (2.0 brought it)" % torch.__version__)
    return sdpa(device, "bfloat16", UBF16)


@check("gpu.svd.fp32", limit_s=180, start=FRESH)
def svd(context):
    return on_device(context, svd_fp32)


@check("gpu.sgd", limit_s=180, start=FRESH)
def sgd(context):
    return on_device(context, sgd_step)
