"""The bib tags of an event are found without reading those of all others."""

from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Index them all: the other indexes leave out hidden photos, or all but links."""
    op.create_index("ix_bib_tag_event", "bib_tag", ["event_id", "bib"])
