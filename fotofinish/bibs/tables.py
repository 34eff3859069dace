"""The table of bib tags: one row a number on a photo, in the order in which it is handed out.

`captured_at` and `extension` repeat the photo's, so that the search of one bib reads one covering
index and nothing else. `visible`: the photo is not hidden, and was ready at least once.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from fotofinish.database.metadata import metadata

bib_tag = Table(
    "bib_tag",
    metadata,
    Column("photo_id", Uuid, ForeignKey("photo.id", ondelete="CASCADE"), primary_key=True),
    Column("bib", Text, primary_key=True),
    Column("event_id", ForeignKey("event.id", ondelete="CASCADE"), nullable=False),
    Column("confidence", Float, nullable=False),
    Column("box", ARRAY(Float)),
    Column("source", Text, nullable=False, server_default=text("'read'")),
    Column("captured_at", DateTime(timezone=True)),
    Column("extension", Text, nullable=False),
    Column("visible", Boolean, nullable=False, server_default=text("true")),
    CheckConstraint("source in ('read', 'hand', 'linked')", name="source_known"),
    Index(
        "ix_bib_tag_search",
        "event_id",
        "bib",
        "captured_at",
        "photo_id",
        postgresql_include=["extension"],
        postgresql_where=text("visible"),
    ),
    # for what also asks of hidden photos: else a small event's pages read all events' tags
    Index("ix_bib_tag_event", "event_id", "bib"),
    Index("ix_bib_tag_linked", "event_id", "bib", postgresql_where=text("source = 'linked'")),
)

# numbers that somebody said are not on a photo: they stay away when it is read again
bib_refusal = Table(
    "bib_refusal",
    metadata,
    Column("photo_id", Uuid, ForeignKey("photo.id", ondelete="CASCADE"), primary_key=True),
    Column("bib", Text, primary_key=True),
    Column("event_id", ForeignKey("event.id", ondelete="CASCADE"), nullable=False, index=True),
)
