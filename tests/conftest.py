"""Settings of all tests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# How long an example takes says nothing on a machine that does other things too.
_KINDLY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
# The same examples in every run: a change is to be blamed for what it broke, not for what luck found that day.
settings.register_profile("gprov", _KINDLY, derandomize=True)
# What luck finds: `make nightly`, or --hypothesis-profile=search at any time.
settings.register_profile("search", _KINDLY, derandomize=False, max_examples=1000)
settings.load_profile("gprov")
