"""The JSON Schema of wsb.yaml, made from the table of keys, for editors to check and complete while one types."""

from __future__ import annotations

from typing import Any

from builder.config.keys import KEYS
from builder.config.kinds import Key, Kind, Many, Pairs, Section, Text, TextOrSection

SCHEMA_FILE = ".wsb/schema.json"

# The first line of a wsb.yaml: the YAML extensions of VS Code, PyCharm, Vim and others read it.
SCHEMA_COMMENT = f"# yaml-language-server: $schema={SCHEMA_FILE}"


def schema() -> dict[str, Any]:
    """JSON Schema, draft 2020-12. A file that it admits can be read, but for lines that only pip or conda can judge."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "wsb.yaml",
        "description": "A workspace that wsb builds as a container.",
        **_of_section(KEYS),
    }


def _of_section(section: Section) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {key.name: _of_key(key) for key in section.keys},
    }
    required = [key.name for key in section.keys if key.is_required]
    return {**body, "required": required} if required else body


def _of_key(key: Key) -> dict[str, Any]:
    body = {"description": key.description, **_of_kind(key.kind)}
    return body if key.default is None else {**body, "default": key.default}


def _of_kind(kind: Kind) -> dict[str, Any]:
    match kind:
        case Text():
            return {**kind.schema, "examples": list(kind.examples)}
        case Many():  # a key whose items are all commented out holds null
            return {"type": ["array", "null"], "items": _of_kind(kind.item)}
        case Pairs():
            return {
                "type": ["object", "null"],
                "propertyNames": dict(kind.key.schema),
                "additionalProperties": _of_kind(kind.value),
            }
        case Section():
            return {**_of_section(kind), "type": ["object", "null"]}
        case TextOrSection():
            return {"anyOf": [_of_kind(kind.text), _of_section(kind.section)]}
