"""An event's faces are read page by page, in the order of their ids."""

from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Put the id into the index."""
    op.drop_index("ix_face_event_id", "face")
    op.create_index("ix_face_event_id", "face", ["event_id", "model", "id"])
