"""Facts of this machine; every failure is "unknown, because …"."""
