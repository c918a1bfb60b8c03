"""wsb.lock: its text, whether it still answers wsb.yaml, and what changed between two of them. Pure; solving is in locking."""
