"""One alert after another to a simulated vendor, at a time of the test's choosing."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx

from routers.channels.base import Channel, Receipt
from tests.alerts import NOW, an_alert

Handler = Callable[[httpx.Request], httpx.Response]


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def passes(self, **time: float) -> None:
        self.now += timedelta(**time)


def send(channel: Channel, handler: Handler, clock: Clock | None = None, **over: Any) -> Receipt:
    """over: as of an_alert()."""
    at = {"sent_at": clock.now} if clock else {}
    with httpx.Client(transport=httpx.MockTransport(handler)) as client:
        return channel.send(an_alert(**at, **over), client)
