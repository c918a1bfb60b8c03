"""Broken YAML: one plain sentence at the right place, from both of PyYAML's parsers; and nothing that costs much."""

from __future__ import annotations

import pytest
import yaml

from builder.config import nodes
from builder.config.nodes import ListNode, MapNode, TextNode, read_nodes
from builder.errors import WsbError
from builder.model.values import Location

LOADERS = [yaml.SafeLoader, *([yaml.CSafeLoader] if hasattr(yaml, "CSafeLoader") else [])]


@pytest.fixture(params=LOADERS, ids=lambda loader: loader.__name__, autouse=True)
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "_LOADER", request.param)


def refused(text: str) -> WsbError:
    with pytest.raises(WsbError) as raised:
        read_nodes(text, "f", [])
    assert raised.value.code == "bad-yaml"
    return raised.value


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("name: x\n\ttorch: 2\n", (2, 1), "a tab stands in the indentation"),
        ("a:\n  b: 1\n\tc: 2\n", (3, 1), "a tab stands in the indentation"),
        ("name:mnist\ntorch: 2\n", (1, 5), "this line is neither"),
        ("a: b: c\n", (1, 5), "a second `:`"),
        ("a: 1\n b: 2\n", (2, 3), "a second `:`"),
        ("a: 'x\nb: 2\n", (1, 4), "a quote is opened here"),
        ("a: [1, 2\nb: 3\n", (1, 4), "a list opened with `[`"),
        ("a: {b: 1\n", (1, 4), "a mapping opened with `{`"),
        ("a: @foo\n", (1, 4), "cannot begin with `@`"),
        ("a: `x`\n", (1, 4), "cannot begin with"),
        ("a: %x\n", (1, 4), "cannot begin with `%`"),
        ("a: - b\n", (1, 4), "a list begins here"),
        ("a:\n  - x\n - y\n", (3, 2), "does not line up"),
        ("- a\nb: 1\n", (2, 1), "does not line up"),
        ('a: "\\q"\n', (1, 5), "backslash"),
        ("a: *x\n", (1, 4), "`*x` names something"),
        ("a: !!python/object:os.system x\n", (1, 4), "tags such as"),
        ("<<: {a: 1}\n", (1, 1), "merge keys"),
        ("? [a]\n: 1\n", (1, 3), "a key is a word"),
        ("a: 1\n---\nb: 1\n", (2, 1), "a second document"),
        ("a: \x00b\n", (1, 4), "U+0000"),
        ("a: 1\nb: \ud800\n", (2, 4), "U+D800"),
    ],
)
def test_broken_yaml_is_told_in_one_sentence(text: str, place: tuple[int, int], said: str) -> None:
    error = refused(text)
    assert said in error.message
    assert error.where is not None
    assert error.where.line == place[0]
    if "\\q" not in text and "`*x`" not in said and "b: c" not in text:
        assert abs(error.where.column - place[1]) <= 2


def test_an_anchor_that_holds_itself_is_refused() -> None:
    refused("a: &x [1, *x]\n")


def test_a_bomb_of_aliases_stays_as_small_as_its_text() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 10)}]" for number in range(1, 30)]
    node = read_nodes("\n".join(lines), "f", [])
    assert isinstance(node, MapNode)
    assert len(node.entries) == 30


@pytest.mark.parametrize("opener", ["[", "{", "- ", "? ", "{a: ", "[["])
def test_deep_nesting_is_refused_before_it_is_read_to_its_end(opener: str) -> None:
    assert "more than 32 deep" in refused(opener * 50_000).message


def test_scalars_are_kept_as_written() -> None:
    node = read_nodes("a: 010\nb: 1_000\nc: 0x1F\nd: 12:30:45\ne: 2001-01-01\nf: 1.10\ng: ~\nh: '~'\n", "f", [])
    assert isinstance(node, MapNode)
    texts = {key.text: value.text for key, value in node.entries if isinstance(value, TextNode)}
    assert texts["a"] == "010"
    assert texts["b"] == "1_000"
    assert texts["d"] == "12:30:45"
    assert texts["f"] == "1.10"
    assert isinstance(node.get("g"), TextNode)
    assert node.get("g").is_empty  # type: ignore[union-attr]
    assert not node.get("h").is_empty  # type: ignore[union-attr]


def test_places_count_characters_not_bytes() -> None:
    node = read_nodes("é: [ü, 'ß', 😀, z]\r\nb: 1", "f", [])
    assert isinstance(node, MapNode)
    items = node.entries[0][1]
    assert isinstance(items, ListNode)
    assert [item.where for item in items.items] == [Location(file="f", line=1, column=column) for column in (5, 8, 13, 16)]
    assert node.entries[1][0].where == Location(file="f", line=2, column=1)
