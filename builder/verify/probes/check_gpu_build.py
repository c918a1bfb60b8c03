"""What is compiled while a program runs: torch.compile for the GPU, and a CUDA extension where the image has nvcc."""

import os
import shutil
import sysconfig
import tempfile

from check_learning import compile_and_compare
from probe_gpu import capability, on_device
from probe_kit import FRESH, check, first_lines, skipped, verdict


@check("gpu.compile", limit_s=420, start=FRESH)
def compiled(context):
    """Triton writes the kernel; a C compiler builds the few lines that start it, against Python.h."""
    return in_folder("wsb-compile-", lambda folder: on_device(context, lambda device: compile_there(device, folder)))


def compile_there(device, folder):
    import torch

    has = capability(torch)
    missing = why_not_triton()
    if has is not None and has < (7, 0):
        missing = "Triton, which writes torch.compile's kernels, needs compute capability 7.0; this card has %d.%d" % has
    if missing:
        return skipped(missing)
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = folder  # no cache is left in the user's home
    os.environ["TRITON_CACHE_DIR"] = os.path.join(folder, "triton")
    os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"
    return compile_and_compare(device)


def why_not_triton():
    """What Triton would miss in this image; "" when nothing."""
    if not any(shutil.which(name) for name in (os.environ.get("CC", ""), "gcc", "clang", "cc") if name):
        return "no C compiler in this image, which torch.compile needs for the GPU (packages: {apt: [gcc, libc6-dev]})"
    include = sysconfig.get_paths()["include"]
    if not os.path.exists(os.path.join(include, "Python.h")):
        return "no Python.h in %s, which torch.compile needs for the GPU" % include
    return ""


@check("gpu.extension", limit_s=420, start=FRESH)
def extension(context):
    """A kernel of our own through torch.utils.cpp_extension."""
    return in_folder("wsb-extension-", lambda folder: on_device(context, lambda device: build_and_run(device, folder)))


KERNEL = """
#include <torch/extension.h>

__global__ void twice_and_one(const float* in, float* out, int count) {
    int place = blockIdx.x * blockDim.x + threadIdx.x;
    if (place < count) out[place] = 2.0f * in[place] + 1.0f;
}

torch::Tensor run_twice_and_one(torch::Tensor in) {
    auto out = torch::empty_like(in);
    int count = in.numel();
    twice_and_one<<<(count + 255) / 256, 256>>>(in.data_ptr<float>(), out.data_ptr<float>(), count);
    return out;
}
"""
DECLARED = "torch::Tensor run_twice_and_one(torch::Tensor in);"


def build_and_run(device, folder):
    import torch

    missing = why_not_nvcc(torch)
    if missing:
        return skipped(missing)
    from torch.utils import cpp_extension

    try:
        module = cpp_extension.load_inline(
            name="wsb_twice_and_one",
            cpp_sources=[DECLARED],
            cuda_sources=[KERNEL],
            functions=["run_twice_and_one"],
            build_directory=folder,
        )
    except RuntimeError as error:
        return verdict(False, first_lines(str(error), 6), "it is built", "nvcc and torch must be of the same CUDA major")
    inputs = torch.arange(1000, dtype=torch.float32)
    got = module.run_twice_and_one(inputs.to(device)).cpu()
    differ = int((got != 2 * inputs + 1).sum())
    return verdict(differ == 0, {"differ": differ, "of": 1000}, "exact in every bit", "a kernel built here computes wrongly")


def why_not_nvcc(torch):
    """What building a CUDA extension would miss in this image; "" when nothing."""
    from torch.utils import cpp_extension

    if getattr(torch.version, "hip", None):
        return "extensions are tried with nvcc only"
    home = cpp_extension.CUDA_HOME
    if not (shutil.which("nvcc") or (home and os.path.exists(os.path.join(home, "bin", "nvcc")))):
        return "no nvcc in this image: only images of the devel kind have one, and only what is compiled needs it"
    if not shutil.which("ninja"):
        return "no ninja in this image, which torch.utils.cpp_extension needs (packages: {pip: [ninja]})"
    if not any(shutil.which(name) for name in (os.environ.get("CXX", ""), "g++", "c++") if name):
        return "no C++ compiler in this image"
    return ""


def in_folder(prefix, run):
    """run in a folder that is gone afterwards."""
    folder = tempfile.mkdtemp(prefix=prefix)
    try:
        return run(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
