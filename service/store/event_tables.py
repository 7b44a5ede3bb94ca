"""The tables of events: their ids, the bodies that are kept, how often they came."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
)

from service.store.metadata import METADATA

_NUMBER = BigInteger().with_variant(Integer, "sqlite")  # only so does SQLite count by itself

# Every event that came within the window in which it is counted once (service/store/event_ids.py).
# No index by time: keeping one up would cost each event more than a walk through all of it does.
EVENT_IDS = Table(
    "event_ids",
    METADATA,
    Column("project", String, nullable=False),
    Column("event_id", String, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("group_id", String),  # null: undecided
    PrimaryKeyConstraint("project", "event_id"),
    sqlite_with_rowid=False,
)
# The events whose bodies are kept: service/store/bodies.py says which, and in what form.
EVENTS = Table(
    "events",
    METADATA,
    Column("sequence", _NUMBER, primary_key=True, autoincrement=True),
    Column("project", String, nullable=False),
    Column("event_id", String, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("group_id", String),  # null: undecided
    Column("outcome", String, nullable=False),
    Column("body", LargeBinary, nullable=False),  # the Event record
    Column("decision", LargeBinary),  # as the API shows it
    Index("events_of_group", "group_id", "received_at", "event_id"),
    Index("events_by_time", "received_at"),
)
# How often each group came in each hour, by outcome.
TALLIES = Table(
    "tallies",
    METADATA,
    Column("hour", BigInteger, nullable=False),  # since 1970
    Column("group_id", String, nullable=False),
    Column("outcome", String, nullable=False),
    Column("n", BigInteger, nullable=False),
    PrimaryKeyConstraint("hour", "group_id", "outcome"),
    sqlite_with_rowid=False,
)
