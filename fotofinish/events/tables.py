"""Tables of events and start lists."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    func,
    text,
)

from fotofinish.database.metadata import metadata

event = Table(
    "event",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("org_id", ForeignKey("organisation.id", ondelete="CASCADE"), nullable=False),
    Column("slug", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("starts_at", DateTime(timezone=False), nullable=False),
    Column("time_zone", Text, nullable=False, server_default=text("'UTC'")),
    Column("status", Text, nullable=False, server_default=text("'active'")),
    Column("event_enabled", Boolean, nullable=False, server_default=text("true")),
    Column("bib_search", Boolean, nullable=False, server_default=text("true")),
    Column("selfie_search", Boolean, nullable=False, server_default=text("true")),
    Column("name_search", Boolean, nullable=False, server_default=text("false")),
    Column("link_faces", Boolean, nullable=False, server_default=text("true")),
    Column("match_threshold", Float),
    Column("retention_days", Integer),
    Column("startlist_version", Integer, nullable=False, server_default=text("0")),
    Column("created_at", DateTime(timezone=True), server_default=func.now(), nullable=False),
    CheckConstraint("id > 0", name="id_positive"),
    CheckConstraint("status in ('draft', 'active', 'archived')", name="status_known"),
    CheckConstraint("match_threshold between 0 and 1", name="match_threshold_range"),
    Index("ix_event_org_id_starts_at", "org_id", text("starts_at desc"), text("id desc")),
)

startlist_entry = Table(
    "startlist_entry",
    metadata,
    Column("event_id", ForeignKey("event.id", ondelete="CASCADE"), primary_key=True),
    Column("bib", Text, primary_key=True),
    Column("name", Text),
    # for numbers written with or without the list's white space and hyphens
    Index("ix_startlist_entry_plain", "event_id", text("replace(replace(bib, ' ', ''), '-', '')")),
)

# what the organiser decided about the gallery; an event without a row has the defaults
event_gallery = Table(
    "event_gallery",
    metadata,
    Column("event_id", ForeignKey("event.id", ondelete="CASCADE"), primary_key=True),
    Column("access", Text, nullable=False),
    Column("link_token", Text),
    Column("code_hash", Text),
    Column("downloads", Text, nullable=False),
    Column("indexed", Boolean, nullable=False),
    Column("brand_name", Text, nullable=False),
    Column("brand_colour", Text, nullable=False),
    CheckConstraint("access in ('off', 'public', 'link', 'code')", name="access_known"),
    CheckConstraint("downloads in ('originals', 'previews', 'off')", name="downloads_known"),
)

# the mark on previews; photos whose `preview_version` is another one are rendered again
event_watermark = Table(
    "event_watermark",
    metadata,
    Column("event_id", ForeignKey("event.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("position", Text, nullable=False),
    Column("size", Float, nullable=False),
    Column("opacity", Float, nullable=False),
    Column("tiled", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    CheckConstraint("kind in ('none', 'text', 'logo')", name="kind_known"),
)

# pictures of the organiser's own, as PNG: "brand" for the gallery's head, "watermark"
event_picture = Table(
    "event_picture",
    metadata,
    Column("event_id", ForeignKey("event.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("png", LargeBinary, nullable=False),
    CheckConstraint("kind in ('brand', 'watermark')", name="kind_known"),
)

# deleted events whose photos may still lie in storage (or be put there by who was at work)
event_gone = Table(
    "event_gone",
    metadata,
    Column("event_id", BigInteger, primary_key=True, autoincrement=False),
    Column("gone_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("next_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

# how many searches each browser and network address may still try (`guesses.py`); unlogged: after a
# crash of the database the buckets are full again, and nothing else is lost
guess_bucket = Table(
    "guess_bucket",
    metadata,
    Column("event_id", ForeignKey("event.id", ondelete="CASCADE"), primary_key=True),
    Column("name", LargeBinary, primary_key=True),
    Column("tokens", Float, nullable=False),
    Column("granted", Float, nullable=False),
    Column("filled_at", DateTime(timezone=True), nullable=False),
    prefixes=["UNLOGGED"],
)

# searches and downloads of an hour (`uses.py`)
event_use = Table(
    "event_use",
    metadata,
    Column("event_id", ForeignKey("event.id", ondelete="CASCADE"), primary_key=True),
    Column("hour", DateTime(timezone=True), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("uses", BigInteger, nullable=False),
)
