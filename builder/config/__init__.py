"""wsb.yaml: text → YAML nodes with line and column → Spec, every problem reported at once; and its JSON Schema."""
