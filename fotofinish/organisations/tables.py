"""Tables of organisations, people, their ways in, and keys."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    func,
    text,
)

from fotofinish.database.metadata import metadata

organisation = Table(
    "organisation",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("name", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), server_default=func.now(), nullable=False),
    CheckConstraint("id > 0", name="id_positive"),
)

account = Table(
    "account",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=func.gen_random_uuid()),
    Column("email", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), server_default=func.now(), nullable=False),
)

membership = Table(
    "membership",
    metadata,
    Column("account_id", ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    Column("org_id", ForeignKey("organisation.id", ondelete="CASCADE"), primary_key=True),
    Column("role", Text, nullable=False),
    CheckConstraint("role in ('owner', 'editor', 'viewer')", name="role_known"),
)

session = Table(
    "session",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("account_id", ForeignKey("account.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", DateTime(timezone=True), server_default=func.now(), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("id", Uuid, nullable=False, unique=True, server_default=func.gen_random_uuid()),
    Column("agent", Text, nullable=False, server_default=text("''")),
    Column("last_seen_at", DateTime(timezone=True), server_default=func.now(), nullable=False),
)

invitation = Table(
    "invitation",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=func.gen_random_uuid()),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("org_id", ForeignKey("organisation.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("role", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("created_by", ForeignKey("account.id", ondelete="SET NULL")),
    Column("created_at", DateTime(timezone=True), server_default=func.now(), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("role in ('owner', 'editor', 'viewer')", name="role_known"),
)

sign_in_attempt = Table(
    "sign_in_attempt",
    metadata,
    Column("name", LargeBinary, primary_key=True),
    Column("attempts", Integer, nullable=False),
    Column("ends_at", DateTime(timezone=True), nullable=False, index=True),
)

api_key = Table(
    "api_key",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("org_id", ForeignKey("organisation.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("prefix", Text, nullable=False),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    Column("created_by", ForeignKey("account.id", ondelete="SET NULL")),
    Column("created_at", DateTime(timezone=True), server_default=func.now(), nullable=False),
    Column("last_used_at", DateTime(timezone=True)),
)

# unlogged: after a crash of the database the buckets are full again, and nothing else is lost
rate_bucket = Table(
    "rate_bucket",
    metadata,
    Column("key_id", ForeignKey("api_key.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("tokens", Float, nullable=False),
    Column("granted", Float, nullable=False),
    Column("filled_at", DateTime(timezone=True), nullable=False),
    prefixes=["UNLOGGED"],
)
