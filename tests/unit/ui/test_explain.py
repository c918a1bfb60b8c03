"""The chain and the plan as people read them."""

from __future__ import annotations

import pytest

from builder.catalog import load
from builder.catalog.ask import Question, ask
from builder.catalog.kinds import KINDS
from builder.errors import WsbError
from builder.model.host import Host
from builder.model.project import EMPTY_PROJECT
from builder.resolve import resolve
from builder.ui.catalog_text import catalog_lines
from builder.ui.chain import broken_link, chain_of, chain_of_error
from builder.ui.explain_text import chain_lines, explain_json, explain_lines
from builder.ui.plan_text import plan_lines
from tests.support.specs import NO_GPU, UNKNOWN_HOST, host, spec

CATALOG = load()
RTX_3090 = host(("NVIDIA GeForce RTX 3090", "8.6"), driver="535.104.05")


def test_every_link_of_a_plan_that_runs_holds() -> None:
    chain = chain_of(resolve(spec(), EMPTY_PROJECT, CATALOG, RTX_3090), RTX_3090, CATALOG)
    assert [link.state for link in chain] == ["holds"] * 6
    assert broken_link(chain) is None


def test_without_a_gpu_the_last_links_play_no_part() -> None:
    chain = chain_of(resolve(spec(), EMPTY_PROJECT, CATALOG, NO_GPU), NO_GPU, CATALOG)
    assert [link.state for link in chain[-2:]] == ["unused", "unused"]


def test_a_card_without_a_driver_breaks_at_the_driver() -> None:
    there = Host(os="linux", arch="x86_64", driver=None, gpus=RTX_3090.gpus)
    chain = chain_of(resolve(spec(), EMPTY_PROJECT, CATALOG, there), there, CATALOG)
    broken = broken_link(chain)
    assert broken is not None
    assert broken.name == "CUDA and driver"


def test_an_unknown_host_leaves_its_links_open() -> None:
    plan = resolve(spec(accelerator="cuda"), EMPTY_PROJECT, CATALOG, UNKNOWN_HOST)
    assert [link.state for link in chain_of(plan, UNKNOWN_HOST, CATALOG)[-2:]] == ["unknown", "unknown"]


@pytest.mark.parametrize(
    ("asked", "there", "link"),
    [
        ({"torch": "2.6"}, host(("RTX 5090", "12.0"), driver="580.95.05"), "GPU"),
        ({"torch": "2.15"}, RTX_3090, "CUDA and driver"),
        ({"torch": "1.7.0", "python": "3.9"}, NO_GPU, "interpreter"),
        ({"torch": "2.6.9"}, NO_GPU, "packages"),
    ],
)
def test_the_link_that_breaks_is_the_one_the_error_is_about(asked: dict[str, str], there: Host, link: str) -> None:
    with pytest.raises(WsbError) as caught:
        resolve(spec(**asked), EMPTY_PROJECT, CATALOG, there)  # type: ignore[arg-type]
    chain = chain_of_error(caught.value, there)
    broken = broken_link(chain)
    assert broken is not None
    assert broken.name == link
    assert any("BROKEN" in line for line in chain_lines(chain))


def test_the_broken_link_is_explained_to_someone_who_never_heard_of_compute_capability() -> None:
    with pytest.raises(WsbError) as caught:
        resolve(spec(torch="2.6"), EMPTY_PROJECT, CATALOG, host(("RTX 5090", "12.0"), driver="580.95.05"))
    said = " ".join(chain_lines(chain_of_error(caught.value, NO_GPU), 10_000))
    assert "NVIDIA's number for its generation" in said
    assert "ready-made machine code for certain generations of GPUs" in said


def test_one_matter_can_be_explained_alone() -> None:
    plan = resolve(spec(), EMPTY_PROJECT, CATALOG, RTX_3090)
    chain = chain_of(plan, RTX_3090, CATALOG)
    lines = explain_lines(plan, chain, "cuda")
    assert any(line.startswith("torch.variant = cu126") for line in lines)
    assert not any(line.startswith("python") for line in lines)
    assert explain_json(plan, chain)["schema"] == "wsb.explain/1"
    with pytest.raises(WsbError):
        explain_lines(plan, chain, "pyhton")


def test_text_for_people_keeps_to_the_width_it_is_given() -> None:
    plan = resolve(spec(pip=["flash-attn", "opencv-python"], torch="2.6"), EMPTY_PROJECT, CATALOG, RTX_3090)
    chain = chain_of(plan, RTX_3090, CATALOG)
    for line in (*plan_lines(plan, 90), *explain_lines(plan, chain, width=90)):
        assert len(line) <= 90 or " " not in line.strip()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_question_has_an_answer_in_words_and_in_json(kind: str) -> None:
    words = {
        "torch": ("2.6",),
        "companions": ("2.6",),
        "torchvision": ("0.21.0",),
        "torchaudio": ("2.6.0",),
        "python": ("3.12",),
        "driver": ("550.54.15",),
        "cuda": ("12.6",),
        "gpu": ("RTX 3090",),
        "image": ("nvidia/cuda devel",),
        "package": ("xformers",),
        "import": ("cv2",),
        "conda": ("pytorch=1.7.1", "cudatoolkit=11.0"),
        "installer": ("miniconda", "py311"),
    }[kind]
    document = ask(CATALOG, Question(kind=kind, words=words))
    assert document["schema"] == "wsb.catalog/1"
    assert document["sources"]
    assert catalog_lines(document)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("import", "package", "conda")])
def test_a_question_about_what_is_in_no_table_is_an_error_of_ours(kind: str) -> None:
    with pytest.raises(WsbError):
        ask(CATALOG, Question(kind=kind, words=("no-such-thing",)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_without_a_name_lists_what_there_is(kind: str) -> None:
    document = ask(CATALOG, Question(kind=kind))
    assert document["sources"]
    assert any(isinstance(value, list) and len(value) > 3 for key, value in document.items() if key != "sources")
    assert catalog_lines(document)
