"""The one table: what becomes of a delivery that failed.

    RefusedError      once more as short plain text, then dead
    PermanentError    dead
    TemporaryError    again at max(Retry-After, backoff), until ATTEMPTS or LIFETIME

Backoff is "full jitter": https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
"""

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from routers.errors import DeliveryError, PermanentError, RefusedError, TemporaryError

BASE = timedelta(seconds=1)
CAP = timedelta(minutes=5)
LIFETIME = timedelta(hours=24)  # since it was queued
ATTEMPTS = 20


class Retry(msgspec.Struct, frozen=True):
    at: datetime


class PlainOnce(msgspec.Struct, frozen=True):
    """At once, with `alert.plain`."""


class Dead(msgspec.Struct, frozen=True):
    """reason: `permanent` is the destination's fault, `refused` the message's."""

    reason: Literal["permanent", "refused", "attempts", "lifetime"]
    code: str  # the last error's


Verdict = Retry | PlainOnce | Dead


class Tries(msgspec.Struct, frozen=True, kw_only=True):
    """What was done for a delivery so far."""

    attempts: int  # the one that just failed included
    first_at: datetime  # when it was queued
    plain: bool = False  # the one that just failed was short plain text


def judge(error: DeliveryError, tries: Tries, *, now: datetime, random: float) -> Verdict:
    """random: at least 0, less than 1."""
    if isinstance(error, RefusedError):
        return Dead("refused", error.code) if tries.plain else PlainOnce()
    if isinstance(error, PermanentError):
        return Dead("permanent", error.code)
    if tries.attempts >= ATTEMPTS:
        return Dead("attempts", error.code)
    if now - tries.first_at >= LIFETIME:
        return Dead("lifetime", error.code)
    asked = error.retry_after if isinstance(error, TemporaryError) else None
    return Retry(now + max(backoff(tries.attempts, random), asked or timedelta()))


def backoff(attempts: int, random: float) -> timedelta:
    """How long to wait after that many attempts, the first being 1."""
    return random * min(CAP, BASE * 2.0 ** (attempts - 1))
