"""Tables of photos: one row an original, from the moment its bytes are safe; and their numbers.

A photo that was ready once has a width, and everybody sees it unless it is hidden, also while it is
read again. `photo_bucket` says how many such photos of an event were captured in each minute;
triggers keep it. Photos without a capture time are at `infinity`, by the first byte of their id. A
bucket is the sum of its rows: writers choose a `slot` so as not to wait for each other.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
    text,
)

from fotofinish.database.metadata import metadata

photo = Table(
    "photo",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("event_id", ForeignKey("event.id", ondelete="CASCADE"), nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    # of the original, for archives; none: not computed yet
    Column("crc32", BigInteger),
    Column("content_type", Text, nullable=False),
    Column("extension", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("folder", Text, nullable=False, server_default=text("''")),
    Column("width", Integer),
    Column("height", Integer),
    Column("captured_at", DateTime(timezone=True)),
    Column("capture_offset", SmallInteger),
    Column("state", Text, nullable=False, server_default=text("'waiting'")),
    Column("reason", Text),
    Column("hidden", Boolean, nullable=False, server_default=text("false")),
    Column("turned", SmallInteger, nullable=False, server_default=text("0")),
    # of the mark on the previews; -1: they are to be drawn again
    Column("preview_version", Integer, nullable=False, server_default=text("0")),
    # when previews were last drawn (Unix seconds, ever growing: links name it); 0: by a version
    # that made JPEGs, -1: so, and they cannot be drawn again
    Column("drawn", BigInteger, nullable=False, server_default=text("0")),
    Column("created_at", DateTime(timezone=True), server_default=func.now(), nullable=False),
    Column("processed_at", DateTime(timezone=True)),
    CheckConstraint("turned between 0 and 3", name="turned_range"),
    CheckConstraint("state in ('waiting', 'processing', 'ready', 'failed')", name="state_known"),
    Index("uq_photo_event_id_sha256", "event_id", "sha256", unique=True),
    Index("ix_photo_event_id_state", "event_id", "state"),
    Index("ix_photo_event_id_processed_at", "event_id", "processed_at"),
    Index(
        "ix_photo_order",
        "event_id",
        text("coalesce(captured_at, 'infinity')"),
        "id",
        postgresql_include=["state", "hidden", "folder"],
    ),
    Index(
        "ix_photo_old_previews",
        "event_id",
        postgresql_where=text("state = 'ready' and drawn = 0"),
    ),
    Index("ix_photo_unready", "state", postgresql_where=text("state <> 'ready'")),
    Index(
        "ix_photo_gallery",
        "event_id",
        text("coalesce(captured_at, 'infinity')"),
        "id",
        postgresql_include=["captured_at", "width", "height", "drawn"],
        postgresql_where=text("width is not null and not hidden"),
    ),
)

photo_bucket = Table(
    "photo_bucket",
    metadata,
    Column("event_id", ForeignKey("event.id", ondelete="CASCADE"), primary_key=True),
    Column("minute", DateTime(timezone=True), primary_key=True),
    Column("prefix", Uuid, primary_key=True),
    Column("slot", SmallInteger, primary_key=True),
    Column("photos", BigInteger, nullable=False),
)

# deleted photos whose objects are still to be deleted; it outlives their event
photo_gone = Table(
    "photo_gone",
    metadata,
    Column("photo_id", Uuid, primary_key=True),
    Column("event_id", BigInteger, nullable=False),
    Column("extension", Text, nullable=False),
)

# files on their way in from a browser; `received` bytes are safe
upload = Table(
    "upload",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("event_id", ForeignKey("event.id", ondelete="CASCADE"), nullable=False),
    Column("account_id", ForeignKey("account.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("folder", Text, nullable=False, server_default=text("''")),
    Column("size", BigInteger, nullable=False),
    Column("received", BigInteger, nullable=False, server_default=text("0")),
    Column("result", Text),
    Column("reason", Text),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("received between 0 and size", name="received_range"),
    Index("ix_upload_account_id", "account_id", "result"),
    Index("ix_upload_event_id", "event_id"),
    Index("ix_upload_expires_at", "expires_at"),
)

# files that browsers put into a bucket themselves; they outlive their event, as what lies in the
# bucket does. `multipart` is the store's name of an upload in parts, none for a file in one piece
direct_upload = Table(
    "direct_upload",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("event_id", BigInteger, nullable=False),
    Column("account_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("folder", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("multipart", Text),
    Column("result", Text),
    Column("reason", Text),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Index("ix_direct_upload_account_id", "account_id", "result"),
    Index("ix_direct_upload_event_id", "event_id"),
    Index("ix_direct_upload_expires_at", "expires_at"),
)

# participants who ask to have a photo removed, and what was answered
removal_request = Table(
    "removal_request",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("event_id", ForeignKey("event.id", ondelete="CASCADE"), nullable=False),
    Column("photo_id", ForeignKey("photo.id", ondelete="CASCADE"), nullable=False),
    Column("message", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'open'")),
    Column("created_at", DateTime(timezone=True), server_default=func.now(), nullable=False),
    CheckConstraint("state in ('open', 'hidden', 'kept')", name="state_known"),
    Index("ix_removal_request_event_id", "event_id", "state"),
    Index("ix_removal_request_photo_id", "photo_id"),
)
