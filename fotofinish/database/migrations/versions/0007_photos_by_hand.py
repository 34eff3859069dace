"""What people say of photos: where they lay, what is up, and which numbers are not on them."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the columns, the refused numbers, and the order of all photos of an event."""
    op.add_column(
        "photo", sa.Column("folder", sa.Text(), server_default=sa.text("''"), nullable=False)
    )
    op.add_column(
        "photo",
        sa.Column("turned", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.create_check_constraint(op.f("ck_photo_turned_range"), "photo", "turned between 0 and 3")
    op.add_column(
        "upload", sa.Column("folder", sa.Text(), server_default=sa.text("''"), nullable=False)
    )
    op.create_index(
        "ix_photo_order",
        "photo",
        ["event_id", sa.text("coalesce(captured_at, 'infinity')"), "id"],
        postgresql_include=["state", "hidden", "folder"],
    )
    op.create_table(
        "bib_refusal",
        sa.Column("photo_id", sa.Uuid(), nullable=False),
        sa.Column("bib", sa.Text(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["photo_id"], ["photo.id"], name=op.f("fk_bib_refusal_photo_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_bib_refusal_event_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("photo_id", "bib", name=op.f("pk_bib_refusal")),
    )
    op.create_table(
        "photo_gone",
        sa.Column("photo_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("extension", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("photo_id", name=op.f("pk_photo_gone")),
    )
    op.create_index(op.f("ix_bib_refusal_event_id"), "bib_refusal", ["event_id"])
