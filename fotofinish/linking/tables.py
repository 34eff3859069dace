"""The table of photos whose links are to be looked at (again).

Triggers on `face` and `bib_tag` (migration 0005) write it, so that every way to change a photo is
covered: a row is a photo that has new or changed evidence, or (`bib`) a bib that lost some.
"""

from sqlalchemy import BigInteger, Column, Identity, Index, Table, Text, Uuid

from fotofinish.database.metadata import metadata

# no foreign keys: rows are left behind by photos and events that are being deleted
link_due = Table(
    "link_due",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("event_id", BigInteger, nullable=False),
    Column("photo_id", Uuid, nullable=False),
    Column("bib", Text),
    Index("ix_link_due_event_id", "event_id", "id"),
)
