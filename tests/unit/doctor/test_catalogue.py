"""Every entry of the catalogue: found by its own text among ordinary lines, and by nothing else's."""

from __future__ import annotations

import re

import pytest

from builder import catalog
from builder.catalog.known_errors import KnownError
from builder.doctor import catalogue
from builder.doctor.diagnose import diagnose_text
from builder.doctor.phrases import needle
from tests.unit.doctor.logs import embedded, ordinary

ROWS = catalog.load().known_errors


@pytest.mark.parametrize("row", ROWS, ids=[row.id for row in ROWS])
def test_an_entry_is_found_by_its_own_text_among_two_hundred_ordinary_lines(row: KnownError) -> None:
    diagnosis = diagnose_text(embedded(row.example))
    assert [(finding.id, finding.line) for finding in diagnosis.findings] == [(row.id, 101)]
    assert diagnosis.unknown == ()


def test_ordinary_lines_alone_give_nothing() -> None:
    diagnosis = diagnose_text("\n".join(ordinary()))
    assert (diagnosis.findings, diagnosis.unknown) == ((), ())


@pytest.mark.parametrize("row", ROWS, ids=[row.id for row in ROWS])
def test_no_sentence_keeps_an_open_place_when_its_example_is_told(row: KnownError) -> None:
    match = catalogue.standard().present(row.example).match(row.example)
    assert match is not None
    told = match.cause(1, row.example)
    places = {name for pattern in row.patterns for name in re.compile(pattern).groupindex}
    assert not any(f"{{{name}}}" in told.cause + told.remedy for name in places)


def test_what_an_entry_explains_is_in_the_catalogue() -> None:
    known = {row.id for row in ROWS}
    assert len(known) == len(ROWS)
    assert {other for row in ROWS for other in row.explains} <= known


@pytest.mark.parametrize(
    ("pattern", "plain"),
    [
        (r"version `?(?P<version>GLIBC_2\.\d+)'? not found", " not found"),
        (r"colou?r of\s+the (?:sky|sea)", "colo"),
        (r"nvcc fatal\s*: Unsupported gpu", ": Unsupported gpu"),
        (r"[^)]*a\(b\)c{2,3}d", "a(b)"),
    ],
)
def test_a_needle_is_the_longest_text_that_every_match_contains(pattern: str, plain: str) -> None:
    assert needle(pattern) == plain


def test_every_needle_is_long_enough_to_pass_over_most_lines() -> None:
    short = [pattern for row in ROWS for pattern in row.patterns if len(needle(pattern)) < 5]
    assert short == []


def test_an_alternative_outside_a_group_is_refused() -> None:
    with pytest.raises(ValueError, match="alternative"):
        needle("one|two")


# What engines, toolkits and torch say when a GPU does not reach a container, each as it is seen at the end of a line.
GPU_MESSAGES = {
    'could not select device driver "" with capabilities: [[gpu]]': "docker-gpu-driver",
    "failed to discover GPU vendor from CDI: no known GPU vendor found": "no-gpu-vendor",
    "AMD CDI spec not found": "amd-cdi-spec",
    'could not select device driver "cdi" with capabilities: []': "cdi-driver",
    "CDI device injection failed: unresolvable CDI devices nvidia.com/gpu=all": "cdi-unresolvable",
    "CDI device injection failed: no CDI specification directories specified": "cdi-config",
    "CDI registry initialization failure": "cdi-config",
    "unknown or invalid runtime name: nvidia": "runtime-unknown",
    "nvidia-container-cli: initialization error: load library failed: libnvidia-ml.so.1": "nvidia-cli-init-lib",
    "nvidia-container-cli: initialization error: nvml error: driver not loaded": "nvidia-cli-driver",
    "nvidia-container-cli: initialization error: driver error: failed to process request": "nvidia-cli-driver",
    "nvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.4": "require-cuda",
    "Failed to initialize NVML: Unknown Error": "nvml-unknown",
    "Failed to initialize NVML: Driver/library version mismatch": "nvml-mismatch",
    "sh: 1: nvidia-smi: not found": "nvidia-smi-missing",
    "RuntimeError: Found no NVIDIA driver on your system": "no-driver",
    "CUDA driver version is insufficient for CUDA runtime version": "driver-insufficient",
    "Error 803: system has unsupported display driver / cuda driver combination": "803",
    "Error 804: forward compatibility was attempted on non supported HW": "compat-804",
    "Error 802: system not yet initialized": "fabric-manager",
    "CUDA error: no kernel image is available for execution on the device": "no-kernel-image",
    "RuntimeError: unable to write to file </torch_4711_0>: No space left on device (28)": "shm-bus",
    "node1:1:2 [0] include/shm.h:48 NCCL WARN Error while creating shared memory segment /dev/shm/nccl-x (size 9)": "nccl-shm",
}


@pytest.mark.parametrize("message", GPU_MESSAGES)
def test_what_keeps_a_gpu_out_of_a_container_is_known(message: str) -> None:
    for text in (message, f"docker: Error response from daemon: {message}: unknown."):
        diagnosis = diagnose_text(embedded(text))
        assert [finding.id for finding in diagnosis.findings] == [GPU_MESSAGES[message]]
        assert diagnosis.unknown == ()
