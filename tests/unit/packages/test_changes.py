"""What add, remove and --fix do to wsb.yaml."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from builder.catalog import load
from builder.errors import WsbError
from builder.model.values import Manager
from builder.packages.adding import Addition, plan_addition, plan_removal
from builder.packages.config_file import ConfigFile, with_chosen, with_edits
from builder.packages.findings import Edit
from builder.packages.names import Kind
from tests.unit.packages.checking import checked, distribution, image

TEXT = "name: m\ntorch: '2.6' # mine\npackages:\n  pip:\n  - numpy<2  # why\n  apt: [libgl1]\n"


def added(word: str, packages: str = "", forced: Kind | None = None, **files: str) -> Addition:
    given = checked("", packages, **files)
    return plan_addition(load(), given.manager, given.declared, word, forced)


def test_a_new_package_goes_to_its_list() -> None:
    one = added("cv2")
    assert one.said.startswith("opencv-python-headless added to packages.pip (import cv2 comes from")
    assert with_chosen(TEXT, one.chosen) == TEXT.replace("# why\n", "# why\n  - opencv-python-headless\n")
    assert with_chosen(TEXT, added("libsm6", forced="apt").chosen) == TEXT.replace("[libgl1]", "[libgl1, libsm6]")


def test_a_key_is_set_and_not_listed() -> None:
    assert with_chosen(TEXT, added("torch==2.7").chosen) == TEXT.replace("'2.6'", "'2.7'")


def test_a_key_takes_the_place_of_what_was_listed_for_it() -> None:
    text = "name: m\npackages:\n  pip:\n  - torch==1.10.2+cu113  # of its time\n  - numpy\n"
    one = added("torch==2.7", 'packages: {pip: ["torch==1.10.2+cu113", numpy]}')
    assert one.said == 'torch is a key of wsb.yaml: `torch: "2.7"`; torch==1.10.2+cu113 is taken out of packages.pip'
    assert with_chosen(text, one.chosen, one.replaced) == 'name: m\npackages:\n  pip:\n  - numpy\ntorch: "2.7"\n'


def test_another_version_takes_the_place_of_the_old() -> None:
    one = added("numpy==1.26.4", 'packages: {pip: ["numpy<2"]}')
    assert one.replaced == "numpy<2"
    assert with_chosen(TEXT, one.chosen, one.replaced) == TEXT.replace("numpy<2", "numpy==1.26.4")


@pytest.mark.parametrize("word", ["numpy", "numpy<2"])
def test_what_is_there_is_not_added_again(word: str) -> None:
    one = added(word, 'packages: {pip: ["numpy<2"]}')
    assert one.is_there
    assert one.said == "numpy<2 is there already (wsb.yaml:2:18)"


def test_what_a_requirements_file_asks_for_is_there_unless_a_version_is_named() -> None:
    packages = "requirements: [requirements.txt]"
    assert added("numpy", packages, requirements_txt="numpy==1.21\n").is_there
    one = added("numpy==1.26.4", packages, requirements_txt="numpy==1.21\n")
    assert not one.is_there
    assert one.said.endswith("it counts before requirements.txt:1:1, which says numpy==1.21")


def test_what_comes_from_conda_already_stays_with_conda() -> None:
    given = checked("", "packages: {conda: [numpy=1.24, opencv]}")
    one = plan_addition(load(), Manager.MINIFORGE, given.declared, "numpy==1.26.4", None)
    assert (one.chosen.kind, one.chosen.item, one.replaced) == ("conda", "numpy==1.26.4", "numpy=1.24")
    assert plan_addition(load(), Manager.MINIFORGE, given.declared, "cv2", None).is_there
    forced = plan_addition(load(), Manager.MINIFORGE, given.declared, "numpy==1.26.4", "pip")
    assert forced.chosen.kind == "pip"
    assert plan_addition(load(), Manager.VENV, given.declared, "numpy==1.26.4", None).chosen.kind == "pip"


def test_removing_finds_a_package_by_any_of_its_names() -> None:
    given = checked("", 'packages: {pip: [opencv-python-headless, "numpy<2"], apt: [libgl1]}')
    for word, item in (("cv2", "opencv-python-headless"), ("NumPy", "numpy<2"), ("libgl1", "libgl1")):
        edits = plan_removal(load(), given.declared, None, word)
        assert [edit.item for edit in edits] == [item]
    assert with_edits(TEXT, plan_removal(load(), given.declared, None, "numpy")) == TEXT.replace(
        "  pip:\n  - numpy<2  # why\n", "  pip: []\n"
    )


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("tqdm", "tqdm is asked for by requirements.txt, which is not wsb's to change"),
        ("six", "six is not asked for; it is there because pandas needs it"),
        ("torch", "torch is a key of wsb.yaml"),
        ("nump", "wsb.yaml has no package nump"),
    ],
)
def test_what_is_not_wsbs_to_remove_is_said_so(word: str, says: str) -> None:
    installed = image(distribution("pandas", requires=["six"]), distribution("six"))
    packages = "torch: '2.6'\npackages: {pip: [numpy]}\nrequirements: [requirements.txt]"
    given = checked("", packages, installed, requirements_txt="tqdm\n")
    with pytest.raises(WsbError) as caught:
        plan_removal(load(), given.declared, installed, word)
    assert caught.value.code == "not-declared"
    assert caught.value.message == says


def test_edits_rename_add_and_remove() -> None:
    edits = [Edit(list="pip", item="numpy<2", new="numpy"), Edit(list="pip", new="einops"), Edit(list="apt", item="libgl1")]
    assert with_edits(TEXT, edits) == (
        "name: m\ntorch: '2.6' # mine\npackages:\n  pip:\n  - numpy    # why\n  - einops\n  apt: []\n"
    )


def test_the_file_is_written_whole_with_its_mode_and_put_back(tmp_path: Path) -> None:
    real = tmp_path / "real.yaml"
    real.write_bytes(TEXT.encode())
    real.chmod(0o640)
    link = tmp_path / "wsb.yaml"
    link.symlink_to(real)
    file = ConfigFile(link)
    file.change(lambda text: text + "# more\n")
    assert file.has_changed
    assert real.read_bytes() == TEXT.encode()
    file.write()
    assert real.read_text() == TEXT + "# more\n"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert link.is_symlink()
    file.restore()
    assert real.read_text() == TEXT
    assert sorted(path.name for path in tmp_path.iterdir()) == ["real.yaml", "wsb.yaml"]


def test_what_brings_a_package_is_named_down_to_what_is_asked_for() -> None:
    installed = image(distribution("pandas", requires=["mid"]), distribution("mid", requires=["six"]), distribution("six"))
    given = checked("", "packages: {pip: [pandas]}", installed)
    with pytest.raises(WsbError) as caught:
        plan_removal(load(), given.declared, installed, "six")
    assert caught.value.hints == ("`wsb remove pandas` removes what brings it",)
    deep = image(distribution("torch", requires=["six"]), distribution("six"))
    with pytest.raises(WsbError) as caught:
        plan_removal(load(), given.declared, deep, "six")
    assert caught.value.hints == ()
