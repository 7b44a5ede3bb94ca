"""A source that went quiet: a project that used to send errors, and sends none. Pure.

No error at all is rarely good news: an SDK that was not started, a key that ran out, a firewall.
It is told as a `digest` is, of the severity that the policy names, to whichever of the team's
receivers such a one fits, those that open incidents too: the incident is closed when the source
sends again. All that is told of one source has one group, which is no group of events.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import blake2b

import msgspec

from routers.notification import Notification
from routers.policy import QuietSource
from routers.rules import Rules
from routers.teams import Situation, choose


class Activity(msgspec.Struct, frozen=True):
    """What a source has sent so far."""

    events: int
    last_at: datetime  # of the last of them, or later


def number_of(source: QuietSource, rules: Rules) -> str:
    """The project's, where it is named by its slug."""
    projects = rules.ruleset.projects
    return next((n for n, one in projects.items() if one.slug == source.project), source.project)


def name_of(source: QuietSource, rules: Rules) -> str:
    """`api/production`, for metrics and messages."""
    known = rules.ruleset.projects.get(source.project)
    slug = known.slug if known else source.project
    return f"{slug}/{source.environment}" if source.environment else slug


def group_of(source: QuietSource, rules: Rules) -> str:
    key = f"quiet\0{number_of(source, rules)}\0{source.environment or ''}"
    return blake2b(key.encode(errors="replace"), digest_size=8).hexdigest()


def notifications(
    source: QuietSource, sent: Activity, rules: Rules, *, public_url: str, now: datetime
) -> Iterator[Notification]:
    """One for each receiver; none: nobody would be told now."""
    team, name = rules.ruleset.names.get(source.team, source.team), name_of(source, rules)
    if rules.mode_of(team) == "observe":
        return
    for channel in choose(rules.receivers_of(team), _situation(source, rules, now)).channels:
        yield Notification(
            group=group_of(source, rules),
            project=number_of(source, rules),
            receiver=channel,
            team=team,
            reason="digest",
            severity=source.severity,
            title=f"{name} went quiet: no error for {_minutes(now - sent.last_at)}",
            culprit="",
            why=f"policy.source_went_quiet: it sent {sent.events:,} before",
            permalink=f"{public_url}/",
            event_id="",
            environment=source.environment,
            release=None,
            times_seen=sent.events,
            first_seen=sent.last_at,
            last_seen=sent.last_at,
        )


def _situation(source: QuietSource, rules: Rules, now: datetime) -> Situation:
    number = number_of(source, rules)
    known = rules.ruleset.projects.get(number)
    return Situation(
        severity=source.severity,
        environment=source.environment or "",
        reason="digest",
        level="warning",
        project=number,
        project_slug=known.slug if known else None,
        feature=None,
        now=now,
    )


def _minutes(quiet: timedelta) -> str:
    hours, minutes = divmod(int(quiet.total_seconds()) // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
