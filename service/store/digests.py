"""What a week's digest is made of, read in one snapshot, and which weeks were told."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Engine, func, or_, select

from routers.group import Group
from service.store.rows import group_record
from service.store.tables import DELIVERIES, DIGESTS, GROUPS, HOUR, TALLIES, to_us


class Week(msgspec.Struct, frozen=True):
    groups: Sequence[Group]  # that were seen or resolved in it, or since
    times: dict[str, Counter[str]]  # by group: how often in its hours, by outcome
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
            select(TALLIES.c.group_id, TALLIES.c.outcome, func.sum(TALLIES.c.n))
            .where(TALLIES.c.hour >= begins // HOUR, TALLIES.c.hour * HOUR < ends)
            .group_by(TALLIES.c.group_id, TALLIES.c.outcome)
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
                times[group][outcome] = int(n)
            rows: list[Any] = list(connection.execute(groups).mappings())
            by_team = {team: int(n) for team, n in connection.execute(merged)}
        return Week([group_record(dict(row)) for row in rows], dict(times), by_team)
