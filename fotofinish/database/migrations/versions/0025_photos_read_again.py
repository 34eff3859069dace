"""Photos that are read again stay in the gallery: they have previews, as they were ready once."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

SHOWN_BEFORE, SHOWN = "state = 'ready' and not hidden", "width is not null and not hidden"
FUNCTIONS = ("photo_bucket_add", "photo_bucket_change", "photo_bucket_remove")

FILL = f"""
insert into photo_bucket (event_id, minute, prefix, slot, photos)
select event_id, photo_bucket_minute(captured_at), photo_bucket_prefix(captured_at, id), 0, count(*)
from photo where {SHOWN} group by 1, 2, 3
"""  # noqa: S608 (constants)


def upgrade() -> None:
    """Make the index anew, the triggers count what it holds, and count once."""
    op.drop_index("ix_photo_gallery", "photo")
    op.create_index(
        "ix_photo_gallery",
        "photo",
        ["event_id", sa.text("coalesce(captured_at, 'infinity')"), "id"],
        postgresql_include=["captured_at", "width", "height", "drawn"],
        postgresql_where=sa.text(SHOWN),
    )
    connection = op.get_bind()
    for name in FUNCTIONS:
        written = connection.scalar(
            sa.text("select pg_get_functiondef(cast(:name as regproc))"), {"name": name}
        )
        connection.exec_driver_sql(written.replace(SHOWN_BEFORE, SHOWN).replace("%", "%%"))
    op.execute("delete from photo_bucket")
    op.execute(FILL)
