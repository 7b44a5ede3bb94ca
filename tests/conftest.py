"""Hypothesis by counts, not by the clock: in a clean clone its first text costs two seconds."""

from hypothesis import HealthCheck, settings

settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")
