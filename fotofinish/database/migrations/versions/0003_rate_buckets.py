"""How many requests each key may still make."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the buckets, half empty pages so that they are written in place."""
    op.create_table(
        "rate_bucket",
        sa.Column("key_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("tokens", sa.Float(), nullable=False),
        sa.Column("granted", sa.Float(), nullable=False),
        sa.Column("filled_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["key_id"], ["api_key.id"], name=op.f("fk_rate_bucket_key_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key_id", "kind", name=op.f("pk_rate_bucket")),
        prefixes=["UNLOGGED"],
    )
    op.execute("alter table rate_bucket set (fillfactor = 50)")
