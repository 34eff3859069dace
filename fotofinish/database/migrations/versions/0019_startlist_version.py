"""Which version of its start list an event has: workers load it again when that changes."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Add the column."""
    op.add_column(
        "event",
        sa.Column("startlist_version", sa.Integer(), server_default=sa.text("0"), nullable=False),
    )
