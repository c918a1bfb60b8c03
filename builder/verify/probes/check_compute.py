"""Do the kernels compute what arithmetic says? Each result is held against float64 on the CPU, seeds fixed.

u is the unit roundoff of a type: 2^-24 for float32, 2^-8 for bfloat16. A sum of K products in any order errs by at most
K·u·Σ|a·b|, and with overwhelming probability by no more than 8·sqrt(K)·u·Σ|a·b| (Higham and Mary 2019, a bound of the
form λ·sqrt(K)·u). The second is small enough to notice TF32, whose products err by 2^-11, and large enough that no correct
order of summation fails it. The float64 reference of a product is itself checked against math.fsum in a few places, so a
matmul that is wrong in every type is noticed too. device is "cpu" here; the gpu group runs the same functions on a device.
"""

import math

from probe_kit import WARM, check, failed, is_at_least, skipped, verdict

U32 = 2.0**-24
U64 = 2.0**-53
UBF16 = 2.0**-8


def within(got, want, bound, said):
    """The verdict on got (any type and device) against want and bound (float64 on the CPU), element by element."""
    error = (got.detach().cpu().double() - want).abs()
    is_right = bool((error <= bound).all())  # false for NaN too
    share = float((error / bound).max())
    measured = {"max_error": float("%.3g" % float(error.max())), "of_tolerance": float("%.3g" % share)}
    return verdict(is_right, measured, said, "the result is wrong, not merely rounded: this build does not suit this processor")


def spot_check(left, right, product, tolerance):
    """Where a float64 matrix product is off from math.fsum, as text; None when it is right in 16 places."""
    rows, columns = left.shape[0], right.shape[1]
    for step in range(16):
        row, column = (step * 37) % rows, (step * 53) % columns
        terms = [a * b for a, b in zip(left[row].tolist(), right[:, column].tolist())]
        want, got = math.fsum(terms), float(product[row, column])
        if not abs(got - want) <= tolerance * math.fsum(abs(term) for term in terms):
            return "float64 product at (%d, %d) is %r, by math.fsum %r" % (row, column, got, want)
    return None


def matmul_fp32(device):
    import torch

    torch.manual_seed(20250101)
    depth = 512
    left, right = torch.randn(96, depth), torch.randn(depth, 80)
    exact = torch.matmul(left.double(), right.double())
    wrong = spot_check(left.double(), right.double(), exact, 2 * depth * U64)
    if wrong:
        return failed(wrong, "float64 as math.fsum says", "matrix products are wrong on the CPU itself")
    got = torch.matmul(left.to(device), right.to(device))
    bound = 8 * math.sqrt(depth) * U32 * torch.matmul(left.double().abs(), right.double().abs())
    return within(got, exact, bound, "float64 within 8·sqrt(K)·2^-24·|A||B|, K=512")


@check("compute.matmul.fp32", limit_s=60, start=WARM, is_quick=True)
def matmul_fp32_cpu(context):
    del context
    return matmul_fp32("cpu")


@check("compute.matmul.fp64", limit_s=60, start=WARM)
def matmul_fp64(context):
    """Products of whole numbers below 2^53 are exact in float64, so every bit must be right."""
    del context
    import torch

    torch.manual_seed(20250102)
    left, right = torch.randint(-1000, 1001, (60, 257)), torch.randint(-1000, 1001, (257, 40))
    columns = list(zip(*right.tolist()))
    exact = [[sum(a * b for a, b in zip(row, column)) for column in columns] for row in left.tolist()]
    got = torch.matmul(left.double(), right.double()).tolist()
    wrong = sum(a != b for got_row, row in zip(got, exact) for a, b in zip(got_row, row))
    return verdict(wrong == 0, "%d of %d differ" % (wrong, 60 * 40), "exact in every bit", "float64 products are wrong")


@check("compute.matmul.bf16", limit_s=60, start=WARM)
def matmul_bf16_cpu(context):
    del context
    return matmul_bf16("cpu")


def matmul_bf16(device):
    """bfloat16 in and out; the reference starts from the rounded inputs."""
    import torch

    if not hasattr(torch, "bfloat16"):
        return skipped("torch %s has no bfloat16" % torch.__version__)
    torch.manual_seed(20250103)
    depth = 64
    try:
        left, right = torch.randn(48, depth).to(torch.bfloat16), torch.randn(depth, 40).to(torch.bfloat16)
        got = torch.matmul(left.to(device), right.to(device))
    except RuntimeError as error:  # releases before 1.3 or so convert but do not multiply
        return skipped("torch %s does not multiply bfloat16 here: %s" % (torch.__version__, str(error).splitlines()[0]))
    exact = torch.matmul(left.double(), right.double())
    size = torch.matmul(left.double().abs(), right.double().abs())
    # Sums are kept in float32 and rounded once; older releases kept them in bfloat16 (1.9.1 was seen to).
    summing = U32 if is_at_least(torch, 2, 0) else UBF16
    bound = 2 * UBF16 * exact.abs() + 8 * math.sqrt(depth) * summing * size
    return within(got, exact, bound, "float64 within 2^-7·|AB| and float32 sums, K=64")


def conv2d_fp32(device):
    import torch

    torch.manual_seed(20250104)
    images, weights, bias = torch.randn(4, 16, 20, 20), torch.randn(24, 16, 3, 3), torch.randn(24)
    convolve = torch.nn.functional.conv2d
    got = convolve(images.to(device), weights.to(device), bias.to(device), padding=1)
    exact = conv_by_matmul(torch, images.double(), weights.double(), bias.double())
    size = conv_by_matmul(torch, images.double().abs(), weights.double().abs(), bias.double().abs())
    # K·u, the bound for any order: Winograd's transforms, which libraries use for 3x3, err more than plain sums do.
    return within(got, exact, 16 * 9 * U32 * size, "float64 within K·2^-24·(|x|*|w|), K=144")


def conv_by_matmul(torch, images, weights, bias):
    """The same convolution written as unfold and a matrix product, so that conv2d is not its own witness."""
    columns = torch.nn.functional.unfold(images, (3, 3), padding=1)
    flat = torch.matmul(weights.reshape(weights.shape[0], -1), columns) + bias.reshape(1, -1, 1)
    return flat.reshape(images.shape[0], weights.shape[0], images.shape[2], images.shape[3])


@check("compute.conv2d.fp32", limit_s=60, start=WARM)
def conv2d_fp32_cpu(context):
    del context
    return conv2d_fp32("cpu")


@check("compute.softmax.fp32", limit_s=60, start=WARM)
def softmax_fp32(context):
    """Against Python's own math.exp. exp errs by a few u, the sum of N terms by 8·sqrt(N)·u."""
    del context
    import torch

    torch.manual_seed(20250105)
    count = 1000
    scores = torch.randn(8, count) * 4
    rows = []
    for row in scores.double().tolist():
        powers = [math.exp(value - max(row)) for value in row]
        rows.append([power / math.fsum(powers) for power in powers])
    exact = torch.tensor(rows, dtype=torch.float64)
    # x - max(x) is rounded too: its error u·|x - max| is a relative error of exp.
    spread = float(scores.max() - scores.min())
    bound = (8 * math.sqrt(count) + spread + 8) * U32 * exact + 1e-37
    return within(torch.softmax(scores, dim=1), exact, bound, "math.exp within (8·sqrt(N)+range+8)·2^-24, N=1000")


@check("compute.layer_norm.fp32", limit_s=60, start=WARM)
def layer_norm_fp32(context):
    """Inputs not far from zero: torch before 1.10 or so takes the variance in one pass, which loses digits there."""
    del context
    import torch

    torch.manual_seed(20250106)
    count = 512
    inputs = torch.randn(16, count) * 2 + 3
    weight, bias = torch.randn(count), torch.randn(count)
    got = torch.nn.functional.layer_norm(inputs, (count,), weight, bias, 1e-5)
    wide = inputs.double()
    mean = wide.mean(dim=1, keepdim=True)
    deviation = ((wide - mean) ** 2).mean(dim=1, keepdim=True).add(1e-5).sqrt()
    exact = (wide - mean) / deviation * weight.double() + bias.double()
    # Rounding the mean costs u·|mean| of the input's scale, that is u·|mean|/deviation after the division.
    scale = float(wide.abs().max() / deviation.min()) + 8
    bound = 8 * scale * U32 * (weight.double().abs() + bias.double().abs() + 1)
    return within(got, exact, bound, "float64 within 8·2^-24·(max|x|/sigma+8)·(|w|+|b|+1)")


@check("compute.reduce.fp32", limit_s=60, start=WARM)
def reduce_fp32_cpu(context):
    del context
    return reduce_fp32("cpu")


def reduce_fp32(device):
    """sum and mean of a million numbers against math.fsum, min, max and argmax exactly; large enough to use all threads."""
    import torch

    torch.manual_seed(20250107)
    count = 1000000
    numbers = torch.rand(count) - 0.25
    plain = numbers.double().tolist()
    numbers = numbers.to(device)
    exact, size = math.fsum(plain), math.fsum(abs(value) for value in plain)
    bound = 8 * math.sqrt(count) * U32 * size
    wrong = {}
    for name, got, want, allowed in (
        ("sum", float(numbers.sum()), exact, bound),
        ("mean", float(numbers.mean()), exact / count, bound / count),
        ("max", float(numbers.max()), max(plain), 0.0),
        ("min", float(numbers.min()), min(plain), 0.0),
        ("value at argmax", plain[int(numbers.argmax())], max(plain), 0.0),
    ):
        if not abs(got - want) <= allowed:
            wrong[name] = {"got": got, "should_be": want}
    return verdict(
        not wrong, wrong or "sum, mean, max, min, argmax", "math.fsum within 8·sqrt(N)·2^-24, N=10^6", "a reduction is wrong"
    )


@check("compute.svd.fp32", limit_s=60, start=WARM)
def svd_fp32_cpu(context):
    del context
    return svd_fp32("cpu")


def svd_fp32(device):
    """A matrix made of known singular values; LAPACK's own measure, |A - USV'| / (|A|·max(m,n)·eps), stays below 30."""
    import torch

    torch.manual_seed(20250108)
    rows, columns = 64, 48
    values = torch.tensor([2.0 ** (-step / 6.0) for step in range(columns)], dtype=torch.float64)
    decompose = getattr(getattr(torch, "linalg", None), "qr", None) or torch.qr
    left = decompose(torch.randn(rows, columns, dtype=torch.float64))[0]
    right = decompose(torch.randn(columns, columns, dtype=torch.float64))[0]
    matrix = torch.matmul(left * values, right.t()).float()
    if hasattr(getattr(torch, "linalg", None), "svd"):
        u, s, vt = torch.linalg.svd(matrix.to(device), full_matrices=False)
    else:
        u, s, v = torch.svd(matrix.to(device))
        vt = v.t()
    u, s, vt, wide = u.cpu().double(), s.cpu().double(), vt.cpu().double(), matrix.double()
    unit = max(rows, columns) * 2 * U32
    measured = {
        "residual": float((wide - torch.matmul(u * s, vt)).norm() / (wide.norm() * unit)),
        "orthogonality": float((torch.matmul(u.t(), u) - torch.eye(columns, dtype=torch.float64)).norm() / unit),
        "singular_values": float((s - values).abs().max() / unit),
    }
    measured = {name: float("%.3g" % value) for name, value in measured.items()}
    return verdict(
        all(value < 30 for value in measured.values()),
        measured,
        "below 30 (LAPACK's test ratio)",
        "the linear algebra library is wrong",
    )


@check("compute.sdpa.fp32", limit_s=60, start=WARM)
def sdpa_fp32_cpu(context):
    del context
    return sdpa("cpu")


def sdpa(device, type_name="float32", unit=U32):
    """Causal attention against its definition in float64. type_name, unit: of what goes in and comes out, and its roundoff."""
    import torch

    attend = getattr(torch.nn.functional, "scaled_dot_product_attention", None)
    if attend is None:
        return skipped("torch %s has no scaled_dot_product_attention (2.0 brought it)" % torch.__version__)
    torch.manual_seed(20250109)
    length, width = 96, 32
    query, key, value = (torch.randn(2, 4, length, width).to(getattr(torch, type_name)) for _ in range(3))
    got = attend(query.to(device), key.to(device), value.to(device), is_causal=True)
    scores = torch.matmul(query.double(), key.double().transpose(-2, -1)) / math.sqrt(width)
    future = torch.ones(length, length).triu(1) > 0
    weights = torch.softmax(scores.masked_fill(future, float("-inf")), dim=-1)
    exact = torch.matmul(weights, value.double())
    # An error d in a score is a relative error d of its weight; scores err by 8·sqrt(width)·u·|q||k|/sqrt(width).
    size = float(torch.matmul(query.double().abs(), key.double().abs().transpose(-2, -1)).max())
    # In half precision the scores and sums stay in float32; weights and the result are rounded once more.
    rounding = (8 * size + 8 * math.sqrt(length) + 32) * U32 + (0 if unit == U32 else 4 * unit)
    bound = rounding * torch.matmul(weights, value.double().abs())
    return within(got, exact, bound, "float64 within the rounding of scores, weights and sums")
