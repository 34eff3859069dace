"""Files that browsers put into a bucket themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Create the table; its rows live for a week."""
    op.create_table(
        "direct_upload",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("multipart", sa.Text(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_direct_upload")),
    )
    op.create_index("ix_direct_upload_account_id", "direct_upload", ["account_id", "result"])
    op.create_index("ix_direct_upload_event_id", "direct_upload", ["event_id"])
    op.create_index("ix_direct_upload_expires_at", "direct_upload", ["expires_at"])
