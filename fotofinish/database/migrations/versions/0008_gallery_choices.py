"""What organisers decide about galleries, and the mark on previews."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the tables; photos have previews of version 0, without a mark."""
    op.create_table(
        "event_gallery",
        _event_id(),
        sa.Column("access", sa.Text(), nullable=False),
        sa.Column("link_token", sa.Text(), nullable=True),
        sa.Column("code_hash", sa.Text(), nullable=True),
        sa.Column("downloads", sa.Text(), nullable=False),
        sa.Column("indexed", sa.Boolean(), nullable=False),
        sa.Column("brand_name", sa.Text(), nullable=False),
        sa.Column("brand_colour", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "access in ('off', 'public', 'link', 'code')",
            name=op.f("ck_event_gallery_access_known"),
        ),
        sa.CheckConstraint(
            "downloads in ('originals', 'previews', 'off')",
            name=op.f("ck_event_gallery_downloads_known"),
        ),
        _of_event("event_gallery"),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_event_gallery")),
    )
    op.create_table(
        "event_watermark",
        _event_id(),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("size", sa.Float(), nullable=False),
        sa.Column("opacity", sa.Float(), nullable=False),
        sa.Column("tiled", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind in ('none', 'text', 'logo')", name=op.f("ck_event_watermark_kind_known")
        ),
        _of_event("event_watermark"),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_event_watermark")),
    )
    op.create_table(
        "event_picture",
        _event_id(),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("png", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "kind in ('brand', 'watermark')", name=op.f("ck_event_picture_kind_known")
        ),
        _of_event("event_picture"),
        sa.PrimaryKeyConstraint("event_id", "kind", name=op.f("pk_event_picture")),
    )
    op.add_column(
        "photo",
        sa.Column("preview_version", sa.Integer(), server_default=sa.text("0"), nullable=False),
    )


def _event_id() -> sa.Column[int]:
    return sa.Column("event_id", sa.BigInteger(), nullable=False)


def _of_event(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["event_id"], ["event.id"], name=op.f(f"fk_{table}_event_id"), ondelete="CASCADE"
    )
