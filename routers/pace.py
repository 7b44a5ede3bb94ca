"""How fast a destination may be told: a token bucket, as large as a short burst.

https://en.wikipedia.org/wiki/Token_bucket
"""

from datetime import datetime, timedelta

import msgspec


class Pace(msgspec.Struct, frozen=True):
    per_second: float
    burst: int  # messages at once, after a quiet time


class Bucket(msgspec.Struct, frozen=True):
    tokens: float
    at: datetime


def filled(bucket: Bucket | None, pace: Pace, now: datetime) -> Bucket:
    """As it is now. None: nothing was ever told."""
    if bucket is None:
        return Bucket(float(pace.burst), now)
    gained = max(0.0, (now - bucket.at).total_seconds()) * pace.per_second
    return Bucket(min(float(pace.burst), bucket.tokens + gained), max(bucket.at, now))


def wait(bucket: Bucket, pace: Pace) -> timedelta:
    """Until there is a whole token."""
    return timedelta(seconds=max(0.0, 1 - bucket.tokens) / pace.per_second)


def spent(bucket: Bucket) -> Bucket:
    return Bucket(bucket.tokens - 1, bucket.at)
