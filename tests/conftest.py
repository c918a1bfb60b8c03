"""For every test: a run that was started in the background must still be able to interrupt its children."""

from __future__ import annotations

import signal

# A shell starts background jobs with SIGINT ignored, and children inherit that: a test of Ctrl-C would then wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)
