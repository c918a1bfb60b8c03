"""The text of wsb.yaml → nodes with line and column → a Spec; and the JSON Schema that editors check it with."""

from builder.config.reader import read_spec
from builder.config.schema import SCHEMA_COMMENT, schema

__all__ = ["SCHEMA_COMMENT", "read_spec", "schema"]
