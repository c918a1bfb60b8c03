"""For every test: nothing fails by the clock, and a run in the background can still interrupt its children."""

from __future__ import annotations

import signal

from hypothesis import HealthCheck, settings

# A shell starts background jobs with SIGINT ignored, and children inherit that: a test of Ctrl-C would then wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)

# how long an example takes says something of the machine only
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
