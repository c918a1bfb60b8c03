"""wsb: turns a project folder into a reproducible deep-learning workspace, proved by tests inside the container."""

__version__ = "0.1.0"
