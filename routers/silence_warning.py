"""A silence that ends soon and still hides: its warning, to the team that it last hid from. Pure.

It is a `digest`, of severity info, and goes to whichever of the team's receivers such a one fits.
Channels that open incidents are left out: it would be the group's own incident, opened early, and
the alert that follows once the silence is over would be lost in it.
"""

from datetime import datetime, timedelta

import msgspec

from matchers.event import Event
from matchers.ownership import Ownership
from routers.group import Group
from routers.notification import Notification
from routers.rules import Rules
from routers.silences import Silence
from routers.teams import Situation, choose

AHEAD = timedelta(minutes=15)  # of the end
LATELY = timedelta(hours=1)  # what hid nothing for so long is not warned of


class LastHidden(msgspec.Struct, frozen=True, kw_only=True):
    """What a silence hid last, and how often it hid anything."""

    event: Event
    ownership: Ownership
    group: Group
    team: str | None
    hidden: int


def warnings(
    silence: Silence, last: LastHidden, rules: Rules, *, public_url: str, now: datetime
) -> tuple[Notification, ...]:
    """One for each receiver; (): none would be told now."""
    event, group = last.event, last.group
    minutes = max(1, round((silence.ends_at - now) / timedelta(minutes=1)))
    return tuple(
        Notification(
            group=group.id,
            project=group.project,
            receiver=channel,
            team=last.team,
            reason="digest",
            severity="info",
            title=f"A silence ends in {minutes} min and still hides {group.title}",
            culprit=group.culprit,
            why=f"hid {last.hidden:,} by {silence.created_by}: {silence.comment}",
            permalink=f"{public_url}/silences",
            event_id=event.event_id,
            environment=event.environment,
            release=event.release,
            times_seen=group.times_seen,
            first_seen=group.first_seen,
            last_seen=group.last_seen,
        )
        for channel in choose(rules.receivers_of(last.team), _situation(last, now)).channels
        if rules.opens_no_incident(channel)
    )


def _situation(last: LastHidden, now: datetime) -> Situation:
    event, rule = last.event, last.ownership.rule
    return Situation(
        severity="info",
        environment=event.environment or "",
        reason="digest",
        level=event.level,
        project=event.project,
        project_slug=event.project_slug,
        feature=rule.feature if rule else None,
        now=now,
    )
