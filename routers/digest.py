"""A team's week as a message: what it says, and where it is told. Pure.

It goes to the team's receivers as of reason `digest` and severity `info`. Channels that open
incidents are passed over: nobody is to be woken by a summary.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import blake2b

from routers.notification import Digest, Notification
from routers.rules import Rules
from routers.teams import Choice, Situation, choose

WEEK = timedelta(days=7)
ENTRIES = 5  # of each kind, in a notification
TITLE_LIMIT = 200  # characters of a group's


def says_something(digest: Digest) -> bool:
    return any(tally.count for _, tally in digest.kinds) or bool(digest.saved)


def chosen(team: str, rules: Rules, now: datetime) -> Choice:
    """The channels that a digest goes to."""
    readable = [one for one in rules.receivers_of(team) if rules.opens_no_incident(one.channel)]
    situation = Situation(
        severity="info",
        environment="",
        reason="digest",
        level="info",
        project="",
        project_slug=None,
        feature=None,
        now=now,
    )
    return choose(readable, situation)


def messages(
    team: str, digest: Digest, receivers: tuple[str, ...], *, public_url: str
) -> Iterator[Notification]:
    """One for each receiver."""
    key = f"{team}\0{digest.until.isoformat()}".encode()
    for receiver in receivers:
        yield Notification(
            group=blake2b(key, digest_size=8).hexdigest(),  # no group's: each digest is its own
            project="",
            receiver=receiver,
            team=team,
            reason="digest",
            severity="info",
            title=title(digest),
            culprit="",
            why=f"the week from {_day(digest.since)} to {_day(digest.until)}",
            permalink=f"{public_url}/?team={team}",
            event_id="",
            environment=None,
            release=None,
            times_seen=0,
            first_seen=digest.since,
            last_seen=digest.until,
            digest=digest,
        )


def title(digest: Digest) -> str:
    """Its numbers in one line, for whoever reads no further."""
    said = [f"{tally.count:,} {word}" for word, tally in digest.kinds if tally.count]
    saved = sum(digest.saved.values())
    return ", ".join([*said, f"{saved:,} not told"] if saved else said) or "a quiet week"


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
