"""Searches and downloads of an event, counted by the hour."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Create the counts."""
    op.create_table(
        "event_use",
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("uses", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_event_use_event_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("event_id", "hour", "kind", name=op.f("pk_event_use")),
    )
