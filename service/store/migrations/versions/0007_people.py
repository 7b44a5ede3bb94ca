"""What people do to groups, and who did what; when releases were first seen."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("groups", sa.Column("resolved_in", sa.String(), nullable=True))
    op.add_column("groups", sa.Column("ignored", sa.LargeBinary(), nullable=True))
    op.add_column("groups", sa.Column("woken_at", sa.BigInteger(), nullable=True))
    op.add_column("groups", sa.Column("woken_for", sa.String(), nullable=True))
    op.add_column("groups", sa.Column("assigned", sa.String(), nullable=True))
    op.add_column("groups", sa.Column("moved_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "audit",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("detail", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("audit_of_subject", "audit", ["subject", "id"], unique=False)
    op.create_table(
        "releases",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("release", sa.String(), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project", "release"),
    )
    op.create_index("releases_newest", "releases", ["project", "first_seen"], unique=False)
