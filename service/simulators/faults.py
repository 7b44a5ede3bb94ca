"""What a simulated vendor does instead of its work: `429:2m`, `500`, `410:30s`, `hang`, `lost`.

A status is answered; `hang` answers nothing until the other side has given up. `lost` does its
work, and closes the connection before anybody hears of it: so an alert is told twice.
"""

import re
from datetime import timedelta

import httpx
import msgspec

from routers.durations import parse_duration

QUIET = 30  # seconds that a 429 asks for at most


class Fault(msgspec.Struct, frozen=True):
    status: int | None  # None: nothing is answered
    lasts: timedelta | None = None  # since the first request; None: for ever
    takes: bool = False  # whether it takes the message all the same

    def left(self, since: timedelta) -> timedelta:
        """How long it still lasts, so long after the first request; none: it is over."""
        return timedelta.max if self.lasts is None else max(self.lasts - since, timedelta())


def parse_fault(text: str) -> Fault:
    """Raises ValueError."""
    what, _, lasts = text.partition(":")
    if not re.fullmatch(r"hang|lost|[45]\d\d", what):
        raise ValueError(f'"{text}" is no fault: 429, 500, 410, hang or lost, and how long: 429:2m')
    status = None if what in ("hang", "lost") else int(what)
    return Fault(status, parse_duration(lasts) if lasts else None, takes=what == "lost")


def answer(fault: Fault, left: timedelta) -> httpx.Response | None:
    """None: none at all. left: how long the fault still lasts."""
    if fault.status is None:
        return None
    headers = {}
    if fault.status == 429:
        headers["Retry-After"] = str(max(1, min(QUIET, round(left.total_seconds()))))
    return httpx.Response(fault.status, headers=headers, text="a rehearsed fault")
