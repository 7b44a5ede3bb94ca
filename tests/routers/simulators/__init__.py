"""Sending to the vendors' simulators: service/simulators/."""
