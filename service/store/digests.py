"""What a week's digest is made of, read in one snapshot, and which weeks were told."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, get_args

import msgspec
from sqlalchemy import Engine, func, or_, select

from routers.group import Group
from routers.notification import Outcome
from service.store.rows import group_record
from service.store.tables import DELIVERIES, DIGESTS, EVENTS, GROUPS, to_us

_DECIDED = [outcome for outcome in get_args(Outcome) if outcome != "undecided"]


class Week(msgspec.Struct, frozen=True):
    groups: Sequence[Group]  # that were seen or resolved in it, or since
    times: dict[str, Counter[str]]  # by group: how often it was seen in it, by outcome
    merged: dict[str, int]  # by team: what was told by another's message


class DigestStore:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def told(self) -> dict[str, str]:
        """By team: the newest week that it was told of."""
        with self._engine.begin() as connection:
            return {row.team: row.week for row in connection.execute(select(DIGESTS))}

    def week(self, since: datetime, until: datetime) -> Week:
        begins, ends = to_us(since), to_us(until)
        seen = (
            select(EVENTS.c.group_id, EVENTS.c.outcome, func.count())
            # named, all of them: that is what the index by outcome and moment begins with
            .where(EVENTS.c.outcome.in_(_DECIDED))
            .where(EVENTS.c.received_at >= begins, EVENTS.c.received_at < ends)
            .group_by(EVENTS.c.group_id, EVENTS.c.outcome)
        )
        groups = select(GROUPS).where(
            or_(GROUPS.c.last_seen >= begins, GROUPS.c.resolved_at >= begins)
        )
        merged = (
            select(DELIVERIES.c.team, func.count())
            .where(DELIVERIES.c.state == "merged")
            .where(DELIVERIES.c.created_at >= begins, DELIVERIES.c.created_at < ends)
            .group_by(DELIVERIES.c.team)
        )
        times: dict[str, Counter[str]] = defaultdict(Counter)
        with self._engine.begin() as connection:
            for group, outcome, n in connection.execute(seen):
                times[group][outcome] = n
            rows: list[Any] = list(connection.execute(groups).mappings())
            by_team = {team: int(n) for team, n in connection.execute(merged)}
        return Week([group_record(dict(row)) for row in rows], dict(times), by_team)
