"""A message that only tries whether a team can be told. Pure.

It is no event and belongs to no group: of what is counted it is in the deliveries alone.
"""

from datetime import datetime

import msgspec

from routers.notification import Notification, Severity
from routers.rules import Rules
from routers.teams import Choice, Situation, Team, choose


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What there would be to tell."""

    id: str  # in place of a group's
    receiver: str | None = None  # None: those that the team's rules choose
    severity: Severity = "info"
    environment: str | None = None


def chosen(trial: Trial, team: Team, rules: Rules, now: datetime) -> Choice:
    if trial.receiver is not None:
        return Choice((trial.receiver,))
    situation = Situation(
        severity=trial.severity,
        environment=trial.environment or "",
        reason="test",
        level="info",
        project="",
        project_slug=None,
        feature=None,
        now=now,
    )
    return choose(rules.receivers_of(team.slug), situation)


def message(
    trial: Trial, team: Team, receiver: str, *, public_url: str, now: datetime
) -> Notification:
    return Notification(
        group=trial.id,
        project="",
        receiver=receiver,
        team=team.slug,
        reason="test",
        severity=trial.severity,
        title=f"This is how {team.name} is told; nothing failed",
        culprit="",
        why="somebody asked for a test message",
        permalink=f"{public_url}/",
        event_id="",
        environment=trial.environment,
        release=None,
        times_seen=0,
        first_seen=now,
        last_seen=now,
    )
