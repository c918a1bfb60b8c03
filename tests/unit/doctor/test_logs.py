"""Whole logs, as programs write them: what broke is named, what only followed comes behind, what went well stays silent."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from builder.doctor.diagnose import diagnose, diagnose_text
from tests.unit.doctor.logs import embedded, ids, ordinary, unknown

HERE = Path(__file__).parent
CLEAN = sorted((HERE / "clean").glob("*.log"))

# log, what is found with its line (the cause first), lines of what nobody knows
BROKEN: list[tuple[str, list[tuple[str, int]], list[int]]] = [
    ("alpaca_killed", [("host-oom", 20), ("killed", 4)], []),
    ("apt_offline", [("dns", 4), ("apt-locate", 10)], []),
    ("apt_old_key", [("gpg-key", 3)], []),
    ("argparse_unknown", [], [2]),
    ("buildkit_pip", [("no-matching-wheel", 4), ("pip-conflict", 3)], []),
    ("buildkit_tag", [("manifest-unknown", 2)], []),
    ("buildx_tty", [("cuda-home", 17)], []),
    ("chained_libgl", [("libgl", 6), ("missing-module", 15)], []),
    ("compat_804", [("compat-804", 2)], []),
    ("compose", [("not-compiled-with-cuda", 9)], []),
    ("compose_gpu", [("docker-gpu-driver", 6)], []),
    ("conda_pip_wheel", [("no-matching-wheel", 8)], []),
    ("conda_tos", [("conda-tos", 2)], []),
    ("dataloader_shm", [("shm-bus", 2), ("worker-exited", 20)], []),
    ("deepspeed_hosts", [("libgl", 6), ("nccl-timeout", 7)], []),
    ("device_assert", [("device-assert", 1), ("cublas-init", 8)], []),
    ("disk_full_checkpoint", [("disk-full", 5)], []),
    ("docker_gpu", [("require-cuda", 2)], []),
    ("docker_json", [("mkl-ijit", 5)], []),
    ("driver_warning_then_crash", [("driver-too-old", 1), ("cuda-checkpoint", 8)], []),
    ("flash_attn_isolation", [("build-no-torch", 15)], []),
    ("flash_attn_no_toolkit", [("cuda-home", 24), ("no-nvcc", 7)], []),
    ("folded_traceback", [("undefined-symbol-abi", 1)], []),
    ("gcc_too_new", [("gcc-too-new", 7)], []),
    ("glibcxx_import", [("glibcxx", 6)], []),
    ("json_lines_unknown", [], [2]),
    ("k8s_pod", [("libcudart", 5)], []),
    ("nccl_shm", [("nccl-shm", 2), ("nccl-system", 8)], []),
    ("numpy2", [("numpy2", 2)], []),
    ("nvidia_smi_mismatch", [("nvml-mismatch", 2), ("no-cuda-gpus", 8)], []),
    ("old_card_new_torch", [("sm-not-compatible", 14), ("gpu-min-max", 3), ("no-kernel-image", 23)], []),
    ("pip_offline", [("dns", 1), ("no-matching-wheel", 3)], []),
    ("plain_no_torch", [("missing-module", 4)], []),
    ("proxy_conda", [("proxy", 3), ("conda-http", 8)], []),
    ("ranks_oom_then_timeout", [("cuda-oom", 19), ("nccl-timeout", 3)], []),
    ("retry_failed", [("cuda-oom", 9)], []),
    ("rich_traceback", [("no-cuda-gpus", 10)], []),
    ("root_cause_rank", [("disk-full", 8), ("cuda-launch-failure", 4)], []),
    ("slurm_oom", [("host-oom", 7), ("worker-exited", 6), ("slurm-cancelled", 10)], []),
    ("timestamps", [("libsndfile", 6)], []),
    ("triton_gcc", [("no-compiler", 6)], []),
    ("tv_nms_fake", [("tv-nms", 9)], []),
    ("two_failures", [("libgl", 1)], [65]),
    ("unknown_tool", [], [3]),
    ("unknown_traceback", [], [7]),
    ("vllm_oom", [("cuda-oom", 6)], []),
    ("warned_then_unknown", [("libsndfile", 2)], [7]),
    ("wheel_no_compiler", [("no-compiler", 11)], []),
    ("worker_traceback", [("fork-cuda", 12)], []),
    ("wsl_cudnn", [("cudnn-infer8", 2)], []),
    ("xid_after_cuda_error", [("xid", 11), ("cuda-launch-failure", 4)], []),
]


@pytest.mark.parametrize(("name", "findings", "unknown"), BROKEN, ids=[case[0] for case in BROKEN])
def test_a_broken_run_is_told_by_its_first_cause(name: str, findings: list[tuple[str, int]], unknown: list[int]) -> None:
    with (HERE / "broken" / f"{name}.log").open("rb") as stream:
        diagnosis = diagnose(stream)
    assert [(finding.id, finding.line) for finding in diagnosis.findings] == findings
    assert [error.line for error in diagnosis.unknown] == unknown


def test_every_broken_log_has_its_answer() -> None:
    assert {path.stem for path in (HERE / "broken").glob("*.log")} == {name for name, _, _ in BROKEN}


@pytest.mark.parametrize("path", CLEAN, ids=lambda path: path.stem)
def test_a_log_of_a_run_that_went_well_gives_nothing(path: Path) -> None:
    with path.open("rb") as stream:
        diagnosis = diagnose(stream)
    assert (diagnosis.findings, diagnosis.unknown) == ((), ())


def test_utf_16_with_and_without_its_mark() -> None:
    text = embedded("AssertionError: Torch not compiled with CUDA enabled")
    for encoded in (text.encode("utf-16"), text.encode("utf-16-le"), text.encode("utf-16-be"), b"\xef\xbb\xbf" + text.encode()):
        found = diagnose(io.BytesIO(encoded)).findings
        assert [(one.id, one.line) for one in found] == [("not-compiled-with-cuda", 101)]


def test_windows_line_ends_and_colours() -> None:
    lines = embedded("\x1b[31mRuntimeError:\x1b[0m CUDA out of \x1b[1mmemory\x1b[0m").split("\n")
    assert [(one.id, one.line) for one in diagnose_text("\r\n".join(lines)).findings] == [("cuda-oom", 101)]


def test_an_error_between_two_drawings_of_a_progress_bar_has_the_line_it_stands_in() -> None:
    text = "start\n 10%|█  | 1/10\r 20%|██ | 2/10\rRuntimeError: No CUDA GPUs are available\nend"
    assert [(one.id, one.line) for one in diagnose_text(text).findings] == [("no-cuda-gpus", 2)]


def test_bytes_that_are_no_text_do_not_hurt() -> None:
    data = (
        b"\xff\xfe\x00" + bytes(range(256)) * 40 + b"\nlibGL.so.1: cannot open shared object file: No such file or directory\n"
    )
    assert diagnose(io.BytesIO(bytes(range(1, 256)) * 40)).findings == ()
    assert [one.id for one in diagnose(io.BytesIO(data[3:])).findings] == ["libgl"]


def test_a_log_that_was_packed_by_gzip_is_read_also_when_it_breaks_off() -> None:
    import gzip

    packed = gzip.compress(embedded("AssertionError: Torch not compiled with CUDA enabled").encode() * 3)
    for data in (packed, packed[: len(packed) - 9]):
        assert [(one.id, one.line) for one in diagnose(io.BytesIO(data)).findings] == [("not-compiled-with-cuda", 101)]


def test_an_empty_log_is_a_clean_one() -> None:
    assert diagnose(io.BytesIO(b"")) == diagnose_text("")
    assert diagnose_text("").findings == ()


class Endless(io.RawIOBase):
    """A log of a given length that exists nowhere as a whole."""

    def __init__(self, piece: bytes, count: int, end: bytes) -> None:
        self.left = count
        self.piece, self.end = piece, end

    def read(self, size: int = -1) -> bytes:
        self.left -= 1
        return self.piece if self.left >= 0 else self.end if self.left == -1 else b""


def test_a_huge_log_is_read_in_little_memory() -> None:
    import tracemalloc

    piece = ("\n".join(ordinary(400)) + "\n").encode() + b"x" * 400_000 + b"\n"
    tracemalloc.start()
    found = diagnose(Endless(piece, 60, b"RuntimeError: CUDA out of memory\n"))  # type: ignore[arg-type]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [(one.id, one.line) for one in found.findings] == [("cuda-oom", 60 * 401 + 1)]
    assert peak < 12_000_000  # of 26 MB


def test_a_progress_bar_of_many_hours_without_a_line_break_is_read_in_pieces() -> None:
    bar = b"\r".join(b"%d%% of it" % (number % 100) for number in range(300_000))
    found = diagnose(io.BytesIO(b"start\n" + bar + b"\nRuntimeError: No CUDA GPUs are available\n"))
    assert [(one.id, one.line) for one in found.findings] == [("no-cuda-gpus", 3)]


def test_errors_of_millions_do_not_fill_the_memory_and_a_late_one_is_still_seen() -> None:
    text = "ValueError: bad sample\n" * 20_000 + "OSError: [Errno 28] No space left on device\n"
    assert ids(text) == ["disk-full"]


@pytest.mark.parametrize(
    "text",
    [
        "WARNING: could not import cv2 (libGL.so.1: cannot open shared object file), falling back to PIL",
        "CUDA out of memory. Reducing batch size to 16 and retrying",
        "if you see RuntimeError: CUDA out of memory, lower --batch-size",
        "tests/test_x.py::test_reports[No CUDA GPUs are available] PASSED",
        "+ grep -c 'No space left on device' log.txt",
        'DEBUG probe: No module named "apex"',
    ],
)
def test_what_is_coped_with_or_only_spoken_of_is_no_finding(text: str) -> None:
    assert (ids(embedded(text)), unknown(embedded(text))) == ([], [])


def test_what_is_said_to_be_coped_with_at_the_very_end_was_not() -> None:
    assert ids("\n".join(ordinary(50)) + "\nRuntimeError: CUDA out of memory\nretrying") == ["cuda-oom"]


def test_a_warning_that_a_crash_follows_is_named() -> None:
    text = "\n".join(
        [
            *ordinary(50),
            "WARNING libsndfile.so: cannot open shared object file: No such file or directory",
            "Segmentation fault",
        ]
    )
    assert "libsndfile" in ids(text)


def test_the_line_of_source_that_raises_is_not_the_error() -> None:
    message = "No CUDA GPUs are available"
    text = f'  File "x.py", line 3, in f\n    raise RuntimeError("{message}")\nRuntimeError: {message}'
    assert [(one.id, one.line) for one in diagnose_text(text).findings] == [("no-cuda-gpus", 3)]


def test_an_unknown_error_tells_whose_code_raised_it() -> None:
    text = "\n".join(
        [
            "Traceback (most recent call last):",
            '  File "/opt/conda/lib/python3.11/site-packages/einops/einops.py", line 412, in rearrange',
            "    raise EinopsError(message)",
            "einops.EinopsError: Shape mismatch, can't divide axis",
        ]
    )
    (error,) = diagnose_text(text).unknown
    assert (error.package, error.line) == ("einops", 4)


def test_the_module_that_is_missing_is_told_as_a_fact() -> None:
    (finding,) = diagnose_text("ModuleNotFoundError: No module named 'sklearn.cluster'").findings
    assert (finding.id, finding.facts) == ("missing-module", {"module": "sklearn.cluster"})


def test_the_driver_of_a_number_is_told_as_a_cuda_version() -> None:
    (finding,) = diagnose_text("RuntimeError: The NVIDIA driver on your system is too old (found version 11040).").findings
    assert "CUDA 11.4," in finding.cause
