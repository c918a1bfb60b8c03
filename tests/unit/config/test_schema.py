"""The schema and the reader are made from one table; here they are held against each other and against the model."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from builder.cli.schema import command as schema_command
from builder.config import SCHEMA_COMMENT, schema
from builder.config.keys import KEYS, section_of
from builder.config.kinds import Key, Kind, Many, Pairs, Section, Text, TextOrSection
from builder.config.suggest import as_yaml
from builder.errors import Problems
from builder.model.spec import PackagesSpec, RunSpec, SourcesSpec, Spec, UserSpec
from tests.unit.config.reading import FULL, problems_of, spec_of

EXAMPLES = Path(__file__).parents[3] / "examples"
VALID = [FULL, "name: x\n", *(path.read_text("utf-8") for path in sorted(EXAMPLES.rglob("wsb.yaml")))]


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema())


def all_keys(section: Section = KEYS) -> list[Key]:
    below = [key for one in section.keys for key in all_keys(section_of(one.kind) or Section(keys=(), make=dict))]
    return [*section.keys, *below]


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("text", VALID)
def test_valid_files_are_valid_for_both(text: str, validator: jsonschema.Draft202012Validator) -> None:
    spec_of(text)
    validator.validate(yaml.safe_load(text))


@pytest.mark.parametrize(
    ("section", "model"),
    [("", Spec), ("packages", PackagesSpec), ("sources", SourcesSpec), ("user", UserSpec), ("run", RunSpec)],
)
def test_keys_are_the_fields_of_the_model(section: str, model: Any) -> None:
    declared = KEYS if not section else next(section_of(key.kind) for key in KEYS.keys if key.name == section)
    assert declared is not None
    fields = {field.name for field in dataclasses.fields(model)} - {"where", "preset"}
    assert {key.name for key in declared.keys} == fields


def test_every_key_is_described_and_no_synonym_names_two() -> None:
    for key in all_keys():
        assert key.description.endswith(".")
    for section in [KEYS, *(found for key in KEYS.keys if (found := section_of(key.kind)))]:
        names = [name for key in section.keys for name in (key.name, *key.synonyms)]
        assert sorted(names) == sorted(set(names))


def test_defaults_in_the_schema_are_valid_and_readable(validator: jsonschema.Draft202012Validator) -> None:
    document = {"name": "x"} | {key.name: key.default for key in KEYS.keys if key.default is not None}
    document["run"] = {key.name: key.default for key in section_of(KEYS.find("run").kind).keys}  # type: ignore[union-attr]
    validator.validate(document)
    spec_of(yaml.safe_dump(document))


def test_every_example_of_the_schema_is_readable() -> None:
    for key in all_keys():
        kind = key.kind.item if isinstance(key.kind, Many) else key.kind
        if isinstance(kind, Text):
            for example in kind.examples:
                written = as_yaml(example)
                assert str(yaml.safe_load(written)).lower() == str(example).lower()
                kind.parse(written.strip('"'))


def test_the_command_prints_the_schema_and_nothing_else() -> None:
    result = CliRunner().invoke(schema_command)
    assert result.exit_code == 0
    assert json.loads(result.stdout) == schema()


def test_the_first_line_of_a_file_points_editors_at_the_schema() -> None:
    assert SCHEMA_COMMENT.startswith("# yaml-language-server: $schema=")
    assert spec_of(f"{SCHEMA_COMMENT}\nname: x\n").name.value == "x"


@pytest.mark.parametrize(
    "text",
    [
        "nam: x\n",
        "name: X\n",
        "name: x\ntorch: v2\n",
        "name: x\nrun: {ports: [0]}\n",
        "name: x\nide: vscode\n",
        "name: x\nfoo: 1\n",
    ],
)
def test_what_an_editor_underlines_the_reader_refuses(text: str, validator: jsonschema.Draft202012Validator) -> None:
    assert not validator.is_valid(yaml.safe_load(text))
    assert problems_of(text)


def test_reading_needs_no_heavy_imports() -> None:
    code = "import sys, builder.config; print(sorted({'jsonschema', 'click', 'docker', 'jinja2'} & {*sys.modules}))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


# --- documents that the schema admits ------------------------------------------------------------------------------


def values(kind: Text) -> st.SearchStrategy[Any]:
    """Values that the kind's schema admits; its examples where the schema is looser than the reader."""
    examples = st.sampled_from(kind.examples)
    return examples if kind.is_looser else st.one_of(examples, from_schema(dict(kind.schema)))


def from_schema(body: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "anyOf" in body:
        return st.one_of([from_schema(one) for one in body["anyOf"]])
    if "enum" in body:
        return st.sampled_from(body["enum"])
    match body.get("type"):
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(body.get("minimum"), body.get("maximum"))
        case "number":
            return st.one_of(
                st.integers(1, 99),
                st.floats(body.get("minimum", -1e6), body.get("maximum", 1e6), allow_nan=False).map(lambda x: round(x, 3)),
            ).filter(lambda number: jsonschema.Draft202012Validator(body).is_valid(number))
        case _:
            return st.from_regex(body["pattern"], fullmatch=True).filter(
                lambda text: len(text) <= body.get("maxLength", 1000) and not text.endswith("\n") and text.isprintable()
            )


def of_kind(kind: Kind) -> st.SearchStrategy[Any]:
    match kind:
        case Text():
            return values(kind)
        case Many():
            return st.one_of(st.none(), st.lists(values(kind.item), max_size=3))
        case Pairs():
            return st.one_of(st.none(), st.dictionaries(values(kind.key), values(kind.value), max_size=3))
        case Section():
            return of_section(kind)
        case TextOrSection():
            return st.one_of(values(kind.text).filter(lambda text: text != "scratch"), of_section(kind.section))


def of_section(section: Section) -> st.SearchStrategy[Any]:
    required = {key.name: of_kind(key.kind) for key in section.keys if key.is_required}
    optional = {key.name: of_kind(key.kind) for key in section.keys if not key.is_required}
    return st.fixed_dictionaries(required, optional=optional)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(of_section(KEYS))
def test_what_the_schema_admits_can_be_read(document: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(schema()).validate(document)
    text = yaml.safe_dump(document, allow_unicode=True, sort_keys=False)
    try:
        spec_of(text)
    except Problems as problems:
        raise AssertionError(f"{[error.message for error in problems.errors]} in\n{text}") from None
