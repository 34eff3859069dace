"""A number by hand shows no photo that was never read: there is no preview of it."""

from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Take those that are waited for, or could not be read, out of the searches."""
    op.execute(
        """update bib_tag set visible = false from photo
           where photo.id = bib_tag.photo_id and photo.state <> 'ready' and photo.width is null
             and bib_tag.visible"""
    )
