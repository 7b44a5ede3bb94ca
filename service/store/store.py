"""What is read: groups, events, deliveries, the books. Each read is one snapshot."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Dialect, Engine, Select, and_, func, select, tuple_

from matchers.event import Event
from matchers.fingerprint import GROUPINGS, Grouping
from routers.group import Group
from service.store.bodies import decision_in, event_in
from service.store.books import books_of
from service.store.paging import Moment, Page, decode, page
from service.store.rows import Delivery, delivery_record, group_record
from service.store.search import groups_found
from service.store.tables import (
    AUDIENCES,
    DEAD_END,
    DELIVERIES,
    EVENTS,
    GROUP_FINGERPRINTS,
    GROUPS,
    UPSTREAM,
    from_us,
    to_us,
)

_NEWEST = (EVENTS.c.received_at.desc(), EVENTS.c.event_id.desc())


class Kept(msgspec.Struct, frozen=True):
    """An event as it is kept."""

    event: Event
    decision: dict[str, Any] | None  # None: undecided
    outcome: str


class Latest(msgspec.Struct, frozen=True, kw_only=True):
    """What a list shows beside a group's record."""

    decision: dict[str, Any] | None = None  # on the newest event that is kept; None: none is
    outcome: str | None = None
    deliveries: tuple[Delivery, ...] = ()  # the newest first, a few


class GroupFilter(msgspec.Struct, frozen=True, kw_only=True):
    """None asks nothing. `q`: service/words.py."""

    team: str | None = None
    status: str | None = None
    environment: str | None = None
    q: str | None = None


class Store:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def groups(self, wanted: GroupFilter, limit: int, cursor: str | None = None) -> Page:
        """The most recently seen first."""
        query = _filtered(select(GROUPS), wanted, self._engine.dialect)
        if cursor:
            query = query.where(
                tuple_(GROUPS.c.last_seen, GROUPS.c.id) < decode(cursor, tuple[Moment, str])
            )
        query = query.order_by(GROUPS.c.last_seen.desc(), GROUPS.c.id.desc()).limit(limit + 1)
        with self._engine.begin() as connection:
            rows = connection.execute(query).mappings().all()
            told = self._audiences(connection, [row["id"] for row in rows])
        groups = [group_record(dict(row), told[row["id"]]) for row in rows]
        return page(groups, limit, lambda group: [to_us(group.last_seen), group.id])

    def groupings(self) -> list[Grouping]:
        """The newest recipe, and those before it by which some group is known still."""
        newest, *former = GROUPINGS
        query = select(GROUP_FINGERPRINTS.c.group_id).limit(1)
        with self._engine.begin() as connection:
            known = [
                one
                for one in former
                if connection.execute(
                    query.where(GROUP_FINGERPRINTS.c.fingerprint.startswith(f"{one}:"))
                ).first()
            ]
        return [newest, *known]

    def waiting_envelopes(self) -> tuple[int, int]:
        """How many wait for the upstream, and their bytes."""
        query = select(func.count(), func.coalesce(func.sum(UPSTREAM.c.size), 0))
        with self._engine.begin() as connection:
            count, size = connection.execute(query.select_from(UPSTREAM)).one()
        return int(count), int(size)

    def group(self, id: str) -> Group | None:  # noqa: A002
        with self._engine.begin() as connection:
            row = connection.execute(select(GROUPS).where(GROUPS.c.id == id)).mappings().first()
            told = self._audiences(connection, [id])
        return None if row is None else group_record(dict(row), told[id])

    def latest(self, groups: Sequence[Group], deliveries: int = 3) -> dict[str, Latest]:
        """By group id: the decision on its newest kept event, and the newest that was told."""
        ids = [group.id for group in groups]
        newest = select(EVENTS.c.sequence).where(EVENTS.c.group_id == GROUPS.c.id)
        newest = newest.order_by(*_NEWEST).limit(1).correlate(GROUPS)
        shown = EVENTS.alias()
        events = select(shown.c.group_id, shown.c.outcome, shown.c.decision)
        events = events.select_from(GROUPS).join(
            shown, shown.c.sequence == newest.scalar_subquery()
        )
        events = events.where(GROUPS.c.id.in_(ids))
        # the first that is no longer shown; none: there are so few
        older = select(DELIVERIES.c.id).where(DELIVERIES.c.group_id == GROUPS.c.id)
        older = older.order_by(DELIVERIES.c.id.desc()).offset(deliveries).limit(1)
        past = func.coalesce(older.correlate(GROUPS).scalar_subquery(), "")
        of_group = and_(DELIVERIES.c.group_id == GROUPS.c.id, DELIVERIES.c.id > past)
        told = select(DELIVERIES).select_from(GROUPS.join(DELIVERIES, of_group))
        told = told.where(GROUPS.c.id.in_(ids)).order_by(DELIVERIES.c.id.desc())
        found = {id: Latest() for id in ids}  # noqa: A001
        with self._engine.begin() as connection:
            for row in connection.execute(events).mappings():
                decision = decision_in(row["decision"])
                found[row["group_id"]] = Latest(decision=decision, outcome=row["outcome"])
            for row in connection.execute(told).mappings():
                known = found[row["group_id"]]
                more = (*known.deliveries, delivery_record(dict(row)))
                found[row["group_id"]] = msgspec.structs.replace(known, deliveries=more)
        return found

    def events_of(self, group: str, limit: int) -> list[Kept]:
        """Of those that are kept, the newest first."""
        query = select(EVENTS).where(EVENTS.c.group_id == group).order_by(*_NEWEST).limit(limit)
        with self._engine.begin() as connection:
            return [_kept(row) for row in connection.execute(query).mappings()]

    def bodies_of(self, group: str) -> int:
        """How many of its events are kept."""
        with self._engine.begin() as connection:
            query = select(func.count()).where(EVENTS.c.group_id == group)
            return int(connection.execute(query).scalar_one())

    def evidence(self, group: str, event_id: str) -> tuple[Event | None, dict[str, Any]]:
        """The event and its decision; the newest of its group that is kept where it is not."""
        newest = select(EVENTS).where(EVENTS.c.group_id == group).order_by(*_NEWEST).limit(1)
        with self._engine.begin() as connection:
            row = (
                connection.execute(newest.where(EVENTS.c.event_id == event_id)).mappings().first()
                or connection.execute(newest).mappings().first()
            )
        if row is None:
            return None, {}
        kept = _kept(row)
        return kept.event, kept.decision or {}

    def deliveries(
        self,
        limit: int,
        cursor: str | None = None,
        *,
        state: str | None = None,
        group: str | None = None,
    ) -> Page:
        """The newest first. A leased one counts as pending."""
        query = select(DELIVERIES).order_by(DELIVERIES.c.id.desc()).limit(limit + 1)
        if cursor:
            query = query.where(DELIVERIES.c.id < decode(cursor, tuple[str])[0])
        if group:
            query = query.where(DELIVERIES.c.group_id == group)
        if state:
            states = ["pending", "leased"] if state == "pending" else [state]
            query = query.where(DELIVERIES.c.state.in_(states))
            if state != "pending" and not group:  # nearly all: found in their order
                query = query.where(DELIVERIES.c.settled_at.is_not(None))
        with self._engine.begin() as connection:
            found = [delivery_record(dict(row)) for row in connection.execute(query).mappings()]
        return page(found, limit, lambda delivery: [delivery.id])

    def delivery(self, id: str) -> Delivery | None:  # noqa: A002
        query = select(DELIVERIES).where(DELIVERIES.c.id == id)
        with self._engine.begin() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else delivery_record(dict(row))

    def carriers(self, deliveries: Iterable[Delivery]) -> dict[str, Delivery]:
        """By their ids, those whose messages tell some of these."""
        query = select(DELIVERIES).where(DELIVERIES.c.id.in_({one.carrier for one in deliveries}))
        with self._engine.begin() as connection:
            found = [delivery_record(dict(row)) for row in connection.execute(query).mappings()]
        return {one.id: one for one in found}

    def due_receivers(self, now: datetime) -> list[str]:
        query = (
            select(DELIVERIES.c.receiver)
            .where(DELIVERIES.c.state.in_(["pending", "leased"]), DELIVERIES.c.due_at <= to_us(now))
            .where(DELIVERIES.c.carrier.is_(None))
            .distinct()
        )
        with self._engine.begin() as connection:
            return list(connection.execute(query).scalars())

    def dead_ends(self) -> int:
        """Dead deliveries that no fallback took over."""
        query = select(func.count()).select_from(DELIVERIES).where(DEAD_END)
        with self._engine.begin() as connection:
            return int(connection.execute(query).scalar_one())

    def oldest_pending(self) -> datetime | None:
        """When the delivery that waits longest was queued; None: none waits."""
        query = select(func.min(DELIVERIES.c.created_at)).where(
            DELIVERIES.c.state.in_(["pending", "leased"])
        )
        with self._engine.begin() as connection:
            at = connection.execute(query).scalar_one()
        return None if at is None else from_us(at)

    def accounting(self) -> dict[str, Any]:
        """The books, in one snapshot. `unaccounted` is what they cannot explain: 0, always."""
        with self._engine.begin() as connection:
            return books_of(connection)

    def _audiences(self, connection: Connection, groups: Sequence[str]) -> dict[str, list[Any]]:
        """Rows by group id; one read for all of them."""
        query = select(AUDIENCES).where(AUDIENCES.c.group_id.in_(groups))
        found: dict[str, list[Any]] = {group: [] for group in groups}
        for row in connection.execute(query).mappings():
            found[row["group_id"]].append(row)
        return found


def _filtered(query: Select[Any], wanted: GroupFilter, dialect: Dialect) -> Select[Any]:
    if wanted.team is not None:
        query = query.where(GROUPS.c.team == wanted.team)
    if wanted.status is not None:
        query = query.where(GROUPS.c.status == wanted.status)
    if wanted.environment is not None:
        # asked of each group, the newest first: as soon as a page is full, no other is looked at
        seen = select(1).where(
            AUDIENCES.c.group_id == GROUPS.c.id, AUDIENCES.c.environment == wanted.environment
        )
        query = query.where(seen.exists())
    if wanted.q:
        query = query.where(GROUPS.c.id.in_(groups_found(wanted.q, dialect)))
    return query


def _kept(row: Any) -> Kept:
    return Kept(event_in(row["body"]), decision_in(row["decision"]), row["outcome"])
