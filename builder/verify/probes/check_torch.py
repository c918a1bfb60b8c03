"""Is the installed torch the planned one, and do its companions fit it?

A wheel's own tag (2.6.0+cu126) is not enough: builds from the default index and from conda-forge carry none, so the build
is read from torch.version, which is compiled in.
"""

import importlib
import importlib.util
import warnings

from probe_kit import WARM, check, failed, first_lines, skipped, verdict


@check("torch.import", limit_s=180, start=WARM, is_quick=True)
def torch_import(context):
    """Answered by run.py: the import is what starts the process that the other checks are forked from."""
    del context
    return failed("run.py did not answer this itself", "an import")


@check("torch.version", limit_s=20, start=WARM, is_quick=True)
def version(context):
    import torch

    expected = (context.get("torch") or {}).get("version")
    if not expected:
        return skipped("no plan says which torch is wanted", torch.__version__)
    release = str(torch.__version__).split("+")[0]
    return verdict(release == expected, str(torch.__version__), expected, "another torch was installed over the planned one")


@check("torch.variant", limit_s=20, start=WARM, is_quick=True)
def variant(context):
    """For which accelerator torch was compiled."""
    import torch

    measured, expected = built_for(torch), (context.get("torch") or {}).get("variant")
    if not expected:
        return skipped("no plan says which build is wanted", measured)
    hint = "the build for %s was planned, and the one for %s is installed: a later `pip install` may have replaced it"
    return verdict(is_same_variant(measured, expected), measured, expected, hint % (expected, measured))


def built_for(torch):
    """cpu, cu126, rocm6.4 or xpu, as compiled in."""
    hip = getattr(torch.version, "hip", None)
    if hip:
        return "rocm" + ".".join(hip.split("-")[0].split(".")[:2])
    if torch.version.cuda:
        return "cu" + "".join(torch.version.cuda.split(".")[:2])
    if getattr(torch.version, "xpu", None) or str(torch.__version__).endswith("+xpu"):
        return "xpu"
    return "cpu"


def is_same_variant(measured, expected):
    """rocm6.2.4 is 6.2 here: what follows in torch.version.hip counts builds, not releases."""
    if expected.startswith("rocm"):
        expected = "rocm" + ".".join(expected[4:].split(".")[:2])
    return measured == expected


@check("torch.numpy", limit_s=30, start=WARM)
def numpy(context):
    """Whether torch and numpy can hand each other arrays; torch before 2.3 cannot with numpy 2."""
    del context
    if importlib.util.find_spec("numpy") is None:
        return skipped("numpy is not installed")
    import torch

    hint = "this torch was built for another numpy: torch before 2.3 needs numpy<2"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import numpy as array_library

            there = torch.from_numpy(array_library.arange(6.0).reshape(2, 3))
            back = (there * 2).numpy()
    except (ImportError, RuntimeError) as error:
        return failed(first_lines(str(error), 2), "arrays pass both ways", hint)
    is_right = back.tolist() == [[0.0, 2.0, 4.0], [6.0, 8.0, 10.0]]
    return verdict(is_right, "numpy " + array_library.__version__, "arrays pass both ways", hint)


@check("torch.torchvision", limit_s=120, start=WARM)
def torchvision(context):
    return companion(context, "torchvision", use_torchvision)


@check("torch.torchaudio", limit_s=120, start=WARM)
def torchaudio(context):
    return companion(context, "torchaudio", import_alone)


def companion(context, name, use):
    """Whether the release made for this torch is there and works. Planned but absent fails; absent and unplanned skips."""
    plan = context.get("torch") or {}
    wanted = plan.get(name)
    is_planned = name in (plan.get("companions") or ())
    if importlib.util.find_spec(name) is None:
        return (
            failed("not installed", wanted, "it was planned and is not there")
            if is_planned
            else skipped(name + " is not part of this image")
        )
    try:
        module = importlib.import_module(name)
        works = use(module)
    except Exception as error:
        hint = "a %s made for another torch fails like this; the one for this torch is %s" % (
            name,
            wanted or "of its own release",
        )
        return failed("%s: %s" % (type(error).__name__, first_lines(str(error), 2)), wanted or "an import", hint)
    measured = str(module.__version__)
    if not wanted:
        return verdict(works, measured, "works with this torch")
    hint = "this %s was made for another torch" % name
    return verdict(works and measured.split("+")[0] == wanted, measured, wanted, hint)


def import_alone(module):
    """torchaudio loads its compiled parts when it is imported."""
    return module is not None


def use_torchvision(module):
    """Non-maximum suppression, one of its compiled operators: two boxes that overlap, one that does not."""
    import torch

    nms = getattr(getattr(module, "ops", None), "nms", None)
    if nms is None:
        return True
    boxes = torch.tensor([[0.0, 0.0, 10.0, 10.0], [1.0, 1.0, 10.0, 10.0], [20.0, 20.0, 30.0, 30.0]])
    return nms(boxes, torch.tensor([0.9, 0.8, 0.7]), 0.5).tolist() == [0, 2]
