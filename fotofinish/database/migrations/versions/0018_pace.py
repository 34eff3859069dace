"""Photos of an event by when they were finished: how fast they are read."""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Create the index."""
    op.create_index("ix_photo_event_id_processed_at", "photo", ["event_id", "processed_at"])
