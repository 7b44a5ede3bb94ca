"""A destination that fails: whoever hears its alerts instead is told so, once. Pure.

It is a `digest` of no group, and opens no incident; what an alert at a fallback is about is its own
error, not that somebody else could not be told.
"""

from datetime import datetime
from hashlib import blake2b

from routers.breaker import Breaker
from routers.notification import Notification


def notice(
    channel: str, breaker: Breaker, told: Notification, *, public_url: str, now: datetime
) -> Notification:
    """told: what could not be told there; the notice is for the same team."""
    return Notification(
        group=blake2b(f"breaker {channel}".encode(), digest_size=8).hexdigest(),
        project="",
        receiver=channel,
        team=told.team,
        reason="digest",
        severity="warning",
        title=f"{channel} cannot be told: {breaker.code}",
        culprit="",
        why="what is due there goes to its fallback until it takes an alert again",
        permalink=f"{public_url}/",
        event_id="",
        environment=None,
        release=None,
        times_seen=0,
        first_seen=breaker.since,
        last_seen=now,
    )
