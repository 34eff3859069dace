"""Deleted events whose photos may still lie in storage."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Create the table; its rows live for a quarter of an hour."""
    op.create_table(
        "event_gone",
        sa.Column("event_id", sa.BigInteger(), autoincrement=False, nullable=False),
        *(
            sa.Column(
                name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
            )
            for name in ("gone_at", "next_at")
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_event_gone")),
    )
