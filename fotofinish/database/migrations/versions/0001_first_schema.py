"""The first schema: organisations, events, photos, bibs, faces, and the job queue."""

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager
from sqlalchemy.dialects import postgresql

from fotofinish.database.metadata import HalfVector

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create everything."""
    op.execute("create extension if not exists vector")
    create_tables()
    # without SQLAlchemy's reading of colons and percent signs: the script is procrastinate's own
    op.get_bind().exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"))


def create_tables() -> None:
    """The tables as `tables.py` of each feature declared them at this revision."""
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("email", name=op.f("uq_account_email")),
    )
    op.create_table(
        "organisation",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("id > 0", name=op.f("ck_organisation_id_positive")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by"], ["account.id"], name=op.f("fk_api_key_created_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("fk_api_key_org_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_key_digest")),
    )
    op.create_index(op.f("ix_api_key_org_id"), "api_key", ["org_id"], unique=False)
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(), nullable=False),
        sa.Column("time_zone", sa.Text(), server_default=sa.text("'UTC'"), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'active'"), nullable=False),
        sa.Column("event_enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("bib_search", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("selfie_search", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("name_search", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("match_threshold", sa.Float(), nullable=True),
        sa.Column("retention_days", sa.Integer(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "status in ('draft', 'active', 'archived')", name=op.f("ck_event_status_known")
        ),
        sa.CheckConstraint("id > 0", name=op.f("ck_event_id_positive")),
        sa.CheckConstraint(
            "match_threshold between 0 and 1", name=op.f("ck_event_match_threshold_range")
        ),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("fk_event_org_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("slug", name=op.f("uq_event_slug")),
    )
    op.create_index(
        "ix_event_org_id_starts_at",
        "event",
        ["org_id", sa.literal_column("starts_at desc"), sa.literal_column("id desc")],
        unique=False,
    )
    op.create_table(
        "membership",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "role in ('owner', 'editor', 'viewer')", name=op.f("ck_membership_role_known")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name=op.f("fk_membership_account_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("fk_membership_org_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "org_id", name=op.f("pk_membership")),
    )
    op.create_table(
        "session",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_session_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_session")),
    )
    op.create_index(op.f("ix_session_account_id"), "session", ["account_id"], unique=False)
    op.create_table(
        "photo",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("extension", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("captured_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("capture_offset", sa.SmallInteger(), nullable=True),
        sa.Column("state", sa.Text(), server_default=sa.text("'waiting'"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("hidden", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("processed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state in ('waiting', 'processing', 'ready', 'failed')",
            name=op.f("ck_photo_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_photo_event_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photo")),
    )
    op.create_index("ix_photo_event_id_state", "photo", ["event_id", "state"], unique=False)
    op.create_index(
        "ix_photo_gallery",
        "photo",
        ["event_id", "captured_at", "id"],
        unique=False,
        postgresql_include=["extension", "width", "height"],
        postgresql_where=sa.text("state = 'ready' and not hidden"),
    )
    op.create_index("uq_photo_event_id_sha256", "photo", ["event_id", "sha256"], unique=True)
    op.create_table(
        "selfie",
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("embedding", HalfVector(), nullable=True),
        sa.Column("threshold", sa.Float(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("consented_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_selfie_event_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("event_id", "id", name=op.f("pk_selfie")),
    )
    op.create_index(op.f("ix_selfie_expires_at"), "selfie", ["expires_at"], unique=False)
    op.create_table(
        "startlist_entry",
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("bib", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_startlist_entry_event_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("event_id", "bib", name=op.f("pk_startlist_entry")),
    )
    op.create_table(
        "bib_tag",
        sa.Column("photo_id", sa.Uuid(), nullable=False),
        sa.Column("bib", sa.Text(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("box", postgresql.ARRAY(sa.Float()), nullable=True),
        sa.Column("source", sa.Text(), server_default=sa.text("'read'"), nullable=False),
        sa.Column("captured_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("extension", sa.Text(), nullable=False),
        sa.Column("visible", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.CheckConstraint(
            "source in ('read', 'hand', 'linked')", name=op.f("ck_bib_tag_source_known")
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_bib_tag_event_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["photo_id"], ["photo.id"], name=op.f("fk_bib_tag_photo_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("photo_id", "bib", name=op.f("pk_bib_tag")),
    )
    op.create_index(
        "ix_bib_tag_search",
        "bib_tag",
        ["event_id", "bib", "captured_at", "photo_id"],
        unique=False,
        postgresql_include=["extension"],
        postgresql_where=sa.text("visible"),
    )
    op.create_table(
        "face",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("photo_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("box", postgresql.ARRAY(sa.Float()), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("quality", sa.Float(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("embedding", HalfVector(), nullable=True),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_face_event_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["photo_id"], ["photo.id"], name=op.f("fk_face_photo_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_face")),
    )
    op.create_index("ix_face_event_id", "face", ["event_id", "model"], unique=False)
    op.create_index("ix_face_photo_id", "face", ["photo_id"], unique=False)
    op.create_table(
        "selfie_match",
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("selfie_id", sa.Uuid(), nullable=False),
        sa.Column("photo_id", sa.Uuid(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("captured_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("extension", sa.Text(), nullable=False),
        sa.Column("visible", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id", "selfie_id"],
            ["selfie.event_id", "selfie.id"],
            name=op.f("fk_selfie_match_event_id_selfie_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["photo_id"], ["photo.id"], name=op.f("fk_selfie_match_photo_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("event_id", "selfie_id", "photo_id", name=op.f("pk_selfie_match")),
    )
    op.create_index("ix_selfie_match_photo_id", "selfie_match", ["photo_id"], unique=False)
    op.create_index(
        "ix_selfie_match_search",
        "selfie_match",
        ["event_id", "selfie_id", "captured_at", "photo_id"],
        unique=False,
        postgresql_include=["extension"],
        postgresql_where=sa.text("visible"),
    )
