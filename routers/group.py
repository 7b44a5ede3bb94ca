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
    # None, though it was told: a baseline says that it knows
    last_reason: Reason | None = None
    threshold: int = 0  # the highest of the policy's escalation that it was told of


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
    last_event_id: str = ""
    audiences: tuple[Audience, ...] = ()

    def audience(self, team: str | None, environment: str) -> Audience:
        """As it stands, or a new one that was told nothing."""
        for audience in self.audiences:
            if (audience.team, audience.environment) == (team, environment):
                return audience
        return Audience(team=team, environment=environment)
