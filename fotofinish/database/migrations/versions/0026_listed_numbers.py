"""Numbers are found on start lists with or without white space and hyphens."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Index what is left of them without."""
    op.create_index(
        "ix_startlist_entry_plain",
        "startlist_entry",
        ["event_id", sa.text("replace(replace(bib, ' ', ''), '-', '')")],
    )
