"""The photos that are not ready, of all events, to be counted in a moment."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the index; it holds little, since photos do not stay in it."""
    op.create_index(
        "ix_photo_unready", "photo", ["state"], postgresql_where=sa.text("state <> 'ready'")
    )
