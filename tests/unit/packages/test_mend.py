"""The one command that mends what is missing, from the last output of a command."""

from __future__ import annotations

import pytest

from builder.catalog import load
from builder.model.values import Manager
from builder.packages.mend import Around, Mend, mend

TRACEBACK = 'Traceback (most recent call last):\n  File "/workspace/train.py", line 3, in <module>\n    x\n{}\n'


def found(text: str, *declared: str, own: dict[str, str] | None = None, manager: Manager = Manager.VENV) -> Mend | None:
    around = Around(
        catalog=load(), manager=manager, declared=frozenset(declared), own_file=lambda name: (own or {}).get(name, "")
    )
    return mend(TRACEBACK.format(text), around)


def command(text: str, *declared: str, **more: object) -> str | None:
    one = found(text, *declared, **more)  # type: ignore[arg-type]
    return one.command if one else None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ModuleNotFoundError: No module named 'cv2'", "wsb add opencv-python-headless"),
        ("ModuleNotFoundError: No module named 'PIL.Image'", "wsb add pillow"),
        ("ImportError: No module named yaml", "wsb add pyyaml"),
        ("/opt/venv/m/bin/python: No module named tensorboard", "wsb add tensorboard"),
        ("ModuleNotFoundError: No module named 'google.protobuf'", "wsb add protobuf"),
        ("ModuleNotFoundError: No module named 'clip'", 'wsb add "clip @ git+https://github.com/openai/CLIP.git"'),
        ("ImportError: libGL.so.1: cannot open shared object file: No such file", "wsb add --apt libgl1 libglib2.0-0"),
        ("ImportError: libgthread-2.0.so.0: cannot open shared object file", "wsb add --apt libgl1 libglib2.0-0"),
        ("OSError: libsndfile.so.1: cannot open shared object file", "wsb add --apt libsndfile1"),
        ("OSError: libmpi.so.40: cannot open shared object file", "wsb add --apt libopenmpi3"),
        (
            "ImportError: tokenizers>=0.11.1,!=0.11.3,<0.14 is required for a normal functioning of this module, but found x",
            'wsb add "tokenizers>=0.11.1,!=0.11.3,<0.14"',
        ),
        (
            "pkg_resources.VersionConflict: (numpy 1.26.0 (/opt/x), Requirement.parse('numpy<1.24'))",
            'wsb add "numpy<1.24"',
        ),
        ("pkg_resources.DistributionNotFound: The 'lvis' distribution was not found and is required", 'wsb add "lvis"'),
        ("importlib.metadata.PackageNotFoundError: No package metadata was found for bitsandbytes", 'wsb add "bitsandbytes"'),
        ("A module that was compiled using NumPy 1.x cannot be run in\nNumPy 2.0.2 as it may crash.", 'wsb add "numpy<2"'),
        ("AttributeError: module 'numpy' has no attribute 'float'.", 'wsb add "numpy<1.24"'),
        ("FileNotFoundError: [Errno 2] No such file or directory: 'ffmpeg'", "wsb add --apt ffmpeg"),
        ("bash: line 1: wget: command not found", "wsb add --apt wget"),
        ("sh: 1: gcc: not found", "wsb add --apt build-essential"),
    ],
)
def test_a_failure_of_a_missing_thing_has_one_command(text: str, expected: str) -> None:
    assert command(text) == expected


def test_the_last_failure_counts() -> None:
    text = "ModuleNotFoundError: No module named 'apex'\n\nDuring handling …\n\nModuleNotFoundError: No module named 'einops'"
    assert command(text) == "wsb add einops"


def whole(text: str) -> str | None:
    one = mend(text, Around(catalog=load(), manager=Manager.VENV))
    return one.command if one else None


TRACE = 'Traceback (most recent call last):\n  File "x.py", line 1, in <module>\n'


def test_what_was_warned_of_before_is_not_what_failed() -> None:
    warned = "UserWarning: Failed to initialize NumPy: No module named 'numpy'\nNo module named 'apex', going on\n"
    assert whole(f"{warned}{TRACE}ModuleNotFoundError: No module named 'einops'\n") == "wsb add einops"
    assert whole(f"{warned}{TRACE}ValueError: bad shape\n") is None
    coped = f"{TRACE}ModuleNotFoundError: No module named 'apex'\ngoing on without\n"
    assert whole(f"{coped}{TRACE}ValueError: bad shape\n") is None


def test_the_reason_of_the_last_traceback_counts() -> None:
    chained = f"{TRACE}ImportError: libGL.so.1: cannot open shared object file\n\nDuring handling of the above exception, …\n\n"
    assert whole(f"{chained}{TRACE}RuntimeError: please install opencv\n") == "wsb add --apt libgl1 libglib2.0-0"
    ranks = f"{TRACE}ModuleNotFoundError: No module named 'einops'\n{TRACE}torch.distributed.elastic.ChildFailedError: x\n"
    assert whole(ranks) == "wsb add einops"


def test_numpys_warning_explains_the_array_that_is_not_there() -> None:
    warned = "A module that was compiled using NumPy 1.x cannot be run in\nNumPy 2.0.2 as it may crash.\n"
    assert whole(f"{warned}{TRACE}RuntimeError: Numpy is not available\n") == 'wsb add "numpy<2"'
    assert whole(f"{warned}{TRACE}ValueError: bad shape\n") is None


def test_a_module_of_the_projects_own_is_not_to_be_installed() -> None:
    one = found("ModuleNotFoundError: No module named 'utils.data'", own={"utils": "src/utils"})
    assert one is not None
    assert one.command == ""
    assert "the project's own src/utils" in one.because


def test_what_is_declared_but_not_built_wants_a_build() -> None:
    assert command("ModuleNotFoundError: No module named 'cv2'", "opencv-python") == "wsb build"


def test_a_part_that_a_release_lacks_is_no_missing_package() -> None:
    one = found("ModuleNotFoundError: No module named 'torch._six'", "torch")
    assert one is not None
    assert one.command == ""
    assert "the code wants another one" in one.because


def test_a_module_of_another_python_is_said_so() -> None:
    assert (
        "belongs to Python itself"
        in (found("ModuleNotFoundError: No module named 'imp'") or Mend(command="", because="")).because
    )


@pytest.mark.parametrize(
    "text",
    [
        "ImportError: libcuda.so.1: cannot open shared object file",
        "ImportError: libcudart.so.11.0: cannot open shared object file",
        "RuntimeError: CUDA out of memory",
        "ValueError: torch>=2.1 is required for a normal functioning of this module, but found torch==1.13",
        "bash: line 1: frobnicate: command not found",
        "",
    ],
)
def test_what_no_package_mends_is_left_to_others(text: str) -> None:
    assert found(text) is None
