"""The events whose bodies are kept, one by one, as they came."""

from collections.abc import Iterator
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, func, select

from matchers.event import Event
from service.store.bodies import decision_in, event_in
from service.store.tables import EVENTS, to_us

_AT_ONCE = 200  # rows in memory


class Past(msgspec.Struct, frozen=True):
    event: Event  # masked, as it was kept
    group: str
    outcome: str
    owners: tuple[str, ...]


def how_many(connection: Connection, since: datetime) -> int:
    return int(connection.execute(select(func.count()).where(_decided(since))).scalar_one())


def history(connection: Connection, since: datetime) -> Iterator[Past]:
    """The oldest first."""
    query = select(EVENTS).where(_decided(since)).order_by(EVENTS.c.received_at)
    for row in connection.execution_options(yield_per=_AT_ONCE).execute(query):
        decision = decision_in(row.decision) or {}
        yield Past(event_in(row.body), row.group_id, row.outcome, tuple(decision["owners"]))


def _decided(since: datetime) -> ColumnElement[bool]:
    return and_(EVENTS.c.received_at >= to_us(since), EVENTS.c.group_id.is_not(None))
