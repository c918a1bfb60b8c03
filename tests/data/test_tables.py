"""Every table keeps its schema, equals its own canonical spelling, and agrees with the tables that speak of the same things."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from builder import assets
from builder.catalog import load
from builder.catalog.canonical import dump
from builder.catalog.tables import NAMES
from builder.model.values import ComputeCapability, CudaVersion, Variant

DATA = Path(assets.PACKAGE) / "data"
CATALOG = load()


@pytest.mark.parametrize("name", NAMES)
def test_a_table_keeps_its_schema(name: str) -> None:
    schema = json.loads((DATA / "schemas" / f"{name}.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(assets.table(f"{name}.json")), schema)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "micromamba"])
def test_a_table_is_spelled_canonically(name: str) -> None:
    written = assets.table(f"{name}.json")
    assert dump(json.loads(written)) == written


@pytest.mark.parametrize("name", [name for name in NAMES if name != "micromamba"])
def test_every_row_names_sources_that_the_table_lists(name: str) -> None:
    table = CATALOG.tables[name]
    rows = [row for group in table.values() if isinstance(group, list) for row in group if isinstance(row, dict)]
    named = {source for row in rows for source in row.get("source", ())}
    assert named <= set(table["sources"])
    if name != "installers":  # one source for all of them
        assert all(row.get("source") for row in rows)


def test_no_table_names_a_path_of_the_machine_it_was_made_on() -> None:
    for name in NAMES:
        text = assets.table(f"{name}.json").decode()
        assert "/work/" not in text
        assert "localhost" not in text
        assert "127.0.0.1" not in text


def test_releases_rise_and_none_comes_twice() -> None:
    versions = [Version(row["torch"]) for row in CATALOG.tables.rows("torch")]
    assert versions == sorted(set(versions))


def test_every_cuda_build_has_one_row_of_machine_code() -> None:
    rows = list(CATALOG.tables.rows("machine_code"))
    for release in CATALOG.releases:
        for platform in release.builds:
            for build in CATALOG.builds(release, platform):
                if build.variant.cuda is None:
                    assert build.code is None
                    continue
                covering = [
                    row
                    for row in rows
                    if (row["platform"], row["variant"]) == (platform, build.variant.name)
                    and Version(row["since"]) <= release.version <= Version(row["until"])
                ]
                # the long-term-support release lies between two others and has a row of its own
                exact = [row for row in covering if row["since"] == row["until"]]
                assert len(exact or covering) == 1, (release.version, platform, build.variant)


def test_every_row_of_machine_code_belongs_to_a_build() -> None:
    for row in CATALOG.tables.rows("machine_code"):
        for end in (row["since"], row["until"]):
            release = CATALOG.release(end)
            assert release is not None
            built = [str(build.variant) for build in CATALOG.builds(release, row["platform"])]
            assert row["variant"] in built, (end, row["platform"], row["variant"])


def test_every_cuda_variant_has_a_driver_floor_on_linux_and_in_wsl() -> None:
    for release in CATALOG.releases:
        for platform in release.builds:
            for build in CATALOG.builds(release, platform):
                if build.variant.cuda:
                    assert CATALOG.driver_floor(build.variant, "linux") is not None
                    assert CATALOG.driver_floor(build.variant, "windows") is not None


def test_floors_by_variant_agree_with_floors_by_cuda_major() -> None:
    families = {row["cuda"]: row for row in CATALOG.tables.rows("cuda", "families")}
    for row in CATALOG.tables.rows("cuda", "floors"):
        digits = row["variant"][2:]
        family = families.get(digits[:-1])
        if family and row["variant"] != "cu110":  # 11.0 came before minor-version compatibility
            assert (row["linux"], row["windows"]) == (family["linux"], family["windows"])


def test_a_floor_is_never_above_the_driver_that_came_with_the_toolkit() -> None:
    for toolkit in CATALOG.toolkits:
        variant = Variant.for_cuda(toolkit.cuda)
        floor = CATALOG.driver_floor(variant, "linux")
        if floor is not None and variant.name in {row["variant"] for row in CATALOG.tables.rows("cuda", "floors")}:
            assert floor.parts[0] <= toolkit.linux.parts[0]


def test_the_default_build_is_among_the_builds() -> None:
    for release in CATALOG.releases:
        for platform, variant in release.default.items():
            if platform.startswith("linux"):
                assert variant in release.builds[platform], (release.version, platform)


def test_companions_are_made_for_the_torch_they_stand_beside() -> None:
    for release in CATALOG.releases:
        for package, version in (("torchvision", release.torchvision), ("torchaudio", release.torchaudio)):
            row = CATALOG.companion(package, version)
            if version is None:
                continue
            assert row is not None, (package, version)
            if row.requires_torch:
                assert SpecifierSet(row.requires_torch).contains(release.version), (release.version, package, version)


def test_newer_releases_need_no_older_python_than_their_metadata_says() -> None:
    for row in CATALOG.tables.rows("torch"):
        asked = row.get("requires_python")
        if asked:
            for pythons in row["python"].values():
                for python in pythons:
                    patches = [f"{python.rstrip('t')}.{patch}" for patch in range(20)]
                    assert any(SpecifierSet(asked).contains(patch) for patch in patches), (row["torch"], python)


def test_every_gpu_has_an_architecture() -> None:
    for gpu in CATALOG.gpus:
        assert CATALOG.architecture(gpu.compute_capability) is not None, gpu


def test_the_installers_that_are_taken_by_default_have_a_sha256_on_both_platforms() -> None:
    for kind in ("Miniconda3", "Miniforge3"):
        for platform in ("linux/amd64", "linux/arm64"):
            found = CATALOG.installer(kind, platform)
            assert found is not None
            assert len(found.sha256) == 64
            assert found.url.endswith(".sh")


def test_the_cuda_of_a_devel_image_is_one_the_driver_table_knows() -> None:
    known = {toolkit.cuda for toolkit in CATALOG.toolkits}
    for image in CATALOG.nvidia_images:
        assert CudaVersion.parse(image.cuda) in known


def test_pytorch_images_are_of_releases_and_builds_that_exist() -> None:
    versions = [str(release.version) for release in CATALOG.releases]
    for image in CATALOG.pytorch_images:
        release = CATALOG.release(image.torch)
        assert release is not None, (image.torch, versions)
        if Version(image.torch) >= Version("2.1"):
            variant = Variant.for_cuda(CudaVersion.parse(image.cuda))
            assert variant in release.builds["linux_x86_64"], image


def test_the_default_base_and_the_bootstrap_suite_are_known_distributions() -> None:
    found = CATALOG.distribution_of(CATALOG.default_base)
    assert found is not None
    assert found.codename == "bookworm"
    assert CATALOG.suite("bookworm") == found


def test_ecosystem_wheels_are_of_builds_that_exist() -> None:
    for row in CATALOG.tables.rows("ecosystem"):
        for minor, variants in row.get("wheels", {}).items():
            built = {
                str(build.variant)
                for release in CATALOG.releases
                if release.minor == minor
                for build in CATALOG.builds(release, "linux_x86_64")
            }
            assert set(variants) <= built, (row["package"], minor, set(variants) - built)


def test_doubts_are_about_builds_that_the_table_has_or_of_builds_that_it_leaves_out() -> None:
    doubts = [(release, doubt) for release in CATALOG.releases for doubt in release.doubts]
    assert doubts
    for release, doubt in doubts:
        built = {build.variant for build in CATALOG.builds(release, "linux_x86_64")}
        for variant in doubt.variants:
            assert (variant in built) != doubt.is_missing, (release.version, variant)


def test_the_torch_of_a_torchtext_is_the_same_in_both_tables() -> None:
    row = CATALOG.package("torchtext")
    assert row is not None
    for release in CATALOG.releases:
        if release.torchtext and not release.is_lts:
            assert SpecifierSet(row["pins"][release.torchtext]).contains(release.version)


def test_the_cudnn_of_a_build_is_the_same_in_both_tables() -> None:
    agreed = 0
    for row in CATALOG.tables.rows("cudnn"):
        for release in CATALOG.releases:
            within = Version(row["since"]) <= release.version <= Version(row["until"])
            if within and release.cudnn and str(release.default.get("linux_x86_64")) == row["variant"]:
                assert release.cudnn == row["cudnn"], (release.version, row["variant"])
                agreed += 1
    assert agreed > 5


def test_every_row_of_cudnn_is_of_builds_that_exist() -> None:
    for row in CATALOG.tables.rows("cudnn"):
        for end in (row["since"], row["until"]):
            release = CATALOG.release(end)
            assert release is not None
            assert Variant(row["variant"]) in release.builds["linux_x86_64"], (end, row["variant"])


def test_a_build_holds_code_only_for_cards_that_its_cuda_knows() -> None:
    for row in CATALOG.tables.rows("machine_code"):
        cuda = Variant(row["variant"]).cuda
        assert cuda is not None
        for code in (*row["sm"], *row.get("ptx", ())):
            architecture = CATALOG.architecture(ComputeCapability(code // 10, code % 10))
            assert architecture is not None, code
            assert architecture.first_cuda <= cuda, (row["variant"], code)
            assert architecture.last_cuda is None or cuda <= architecture.last_cuda, (row["variant"], code)


def test_the_cuda_versions_of_the_architectures_are_those_of_toolkits() -> None:
    known = {toolkit.cuda for toolkit in CATALOG.toolkits}
    for row in CATALOG.architectures:
        assert row.first_cuda in known or row.first_cuda < min(known), row.name
        assert row.last_cuda is None or row.last_cuda in known, row.name


def test_images_that_are_gone_are_not_among_those_that_are_there() -> None:
    there = {image.cuda for image in CATALOG.nvidia_images}
    assert there.isdisjoint(row["cuda"] for row in CATALOG.tables.rows("nvidia_images", "gone"))


def test_doubtful_images_are_not_among_those_that_are_there() -> None:
    there = {image.tag("*").partition(":")[2] for image in CATALOG.pytorch_images}
    assert there.isdisjoint(row["tag"] for row in CATALOG.tables.rows("pytorch_images", "doubtful"))


def test_conda_builds_are_of_releases_that_exist_and_end_where_the_channel_ended() -> None:
    last = Version(CATALOG.tables["conda"]["pytorch_channel"]["last"])
    versions = [Version(row["torch"]) for row in CATALOG.tables.rows("conda")]
    assert max(versions) == last
    for version in (*versions, *(Version(row["torch"]) for row in CATALOG.tables.rows("conda", "conda_forge"))):
        assert CATALOG.release(version) is not None, version
