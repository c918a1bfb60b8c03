"""Small pure rules: Spec × Project × Catalog × Host → Decisions with reasons, together a Plan."""
