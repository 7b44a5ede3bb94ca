"""Durations as Prometheus writes them: `90s`, `1h30m`, `7d`; `0s` is none at all.

Spec: https://prometheus.io/docs/prometheus/latest/configuration/configuration/
"""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

PATTERN = r"^(0s?|([0-9]{1,6}w)?([0-9]{1,6}d)?([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?)$"
_SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}


def parse_duration(text: object) -> timedelta:
    """Raises ValueError."""
    if isinstance(text, timedelta):
        return text
    if not isinstance(text, str) or not text or not re.fullmatch(PATTERN, text):
        raise ValueError("expected a duration like `24h` or `1h30m`")
    parts = re.findall(r"([0-9]+)([wdhms])", text)
    return timedelta(seconds=sum(int(number) * _SECONDS[unit] for number, unit in parts))


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    WithJsonSchema({"type": "string", "pattern": PATTERN}),
]
