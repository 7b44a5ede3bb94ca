"""What several services on one database agree by: leases, sightings; the ledger in shards."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

# Compressed or sealed: another try would be in vain
_PACKED = (
    ("events", "body"),
    ("events", "decision"),
    ("artifacts", "content"),
    ("upstream_envelopes", "sealed"),
)


def upgrade() -> None:
    op.create_table(
        "leases",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "sightings",
        sa.Column("sequence", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("receiver", sa.String(), nullable=False),
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("environment", sa.String(), nullable=False),
        sa.Column("delivery", sa.String(), nullable=False),
        sa.Column("group_id", sa.String(), nullable=False),
        sa.Column("causes", sa.LargeBinary(), nullable=False),
        sa.Column("groups", sa.Integer(), nullable=False),
        sa.Column("within", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sequence"),
        sqlite_autoincrement=True,
    )
    op.create_index("sightings_by_age", "sightings", ["at"], unique=False)
    _shard_the_ledger()
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("audiences", "threshold", type_=sa.BigInteger())
        for table, column in _PACKED:
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL")


def _shard_the_ledger() -> None:
    op.create_table(
        "ledger_in_shards",
        sa.Column("book", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("book", "name", "shard"),
    )
    op.execute("INSERT INTO ledger_in_shards (book, name, n) SELECT book, name, n FROM ledger")
    op.drop_table("ledger")
    op.rename_table("ledger_in_shards", "ledger")
