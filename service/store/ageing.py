"""The writer's statements on what is past its time: each deletes the oldest, `limit` rows at most.

They are found by an index, however many others there are.
"""

from typing import Any

from sqlalchemy import Column, Delete, Dialect, Table, bindparam, delete, func, select, tuple_
from sqlalchemy.sql.elements import ClauseElement, ColumnElement

from service.store.statement import Statement
from service.store.tables import (
    AUDIENCES,
    AUDIT,
    DELIVERIES,
    EVENTS,
    GROUP_FINGERPRINTS,
    GROUPS,
    RULES_REVISIONS,
    SILENCES,
    STORMS,
    TALLIES,
    THREADS,
)


class Ageing:
    def __init__(self, dialect: Dialect) -> None:
        oldest: dict[str, ClauseElement] = {
            # what is undecided stays until it is decided
            "events": _oldest(EVENTS.c.received_at, EVENTS.c.group_id.is_not(None)).returning(
                EVENTS.c.sequence
            ),
            "tallies": _oldest(TALLIES.c.hour),
            "groups": _oldest(
                GROUPS.c.last_seen,
                ~_any(DELIVERIES.c.group_id == GROUPS.c.id, DELIVERIES.c.settled_at.is_(None)),
                ~_any(EVENTS.c.group_id == GROUPS.c.id),
            ).returning(GROUPS.c.id, GROUPS.c.times_seen),
            "deliveries": _deliveries(),
            "storms": _oldest(STORMS.c.last_at, ~_any(DELIVERIES.c.storm == STORMS.c.id)),
            "audit": _oldest(AUDIT.c.at),
            "silences": _oldest(SILENCES.c.ends_at),
            "revisions": _followed(),
        }
        self.oldest = {kind: Statement(clause, dialect) for kind, clause in oldest.items()}
        self.of_group = [
            Statement(delete(table).where(table.c.group_id == bindparam("id")), dialect)
            for table in (AUDIENCES, GROUP_FINGERPRINTS, THREADS)
        ]


def _oldest(moment: Column[Any], *conditions: ColumnElement[bool]) -> Delete:
    table: Table = moment.table
    keys = list(table.primary_key)
    found = (
        select(*keys)
        .where(moment < bindparam("before"), *conditions)
        .order_by(moment)
        .limit(bindparam("limit"))
        .with_for_update(skip_locked=True)  # what another is writing is not that old any more
    )
    return delete(table).where(tuple_(*keys).in_(found) if len(keys) > 1 else keys[0].in_(found))


def _deliveries() -> ClauseElement:
    """What one carries is told by it: it is the last of them to go."""
    carried = DELIVERIES.alias("carried")
    alone = ~_any(carried.c.carrier == DELIVERIES.c.id)
    return _oldest(DELIVERIES.c.settled_at, alone).returning(DELIVERIES.c.state)


def _followed() -> Delete:
    """Revisions that were followed by another before that moment: none that was in force since."""
    sequence = RULES_REVISIONS.c.sequence
    then = select(func.max(sequence)).where(RULES_REVISIONS.c.loaded_at < bindparam("before"))
    found = select(sequence).where(sequence < then.scalar_subquery()).order_by(sequence)
    return delete(RULES_REVISIONS).where(sequence.in_(found.limit(bindparam("limit"))))


def _any(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return select(1).where(*conditions).exists()
