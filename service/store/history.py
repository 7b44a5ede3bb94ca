"""The events that were accepted, one by one, as they came."""

from collections.abc import Iterator
from datetime import datetime
from heapq import merge
from typing import Any, get_args

import msgspec
from sqlalchemy import Connection, func, select

from matchers.event import Event
from routers.notification import Outcome
from service.store.tables import EVENTS, to_us

_DECIDED = [outcome for outcome in get_args(Outcome) if outcome != "undecided"]
_AT_ONCE = 200  # rows of one outcome in memory


class Past(msgspec.Struct, frozen=True):
    event: Event  # masked, as it was kept
    group: str
    outcome: str
    owners: tuple[str, ...]


def how_many(connection: Connection, since: datetime) -> int:
    query = select(func.count()).where(
        EVENTS.c.outcome.in_(_DECIDED), EVENTS.c.received_at >= to_us(since)
    )
    return int(connection.execute(query).scalar_one())


def history(connection: Connection, since: datetime) -> Iterator[Past]:
    """The oldest first. Each outcome has an order in the index; merged, nothing need be sorted."""
    streams = [_of(connection, outcome, since) for outcome in _DECIDED]
    for row in merge(*streams, key=lambda row: row.received_at):
        decision = msgspec.json.decode(row.decision)
        event = msgspec.json.decode(row.body, type=Event)
        yield Past(event, row.group_id, row.outcome, tuple(decision["owners"]))


def _of(connection: Connection, outcome: str, since: datetime) -> Iterator[Any]:
    query = (
        select(EVENTS)
        .where(EVENTS.c.outcome == outcome, EVENTS.c.received_at >= to_us(since))
        .order_by(EVENTS.c.received_at)
    )
    return iter(connection.execution_options(yield_per=_AT_ONCE).execute(query))
