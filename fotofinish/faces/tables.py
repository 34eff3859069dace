"""Tables of faces on photos, selfies, and which photos a selfie matched.

`captured_at`, `extension` and `visible` of a match repeat the photo's, as those of a bib tag do.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from fotofinish.database.metadata import HalfVector, metadata

face = Table(
    "face",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("photo_id", Uuid, ForeignKey("photo.id", ondelete="CASCADE"), nullable=False),
    Column("event_id", ForeignKey("event.id", ondelete="CASCADE"), nullable=False),
    Column("box", ARRAY(Float), nullable=False),
    Column("score", Float, nullable=False),
    Column("quality", Float, nullable=False),
    Column("model", Text, nullable=False),
    Column("embedding", HalfVector),
    # what it wears on this photo, if that is clear (`fotofinish/linking`)
    Column("bib", Text),
    Column("bib_unclear", Boolean, nullable=False, server_default=text("false")),
    Index("ix_face_photo_id", "photo_id"),
    Index("ix_face_event_id", "event_id", "model", "id"),
    Index("ix_face_bib", "event_id", "bib", postgresql_where=text("bib is not null")),
)

selfie = Table(
    "selfie",
    metadata,
    Column("event_id", ForeignKey("event.id", ondelete="CASCADE"), primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("model", Text, nullable=False),
    Column("embedding", HalfVector),
    Column("threshold", Float, nullable=False),
    Column("created_at", DateTime(timezone=True), server_default=func.now(), nullable=False),
    Column("consented_at", DateTime(timezone=True)),
    Column("consent_version", Text),
    Column("expires_at", DateTime(timezone=True), nullable=False, index=True),
)

selfie_match = Table(
    "selfie_match",
    metadata,
    Column("event_id", BigInteger, primary_key=True),
    Column("selfie_id", Uuid, primary_key=True),
    Column("photo_id", Uuid, ForeignKey("photo.id", ondelete="CASCADE"), primary_key=True),
    Column("score", Float, nullable=False),
    Column("captured_at", DateTime(timezone=True)),
    Column("extension", Text, nullable=False),
    Column("visible", Boolean, nullable=False, server_default=text("true")),
    # found by the bib that the selfie's person wears, not by the face
    Column("linked", Boolean, nullable=False, server_default=text("false")),
    ForeignKeyConstraint(
        ["event_id", "selfie_id"], ["selfie.event_id", "selfie.id"], ondelete="CASCADE"
    ),
    Index("ix_selfie_match_photo_id", "photo_id"),
    Index(
        "ix_selfie_match_search",
        "event_id",
        "selfie_id",
        "captured_at",
        "photo_id",
        postgresql_include=["extension"],
        postgresql_where=text("visible"),
    ),
)
