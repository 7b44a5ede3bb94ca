"""How fast each receiver is told, and which deliveries another one carries."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("carrier", sa.String(), nullable=True))
    op.create_index(
        "deliveries_of_carrier",
        "deliveries",
        ["carrier"],
        unique=False,
        sqlite_where=sa.text("carrier IS NOT NULL"),
        postgresql_where=sa.text("carrier IS NOT NULL"),
    )
    op.create_table(
        "buckets",
        sa.Column("receiver", sa.String(), nullable=False),
        sa.Column("tokens", sa.Float(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("receiver"),
    )
