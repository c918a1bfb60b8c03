"""One change to wsb.yaml leaves every other character as a person wrote it."""

from __future__ import annotations

import os
import random
from contextlib import suppress

import pytest

from builder.config.edit import add_item, edit_bytes, remove_item, remove_key, replace_item, set_value
from builder.errors import WsbError
from tests.unit.config.reading import FULL, spec_of

CASES = int(os.environ.get("WSB_FUZZ_CASES", "3000"))
PIP = ("packages", "pip")

# text before → after `add einops`
ADDED = {
    "name: m\n": "name: m\npackages:\n  pip: [einops]\n",
    "name: m": "name: m\npackages:\n  pip: [einops]",
    "name: m\n\n# the end\n": "name: m\n\n# the end\npackages:\n  pip: [einops]\n",
    "name: m\n...\n": "name: m\npackages:\n  pip: [einops]\n...\n",
    "---\nname: m\r\n": "---\nname: m\r\npackages:\r\n  pip: [einops]\r\n",
    "{name: m}\n": "{name: m, packages: {pip: [einops]}}\n",
    "name: m\npackages:\nide: []\n": "name: m\npackages: {pip: [einops]}\nide: []\n",
    "name: m\npackages: ~ # none\n": "name: m\npackages: {pip: [einops]} # none\n",
    "name: m\npackages: {}\n": "name: m\npackages: {pip: [einops]}\n",
    "name: m\npackages: {conda: [], pip: [], apt: [libgl1]}\n": (
        "name: m\npackages: {conda: [], pip: [einops], apt: [libgl1]}\n"
    ),
    "name: m\npackages: {apt: [x]} # mine\n": "name: m\npackages: {apt: [x], pip: [einops]} # mine\n",
    "name: m\npackages:\n  pip: # why\n  apt: [x]\n": "name: m\npackages:\n  pip: [einops] # why\n  apt: [x]\n",
    "name: m\npackages:\n    apt: [x] # a\n\n# torch\ntorch: none\n": (
        "name: m\npackages:\n    apt: [x] # a\n    pip: [einops]\n\n# torch\ntorch: none\n"
    ),
    "packages:\n  pip:\n    - a  # one\n    # two below\n    - 'b'\n\nname: m\n": (
        "packages:\n  pip:\n    - a  # one\n    # two below\n    - 'b'\n    - einops\n\nname: m\n"
    ),
    "packages:\n  pip:\n  - a\n  # - tqdm\n  apt: []\nname: m\n": (
        "packages:\n  pip:\n  - a\n  - einops\n  # - tqdm\n  apt: []\nname: m\n"
    ),
    "packages:\n  pip:\n  - a": "packages:\n  pip:\n  - a\n  - einops",
    "packages:\n  pip: [\n    a,  # one\n    b,  # two\n  ]\n": (
        "packages:\n  pip: [\n    a,  # one\n    b,  # two\n    einops,\n  ]\n"
    ),
    "packages:\n  pip: [\n    a,\n    b  # two\n  ]\n": "packages:\n  pip: [\n    a,\n    b,  # two\n    einops\n  ]\n",
    "packages:\n  pip: [a,\n        b]\n": "packages:\n  pip: [a,\n        b, einops]\n",
    "packages:\n  pip: [\n    # nothing yet\n  ]\n": "packages:\n  pip: [einops\n    # nothing yet\n  ]\n",
    "packages: {pip: [a, b,]}\n": "packages: {pip: [a, b, einops,]}\n",
    "packages: {pip: [ ]}\n": "packages: {pip: [einops]}\n",
    "packages:\n  pip:\n    - 'a'   \n": "packages:\n  pip:\n    - 'a'   \n    - einops\n",
    "packages:\n  pip: ['a # no comment', \"b,]\"]\n": "packages:\n  pip: ['a # no comment', \"b,]\", einops]\n",
    "\ufeffname: m\n": "\ufeffname: m\npackages:\n  pip: [einops]\n",
}


@pytest.mark.parametrize(("before", "after"), list(ADDED.items()))
def test_an_item_is_added_where_its_list_is(before: str, after: str) -> None:
    assert add_item(before, PIP, "einops") == after


@pytest.mark.parametrize("before", list(ADDED))
def test_what_was_added_is_removed_without_a_trace(before: str) -> None:
    once = add_item(before, PIP, "einops")
    if "b  # two\n  ]" not in before:  # there a comma joined the line before, and stays
        assert remove_item(add_item(once, PIP, "tqdm"), PIP, "tqdm") == once


def test_an_item_that_is_there_changes_nothing() -> None:
    text = "name: m\npackages:\n  pip:\n  - einops # mine\n"
    assert add_item(text, PIP, "einops") is text


def test_an_item_is_quoted_where_yaml_needs_it() -> None:
    assert add_item("packages: {pip: []}\n", PIP, "numpy<2") == 'packages: {pip: ["numpy<2"]}\n'
    assert add_item("packages: {pip: []}\n", PIP, "no") == 'packages: {pip: ["no"]}\n'
    assert add_item("packages: {pip: []}\n", PIP, "a[b,c]; x == '1'") == "packages: {pip: [\"a[b,c]; x == '1'\"]}\n"


def test_a_new_line_carries_its_reason() -> None:
    assert add_item("name: m\n", PIP, "einops", note="train.py:3") == "name: m\npackages:\n  pip: [einops]  # train.py:3\n"
    text = "packages:\n  pip:\n  - a\n"
    assert add_item(text, PIP, "einops", note="why") == "packages:\n  pip:\n  - a\n  - einops  # why\n"


REMOVED = {
    "p: {pip: [a, b, c]}\n": "p: {pip: [a, c]}\n",
    "p: {pip: [b, c]}\n": "p: {pip: [c]}\n",
    "p: {pip: [a, b]}\n": "p: {pip: [a]}\n",
    "p: {pip: [ b, ]}\n": "p: {pip: []}\n",
    "p:\n  pip: [\n    a, # one\n    b, # two\n    c\n  ]\n": "p:\n  pip: [\n    a, # one\n    c\n  ]\n",
    "p:\n  pip: [\n    a, # one\n    b # two\n  ]\n": "p:\n  pip: [\n    a, # one\n  ]\n",
    "p:\n  pip:\n  - a # one\n  - b # two\n  - c\n": "p:\n  pip:\n  - a # one\n  - c\n",
    "p:\n  pip: # mine\n  - b\n  apt: []\n": "p:\n  pip: [] # mine\n  apt: []\n",
    "p:\n  pip:\n    # above\n    - b\n": "p:\n  pip: []\n",
    "p:\n  pip:\n  - b\n  - b\n  - a": "p:\n  pip:\n  - a",
    "p:\r\n  pip:\r\n  - a\r\n  - b\r\n": "p:\r\n  pip:\r\n  - a\r\n",
}


@pytest.mark.parametrize(("before", "after"), list(REMOVED.items()))
def test_an_item_is_removed_with_its_comma_and_its_comment(before: str, after: str) -> None:
    assert remove_item(before, ("p", "pip"), "b") == after


def test_an_item_that_is_not_there_changes_nothing() -> None:
    assert remove_item(FULL, PIP, "tqdm") is FULL
    assert remove_key(FULL, ("run", "network")) is FULL
    assert replace_item(FULL, PIP, "tqdm", "x") is FULL


def test_an_item_keeps_its_quotes_when_it_is_replaced() -> None:
    text = "p:\n  pip: ['a', \"b\", c] # mine\n"
    assert replace_item(text, ("p", "pip"), "a", "it's") == "p:\n  pip: ['it''s', \"b\", c] # mine\n"
    assert replace_item(text, ("p", "pip"), "b", "x<2") == "p:\n  pip: ['a', \"x<2\", c] # mine\n"
    assert replace_item(text, ("p", "pip"), "c", "x<2") == 'p:\n  pip: [\'a\', "b", "x<2"] # mine\n'


def test_a_value_is_set_in_its_quotes() -> None:
    assert set_value('python: "3.10" # old\n', ("python",), "3.11") == 'python: "3.11" # old\n'
    assert set_value("python: 3.10 # old\n", ("python",), "3.11") == 'python: "3.11" # old\n'
    assert set_value("python: '3.10'\n", ("python",), "3.11") == "python: '3.11'\n"
    assert set_value("name: m\n", ("python",), "3.11", note="torch") == 'name: m\npython: "3.11"  # torch\n'
    assert set_value("name: m\nrun: {ports: [1]}\n", ("run", "shm_size"), "8g") == "name: m\nrun: {ports: [1], shm_size: 8g}\n"
    assert set_value("name: m\nrun:\n  ports:\n  - 1\n", ("run", "shm_size"), "8g") == (
        "name: m\nrun:\n  ports:\n  - 1\n  shm_size: 8g\n"
    )


def test_a_comment_that_was_lined_up_stays_in_its_column() -> None:
    text = 'python: "3.9"      # old\ntorch: "2.6"       # mine\n'
    assert set_value(text, ("python",), "3.11") == 'python: "3.11"     # old\ntorch: "2.6"       # mine\n'
    assert set_value(text, ("torch",), ">=2.4,<2.7,!=2.5") == text.replace('"2.6"       #', '">=2.4,<2.7,!=2.5"  #')


def test_a_list_takes_the_place_of_a_list() -> None:
    assert set_value("ide:\n- a\n- b # x\nname: m\n", ("ide",), ["c", "d e"]) == 'ide: [c, "d e"]\nname: m\n'
    assert set_value("ide: [a,\n  b] # x\nname: m\n", ("ide",), []) == "ide: [] # x\nname: m\n"
    assert set_value("base: {image: x}\n", ("base",), "auto") == "base: auto\n"


def test_a_key_is_removed_with_its_value() -> None:
    assert remove_key("name: m\npython: '3' # x\nide: []\n", ("python",)) == "name: m\nide: []\n"
    assert remove_key("name: m\np:\n  pip:\n  - a\n  apt: [] # k\n", ("p", "pip")) == "name: m\np:\n  apt: [] # k\n"
    assert remove_key("name: m\np:\n  pip:\n  - a\n", ("p", "pip")) == "name: m\np: {}\n"
    assert remove_key("name: m\np: {pip: [a], apt: []}\n", ("p", "pip")) == "name: m\np: {apt: []}\n"
    assert remove_key("name: m\np: {pip: [a]}\n", ("p", "pip")) == "name: m\np: {}\n"


@pytest.mark.parametrize(
    "text",
    [
        "p: &x\n  pip: [a]\nq: *x\n",
        "p: text\n",
        "p:\n  pip: text\n",
        "p:\n  pip:\n  -\n    a\n",
        "p:\n  pip: {a: b}\n",
    ],
)
def test_a_way_of_writing_that_is_not_known_is_refused_and_said_what_to_write(text: str) -> None:
    with pytest.raises(WsbError) as caught:
        add_item(text, ("p", "pip"), "einops")
    assert caught.value.code == "bad-value"
    assert caught.value.hints == ("add `p.pip: [einops]` by hand",)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_the_encoding_stays(encoding: str) -> None:
    content = "name: m # é\n".encode(encoding)
    changed = edit_bytes(content, "wsb.yaml", lambda text: add_item(text, PIP, "einops"))
    assert changed == "name: m # é\npackages:\n  pip: [einops]\n".encode(encoding)


def layout(chance: random.Random) -> tuple[str, list[str]]:
    """A wsb.yaml laid out in one of many ways, and its pip packages."""

    def comment() -> str:
        return chance.choice(["", "", " # c: [x], {y}", "   # - b"])

    def between() -> str:
        return chance.choice(["", "", "\n", "# a comment\n", "    # deeper\n"])

    names = [chance.choice(["a", "b-c", "'q'", '"x<2,>1"', "z"]) for _ in range(chance.randrange(4))]
    names = list(dict.fromkeys(names))
    texts = [name.strip("'\"") for name in names]
    margin = " " * chance.choice([1, 2, 4])
    if not names or chance.random() < 0.3:
        block = f"{margin}pip: [{', '.join(names)}]{comment()}\n"
    elif chance.random() < 0.5:
        dash = margin + " " * chance.choice([0, 2])
        block = f"{margin}pip:{comment()}\n" + "".join(f"{dash}- {name}{comment()}\n{between()}" for name in names)
    else:
        block = (
            f"{margin}pip: [{comment()}\n"
            + "".join(f"{margin}  {name},{comment()}\n" for name in names)
            + f"{margin}]{comment()}\n"
        )
    other = f"{margin}apt: [libgl1]{comment()}\n"
    inside = block + between() + other if chance.random() < 0.5 else other + between() + block
    text = f"name: m{comment()}\n{between()}packages:{comment()}\n{inside}{between()}ide: []{comment()}\n"
    return (text.replace("\n", "\r\n") if chance.random() < 0.2 else text), texts


@pytest.mark.parametrize("seed", range(10))
def test_in_any_layout_only_the_change_is_seen(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(CASES // 30):
        text, names = layout(chance)
        added = add_item(text, PIP, "einops")
        assert [one.value for one in spec_of(added).packages.pip] == [*names, "einops"]
        assert sorted(_comments(added)) == sorted(_comments(text))
        if names:
            name = chance.choice(names)
            removed = remove_item(text, PIP, name)
            assert [one.value for one in spec_of(removed).packages.pip] == [one for one in names if one != name]
            assert set(_comments(removed)) <= set(_comments(text))


def _comments(text: str) -> list[str]:
    return [line.partition("#")[2].strip() for line in text.splitlines() if "#" in line]


PIECES = [
    "\n",
    "  ",
    "\t",
    "- ",
    ": ",
    "# c",
    "[",
    "]",
    "{",
    "}",
    ",",
    "'",
    '"',
    "|",
    "&a ",
    "*a",
    "? ",
    "!!str ",
    "...",
    "---",
    "é",
    "\r\n",
    "~",
]


@pytest.mark.parametrize("seed", range(5))
def test_a_damaged_file_is_refused_or_changed_rightly_and_nothing_else(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(CASES // 10):
        text = chance.choice([FULL, layout(chance)[0]])
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(len(text))
            text = text[:at] + chance.choice(PIECES) + text[at + chance.randrange(3) :]
        with suppress(WsbError):
            added = add_item(text, PIP, "einops")
            assert remove_item(added, PIP, "einops") is not added
            set_value(text, ("torch",), "2.7")
            remove_key(text, ("packages",))
