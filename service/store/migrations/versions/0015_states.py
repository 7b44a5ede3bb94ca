"""Indexes by which the newest settled deliveries of a state are found, and those told nowhere."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    _index("deliveries_in_state", ["state", "id"], "settled_at IS NOT NULL")
    _index("dead_ends", ["state"], "state = 'dead' AND fallback IS NULL")


def _index(name: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, "deliveries", columns, sqlite_where=where, postgresql_where=where)
