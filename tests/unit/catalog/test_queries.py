"""Queries over the tables: GPUs by name, drivers, images, requirement lines."""

from __future__ import annotations

import pytest

from builder.catalog import load
from builder.catalog.rows import MachineCode
from builder.model.values import ComputeCapability, CudaVersion, DriverVersion, Variant

CATALOG = load()


@pytest.mark.parametrize(
    ("spoken", "capability"),
    [
        ("NVIDIA GeForce RTX 3090", "8.6"),
        ("rtx3090", "8.6"),
        ("3090", "8.6"),
        ("NVIDIA GeForce RTX 4070 Laptop GPU", "8.9"),
        ("RTX 4080 SUPER", "8.9"),
        ("NVIDIA A100-SXM4-40GB MIG 1g.5gb", "8.0"),
        ("NVIDIA H100 80GB HBM3", "9.0"),
        ("Tesla V100-SXM2-32GB", "7.0"),
        ("T4", "7.5"),
        ("NVIDIA RTX 6000 Ada Generation", "8.9"),
        ("Quadro RTX 6000", "7.5"),
        ("NVIDIA RTX A6000", "8.6"),
        ("NVIDIA RTX PRO 6000 Blackwell Workstation Edition", "12.0"),
        ("GeForce GTX 960M", "5.0"),
        ("GeForce GTX 960", "5.2"),
        ("NVIDIA GB10", "12.1"),
        ("TITAN V", "7.0"),
        ("Jetson AGX Orin", "8.7"),
    ],
)
def test_a_gpu_is_known_by_the_names_people_and_drivers_give_it(spoken: str, capability: str) -> None:
    found = CATALOG.gpu(spoken)
    assert found is not None
    assert str(found.compute_capability) == capability


@pytest.mark.parametrize("spoken", ["", "RTX", "RTX 6000", "GeForce", "AMD Instinct MI300X", "llvmpipe"])
def test_a_name_of_no_gpu_or_of_several_is_none(spoken: str) -> None:
    assert CATALOG.gpu(spoken) is None


@pytest.mark.parametrize(
    ("driver", "cuda"),
    [("550.54.15", "12.4"), ("535.104.05", "12.2"), ("525.60.13", "12.0"), ("595.58.03", "13.2"), ("440.33.01", "10.2")],
)
def test_a_driver_has_the_cuda_that_nvidia_smi_shows(driver: str, cuda: str) -> None:
    assert CATALOG.driver_cuda(DriverVersion.parse(driver), "linux") == CudaVersion.parse(cuda)


def test_a_driver_older_than_the_table_has_no_cuda() -> None:
    assert CATALOG.driver_cuda(DriverVersion.parse("304.1"), "linux") is None


def test_a_cuda_of_a_later_minor_has_the_floor_of_its_family() -> None:
    assert CATALOG.driver_floor(Variant("cu138"), "linux") == DriverVersion.parse("580")
    assert CATALOG.driver_floor(Variant("cu140"), "linux") is None


def test_code_for_a_card_with_memory_of_its_own_does_not_run_on_a_jetson() -> None:
    orin = ComputeCapability(8, 7)
    code = MachineCode(sm=(ComputeCapability(8, 0), ComputeCapability(8, 6)))
    assert not CATALOG.runs(code, orin, CudaVersion(12, 6))
    assert CATALOG.runs(code, orin, CudaVersion(13, 2))  # shared from 13.2 on
    assert CATALOG.runs(MachineCode(sm=(orin,)), orin, CudaVersion(12, 6))


@pytest.mark.parametrize(
    ("image", "title"),
    [
        ("ubuntu:18.04", "ubuntu 18.04"),
        ("docker.io/library/ubuntu:24.04", "ubuntu 24.04"),
        ("registry.example:5000/ubuntu:22.04", "ubuntu 22.04"),
        ("ubuntu:jammy", "ubuntu 22.04"),
        ("debian:bookworm-slim", "debian 12"),
        ("debian:12.5", "debian 12"),
        ("python:3.11-slim-bookworm", "debian 12"),
        ("nvidia/cuda:12.4.1-devel-ubuntu22.04", "ubuntu 22.04"),
        ("nvidia/cuda:11.8.0-devel-rockylinux8", "rockylinux 8"),
        ("rockylinux:8.9", "rockylinux 8"),
        ("centos:7", "centos 7"),
        ("debian:bookworm@sha256:" + "0" * 64, "debian 12"),
    ],
)
def test_an_image_tells_the_distribution_it_stands_on(image: str, title: str) -> None:
    found = CATALOG.distribution_of(image)
    assert found is not None
    assert found.title == title


@pytest.mark.parametrize("image", ["continuumio/miniconda3", "ubuntu", "pytorch/pytorch:2.3.1-cuda12.1-cudnn8-devel", "x"])
def test_an_image_that_tells_nothing_stands_on_nothing_known(image: str) -> None:
    assert CATALOG.distribution_of(image) is None


def test_deleted_images_are_known_to_be_gone_and_new_ones_are_not() -> None:
    assert CATALOG.is_gone("11.7.0")
    assert CATALOG.is_gone("10.2")
    assert CATALOG.is_gone("12.4.0")  # 12.4.1 replaced it
    assert not CATALOG.is_gone("12.4.1")
    assert not CATALOG.is_gone("13.3.1")  # later than the table


def test_an_import_of_a_part_belongs_to_the_distribution_of_the_whole() -> None:
    row = CATALOG.import_name("sklearn.metrics.pairwise")
    assert row is not None
    assert row["distribution"] == "scikit-learn"
    assert CATALOG.import_trap("clip") is not None
