"""Hypothesis by counts, not by the clock: in a clean clone its first text costs two seconds."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "unhurried",
    deadline=None,
    derandomize="CI" in os.environ,  # the same examples each time: what landed stays green
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("prove", settings.get_profile("unhurried"), derandomize=False)
settings.load_profile("unhurried")
