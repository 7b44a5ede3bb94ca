"""Indexes by which what is past its time is found; indexes by words; how far those are."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_FTS5 = "tokenize = 'ascii', detail = none, columnsize = 0"


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
    op.execute("INSERT INTO progress (work, upto) VALUES ('search', 0)")
    if op.get_bind().dialect.name == "sqlite":
        _index_by_fts5()
    else:
        _index_by_tsvector()


def _index_by_fts5() -> None:
    op.execute(f"CREATE VIRTUAL TABLE event_words USING fts5(words, {_FTS5}, prefix = '2 3')")
    op.execute("CREATE VIRTUAL TABLE event_terms USING fts5vocab(event_words, instance)")
    op.execute(f"CREATE VIRTUAL TABLE group_words USING fts5(group_id UNINDEXED, words, {_FTS5})")


def _index_by_tsvector() -> None:
    words = "words TEXT NOT NULL"
    for name, columns in (
        ("event_words", words),
        ("group_words", f"group_id TEXT NOT NULL, {words}"),
    ):
        op.execute(
            f"CREATE TABLE {name} (rowid BIGINT PRIMARY KEY, {columns}, found TSVECTOR"
            " GENERATED ALWAYS AS (array_to_tsvector(string_to_array(words, ' '))) STORED)"
        )
        op.execute(f"CREATE INDEX {name}_found ON {name} USING gin (found)")
