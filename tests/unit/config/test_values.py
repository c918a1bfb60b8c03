"""What is read is what was written."""

from __future__ import annotations

import pytest

from builder.model.spec import AcceleratorRequest, BaseRequest, PackagesSpec, RunSpec, SourcesSpec, TorchRequest, UserSpec
from builder.model.values import Ide, Location, Manager, Variant
from tests.unit.config.reading import FULL, spec_of


def test_two_lines_are_enough() -> None:
    spec = spec_of('name: mnist\ntorch: "2.6"\n')
    assert spec.name.value == "mnist"
    assert spec.torch is not None
    assert spec.torch.value.version is not None
    assert spec.torch.value.version.text == "2.6"
    assert spec.python is None
    assert spec.ide is None
    assert spec.requirements == ()


def test_every_key_of_the_design_is_read() -> None:
    spec = spec_of(FULL)
    assert spec.python is not None
    assert spec.python.value.text == "3.11"
    assert spec.accelerator is not None
    assert spec.accelerator.value == AcceleratorRequest(kind="auto")
    assert spec.manager is not None
    assert spec.manager.value is Manager.MINICONDA
    assert spec.environment is not None
    assert spec.environment.value == "environment.yml"
    assert [one.value for one in spec.requirements] == ["requirements.txt"]
    assert [one.value for one in spec.packages.pip] == ["einops"]
    assert [one.value for one in spec.packages.apt] == ["libgl1"]
    assert [one.value for one in spec.channels] == ["conda-forge"]
    assert spec.base is not None
    assert spec.base.value == BaseRequest(kind="auto")
    assert spec.sources == SourcesSpec()
    assert spec.user.uid is not None
    assert spec.user.uid.value == 1000
    assert [one.value for one in spec.run.ports] == [8888]
    assert spec.run.env[0][0] == "WANDB_MODE"
    assert spec.run.env[0][1].value == "offline"
    assert spec.ide is not None
    assert [one.value for one in spec.ide] == [Ide.VSCODE, Ide.PYCHARM]


def test_unquoted_2_10_is_not_2_1() -> None:
    spec = spec_of("name: x\ntorch: 2.10\npython: 3.10\n")
    assert spec.torch is not None
    assert spec.torch.value.version is not None
    assert spec.torch.value.version.text == "2.10"
    assert spec.python is not None
    assert spec.python.value.text == "3.10"


def test_unquoted_accelerator_12_6_is_text() -> None:
    spec = spec_of("name: x\naccelerator: 12.6\n")
    assert spec.accelerator is not None
    assert spec.accelerator.value == AcceleratorRequest(kind="cuda", variant=Variant("cu126"))


@pytest.mark.parametrize(
    ("written", "kind", "variant"),
    [
        ("auto", "auto", None),
        ("cpu", "cpu", None),
        ("cuda", "cuda", None),
        ("rocm", "rocm", None),
        ("xpu", "xpu", None),
        ('"13.0"', "cuda", "cu130"),
        ("12.6.3", "cuda", "cu126"),
        ("cu126", "cuda", "cu126"),
        ("cu92", "cuda", "cu92"),
        ("rocm6.4", "rocm", "rocm6.4"),
        ("rocm6.2.4", "rocm", "rocm6.2.4"),
    ],
)
def test_accelerators_are_named_in_these_ways(written: str, kind: str, variant: str | None) -> None:
    spec = spec_of(f"name: x\naccelerator: {written}\n")
    assert spec.accelerator is not None
    assert spec.accelerator.value.kind == kind
    assert spec.accelerator.value.variant == (Variant(variant) if variant else None)


def test_torch_none_is_a_workspace_without_torch() -> None:
    spec = spec_of("name: x\ntorch: none\n")
    assert spec.torch is not None
    assert spec.torch.value == TorchRequest(version=None)


def test_torch_may_name_its_build() -> None:
    spec = spec_of("name: x\ntorch: 2.6.0+cu126\n")
    assert spec.torch is not None
    assert spec.torch.value.variant == Variant("cu126")


@pytest.mark.parametrize("written", ['">=2.4,<2.7"', "latest", "2", '"~=2.4"', '"!=2.5.0,>=2.4"', "2.6.*", "2.10.0rc1"])
def test_torch_is_asked_for_in_these_ways(written: str) -> None:
    assert spec_of(f"name: x\ntorch: {written}\n").torch is not None


def test_numbers_and_booleans_of_env_stay_as_written() -> None:
    spec = spec_of('name: x\nrun: {env: {A: 1.10, B: true, C: 010, D: "", E: null-ish, F: 1e3, G: yes}}\n')
    assert {name: value.value for name, value in spec.run.env} == {
        "A": "1.10",
        "B": "true",
        "C": "010",
        "D": "",
        "E": "null-ish",
        "F": "1e3",
        "G": "yes",
    }


def test_commented_out_items_leave_an_empty_list() -> None:
    spec = spec_of("name: x\npackages:\n  pip:\n  # - einops\nrun:\n# nothing\nrequirements:\n")
    assert spec.packages == PackagesSpec()
    assert spec.run == RunSpec()
    assert spec.user == UserSpec()


def test_a_bootstrapped_base_names_its_suite() -> None:
    spec = spec_of("name: x\nbase: {bootstrap: bookworm}\n")
    assert spec.base is not None
    assert spec.base.value == BaseRequest(kind="bootstrap", value="bookworm")
    assert spec.base.where == Location(file="wsb.yaml", line=2, column=19)


@pytest.mark.parametrize(
    "image",
    [
        "debian",
        "debian:bookworm-slim",
        "nvidia/cuda:12.6.3-devel-ubuntu22.04",
        "ghcr.io/a/b-c/d_e:v1.0",
        "localhost:5000/x",
        "registry:5000/x:1",
        f"debian@sha256:{'a' * 64}",
        f"debian:12@sha256:{'0' * 64}",
    ],
)
def test_bases_are_image_references(image: str) -> None:
    spec = spec_of(f'name: x\nbase: "{image}"\n')
    assert spec.base is not None
    assert spec.base.value == BaseRequest(kind="image", value=image)


def test_sources_may_be_a_preset() -> None:
    preset = spec_of("name: x\nsources: tuna\n").sources.preset
    assert preset is not None
    assert preset.value == "tuna"


def test_single_sources_are_urls_or_paths() -> None:
    sources = spec_of(
        "name: x\nsources:\n  registry: https://mirror.example.org:5000/\n  apt: http://deb.example.org/debian\n"
        "  conda: /srv/conda\n  pip: https://pypi.example.org/simple\n  ca: certs/lab.pem\n  keep_ca: true\n"
    ).sources
    assert sources.registry is not None
    assert sources.registry.value == "mirror.example.org:5000"
    assert sources.conda is not None
    assert sources.conda.value == "/srv/conda"
    assert sources.ca is not None
    assert sources.ca.value == "certs/lab.pem"
    assert sources.keep_ca is not None
    assert sources.keep_ca.value is True


def test_places_count_from_one_and_in_characters() -> None:
    spec = spec_of('name: x  # π\nrun: {env: {Ä_: "é"}}\n'.replace("Ä_", "A"))
    assert spec.name.where == Location(file="wsb.yaml", line=1, column=7)
    assert spec.run.env[0][1].where == Location(file="wsb.yaml", line=2, column=16)


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfname: x\r\ntorch: 2.10\r\n",
        "name: x\ntorch: 2.10\n".encode("utf-16"),
        "\ufeffname: x\ntorch: 2.10\n".encode("utf-16-be"),
        "name: x\ntorch: 2.10\n".encode("utf-16-le"),
        b"---\nname: x\ntorch: 2.10\n...\n",
        b"%YAML 1.2\n---\nname: x\ntorch: 2.10",
    ],
)
def test_marks_and_line_ends_of_all_editors_are_read(content: bytes) -> None:
    spec = spec_of(content)
    assert spec.name.value == "x"
    assert spec.torch is not None


def test_order_of_keys_does_not_matter() -> None:
    turned = "".join(reversed(FULL.splitlines(keepends=True)))
    one, other = spec_of(FULL), spec_of(turned)
    assert (one.name.value, one.run.env[0][1].value) == (other.name.value, other.run.env[0][1].value)
    assert one.torch is not None
    assert other.torch is not None
    assert one.torch.value == other.torch.value


@pytest.mark.parametrize(
    "line",
    [
        "einops",
        '"einops>=0.8,<1"',
        '"pillow[xmp]==10.*"',
        "\"numpy<2; python_version < '3.13'\"",
        "clip @ git+https://github.com/openai/CLIP.git@main",
        "git+https://github.com/openai/CLIP.git",
        "https://example.org/a-1.0-py3-none-any.whl",
        "git+ssh://git@example.org/a/b.git",
        "./libs/thing",
        "torch==2.4.0",
    ],
)
def test_pip_packages_are_lines_of_requirements_txt(line: str) -> None:
    assert len(spec_of(f"name: x\npackages:\n  pip:\n    - {line}\n").packages.pip) == 1


@pytest.mark.parametrize(
    "line",
    ["numpy", "numpy=1.26", '"numpy>=1.26,<2"', "conda-forge::gcc_linux-64=12", "numpy 1.26 py311_0", "pytorch=2.1=*cuda*"],
)
def test_conda_packages_are_match_specs(line: str) -> None:
    assert len(spec_of(f"name: x\npackages:\n  conda:\n    - {line}\n").packages.conda) == 1


@pytest.mark.parametrize("line", ["libgl1", "g++", "libgl1=1.6.0-1+b1", "libc6:arm64", "vim/bookworm-backports"])
def test_apt_packages_are_debian_names(line: str) -> None:
    assert [one.value for one in spec_of(f"name: x\npackages: {{apt: [{line}]}}\n").packages.apt] == [line]


@pytest.mark.parametrize("mount", ["./data:/data", "~/.cache:/cache:ro", "/srv/x y:/srv/x y:rw", "named:/n", "C:\\data:/data"])
def test_mounts_are_dockers_short_form(mount: str) -> None:
    assert [one.value for one in spec_of(f"name: x\nrun: {{mounts: ['{mount}']}}\n").run.mounts] == [mount]


def test_an_anchor_is_read_where_it_is_named() -> None:
    spec = spec_of("name: x\nchannels: &c [conda-forge]\npackages: {conda: *c}\n")
    assert [one.value for one in spec.packages.conda] == ["conda-forge"]
