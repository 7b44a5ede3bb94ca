"""A destination that fails opens its breaker: what is due for it goes elsewhere, but for a probe.

    gone, or the key is wrong                    opens at once
    FAILURES in a row, over OPENS_AFTER or more  open it too: no answer, a 5xx
    408, 425, 429                                never: it lives, and says when it may be asked

After `probe_at` one alert is sent to it for real. When that is taken, the breaker is closed.
https://learn.microsoft.com/en-us/azure/architecture/patterns/circuit-breaker
"""

from datetime import datetime, timedelta

import msgspec

from routers.errors import DeliveryError, PermanentError, RefusedError, TemporaryError

FAILURES = 5
OPENS_AFTER = timedelta(seconds=30)  # since the first: a restart is shorter
PROBE_AFTER = timedelta(seconds=30)  # twice that after the next probe that fails, and so on
PROBE_AFTER_MAX = timedelta(minutes=5)
# No waiting helps; all other permanent errors may be the one message's own.
GONE = frozenset(
    (
        "unauthorized",
        "forbidden",
        "not_found",
        "gone",
        "redirect",
        "invalid_url",
        "private_destination",
        "not_offered",
    )
)
# Nothing was sent at all.
OURS = frozenset(("unconfigured", "receiver_gone", "internal", "console_closed", "busy"))


class Breaker(msgspec.Struct, frozen=True, kw_only=True):
    """Of a destination that fails; one that is well has none."""

    failures: int  # in a row
    since: datetime  # the first of them
    code: str  # the last one's
    opened_at: datetime | None = None  # None: closed
    probe_at: datetime | None = None  # when it may be asked again
    probes: int = 0  # that failed since it is open

    @property
    def is_open(self) -> bool:
        return self.opened_at is not None

    @property
    def is_gone(self) -> bool:
        """No waiting helps: somebody must act."""
        return self.code in GONE

    def is_shut(self, now: datetime) -> bool:
        """Open, and no probe is due."""
        return self.probe_at is not None and now < self.probe_at


def failed(before: Breaker | None, error: DeliveryError, now: datetime) -> Breaker | None:
    """As it is after a send that failed. None: the failure says nothing against it."""
    if _says_nothing(error):
        return before
    known = before or Breaker(failures=0, since=now, code=error.code)
    now_known = msgspec.structs.replace(known, failures=known.failures + 1, code=error.code)
    if now_known.is_open:
        return _opened(now_known, now, known.probes + 1)
    tired = now_known.failures >= FAILURES and now - now_known.since >= OPENS_AFTER
    return _opened(now_known, now, 0) if tired or now_known.is_gone else now_known


def probed(breaker: Breaker, now: datetime) -> Breaker:
    """While the probe is under way, no other is."""
    return msgspec.structs.replace(breaker, probe_at=now + PROBE_AFTER)


def _opened(breaker: Breaker, now: datetime, probes: int) -> Breaker:
    wait = min(PROBE_AFTER * 2 ** min(probes, 10), PROBE_AFTER_MAX)
    opened = breaker.opened_at or now
    return msgspec.structs.replace(breaker, opened_at=opened, probe_at=now + wait, probes=probes)


def _says_nothing(error: DeliveryError) -> bool:
    asks_for_quiet = isinstance(error, TemporaryError) and error.pause
    of_the_message = isinstance(error, RefusedError) or (
        isinstance(error, PermanentError) and error.code not in GONE
    )
    return asks_for_quiet or of_the_message or error.code in OURS
