"""Indexes by which what is past its time is found; indexes by words; how far those are."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0012"

_FTS5 = "tokenize = 'ascii', detail = none, columnsize = 0, prefix = '2 3 4'"


def upgrade() -> None:
    op.create_index("deliveries_settled", "deliveries", ["settled_at"])
    op.create_index("audit_by_time", "audit", ["at"])
    op.create_index("fingerprints_of_group", "group_fingerprints", ["group_id"])
    op.create_table(
        "progress",
        sa.Column("work", sa.String(), nullable=False),
        sa.Column("upto", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("work"),
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"CREATE VIRTUAL TABLE event_words USING fts5(words, {_FTS5})")
        op.execute(
            f"CREATE VIRTUAL TABLE group_words USING fts5(group_id UNINDEXED, words, {_FTS5})"
        )
        return
    found = (
        "found TSVECTOR GENERATED ALWAYS AS (array_to_tsvector(string_to_array(words, ' '))) STORED"
    )
    rows = {
        "event_words": "words TEXT NOT NULL",
        "group_words": "group_id TEXT NOT NULL, words TEXT NOT NULL",
    }
    for name, columns in rows.items():
        op.execute(f"CREATE TABLE {name} (rowid BIGINT PRIMARY KEY, {columns}, {found})")
        op.execute(f"CREATE INDEX {name}_found ON {name} USING gin (found)")
