"""The threshold of an escalation that an audience was told of."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column(
        "audiences", sa.Column("threshold", sa.Integer(), nullable=False, server_default="0")
    )
