"""What is known of one error: how often it came, and what each team was told of it."""

from datetime import datetime
from typing import Literal

import msgspec

from routers.notification import Reason

Status = Literal["unresolved", "resolved", "ignored"]


class Audience(msgspec.Struct, frozen=True, kw_only=True):
    """What one team was told of one group in one environment."""

    team: str | None  # None: the receivers of what nobody owns
    environment: str
    times_seen: int = 0
    sequence: int = -1  # of the rules that last sent an event here; -1: none did yet
    last_notified_at: datetime | None = None
    last_reason: Reason | None = None
    threshold: int = 0  # the highest of the policy's escalation that it was told of


class Until(msgspec.Struct, frozen=True, kw_only=True):
    """What ends an ignoring: the first of these that comes to hold. None set: nothing does."""

    moment: datetime | None = None  # an event that is received then or later
    times: int | None = None  # the event that was then seen so many more times, 1 at the least
    escalation: bool = False  # an event that crosses a threshold of the policy's escalation


class Ignored(msgspec.Struct, frozen=True, kw_only=True):
    """That a person ignores a group, and what it was like then."""

    at: datetime
    times_seen: int
    until: Until = Until()


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A group is (project, fingerprint)."""

    id: str  # 16 hex digits
    project: str
    fingerprint: str  # at creation
    title: str
    culprit: str
    team: str | None  # the owner as last decided
    level: str
    first_seen: datetime
    last_seen: datetime
    times_seen: int = 0
    status: Status = "unresolved"
    resolved_at: datetime | None = None  # kept after a regression: who was told before it hears it
    resolved_in: str | None = None  # release; None: any event after resolved_at reopens it
    ignored: Ignored | None = None  # while that is its status
    woken_at: datetime | None = None  # when an ignoring last ended by itself, and what for:
    woken_for: Literal["escalation", "repeat"] | None = None  # whoever was told before hears it
    assigned: str | None = None  # the team a person gave it to, whoever the rules name
    moved_at: datetime | None = None  # when a person last did, or took it back
    last_event_id: str = ""
    audiences: tuple[Audience, ...] = ()

    def audience(self, team: str | None, environment: str) -> Audience:
        """As it stands, or a new one that was told nothing."""
        for audience in self.audiences:
            if (audience.team, audience.environment) == (team, environment):
                return audience
        return Audience(team=team, environment=environment)
