"""The ids of events apart from their bodies, of which not all are kept; counts by the hour."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0010"

_IDS = ("project", "event_id", "received_at", "group_id")
_EVENTS = (*_IDS, "outcome", "body", "decision")


def upgrade() -> None:
    op.create_table(
        "event_ids",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("group_id", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("project", "event_id"),
        sqlite_with_rowid=False,
    )
    _copy("events", "event_ids", _IDS, order="project, event_id")
    op.create_table(
        "tallies",
        sa.Column("hour", sa.BigInteger(), nullable=False),
        sa.Column("group_id", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "group_id", "outcome"),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO tallies (hour, group_id, outcome, n)"
        " SELECT received_at / 3600000000, group_id, outcome, count(*) FROM events"
        " WHERE group_id IS NOT NULL GROUP BY received_at / 3600000000, group_id, outcome"
    )
    op.execute("INSERT INTO ledger (book, name, n) SELECT 'kept', '', count(*) FROM events")
    for column in ("hour", "hour_seen"):
        op.add_column(
            "groups", sa.Column(column, sa.BigInteger(), nullable=False, server_default="0")
        )
    _rebuild_events()
    _rebuild_audiences()
    _rebuild_fingerprints()


def _rebuild_events() -> None:
    """In the order they came, under a number of their own."""
    op.create_table(
        "events_new",
        sa.Column(
            "sequence",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("group_id", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("decision", sa.LargeBinary(), nullable=True),
    )
    _copy("events", "events_new", _EVENTS, order="received_at, event_id")
    op.drop_table("events")
    op.rename_table("events_new", "events")
    op.create_index("events_of_group", "events", ["group_id", "received_at", "event_id"])
    op.create_index("events_by_time", "events", ["received_at"])


def _rebuild_audiences() -> None:
    op.create_table(
        "audiences_new",
        sa.Column("group_id", sa.String(), nullable=False),
        sa.Column("environment", sa.String(), nullable=False),
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("times_seen", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("last_notified_at", sa.BigInteger(), nullable=True),
        sa.Column("last_reason", sa.String(), nullable=True),
        sa.Column("threshold", sa.Integer(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("group_id", "environment", "team"),
        sqlite_with_rowid=False,
    )
    told = ("last_notified_at", "last_reason", "threshold")
    names = ("group_id", "environment", "team", "times_seen", "sequence", *told)
    _copy("audiences", "audiences_new", names, order="group_id, environment, team")
    op.drop_table("audiences")
    op.rename_table("audiences_new", "audiences")


def _rebuild_fingerprints() -> None:
    op.create_table(
        "fingerprints_new",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("group_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("project", "fingerprint"),
        sqlite_with_rowid=False,
    )
    names = ("project", "fingerprint", "group_id")
    _copy("group_fingerprints", "fingerprints_new", names, order="project, fingerprint")
    op.drop_table("group_fingerprints")
    op.rename_table("fingerprints_new", "group_fingerprints")


def _copy(source: str, target: str, names: tuple[str, ...], order: str) -> None:
    columns = ", ".join(names)
    op.execute(
        f"INSERT INTO {target} ({columns}) SELECT {columns} FROM {source} ORDER BY {order}"  # noqa: S608 names of ours
    )
