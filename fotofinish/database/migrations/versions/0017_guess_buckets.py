"""How many searches each browser and network address may still try in an event."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Create the buckets, half empty pages so that they are written in place."""
    op.create_table(
        "guess_bucket",
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("tokens", sa.Float(), nullable=False),
        sa.Column("granted", sa.Float(), nullable=False),
        sa.Column("filled_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_guess_bucket_event_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("event_id", "name", name=op.f("pk_guess_bucket")),
        prefixes=["UNLOGGED"],
    )
    op.execute("alter table guess_bucket set (fillfactor = 50)")
