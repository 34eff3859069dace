"""When previews were drawn: links to them name it, and older ones are JPEGs."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """All previews there are were drawn by an older version; workers draw them again."""
    op.add_column(
        "photo", sa.Column("drawn", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
    )
    op.create_index(
        "ix_photo_old_previews",
        "photo",
        ["event_id"],
        postgresql_where=sa.text("state = 'ready' and drawn = 0"),
    )
    op.drop_index("ix_photo_gallery", "photo")
    op.create_index(
        "ix_photo_gallery",
        "photo",
        ["event_id", sa.text("coalesce(captured_at, 'infinity')"), "id"],
        postgresql_include=["captured_at", "width", "height", "drawn"],
        postgresql_where=sa.text("state = 'ready' and not hidden"),
    )
