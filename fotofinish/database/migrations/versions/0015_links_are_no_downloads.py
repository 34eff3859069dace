"""What was counted as a download so far was a link that was handed out."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Call it that; photos in ZIP archives were counted with them and cannot be told apart."""
    op.execute("update event_use set kind = 'link' where kind = 'download'")
