"""Checksums for archives, and which text a participant agreed to."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the columns; a photo without a checksum gets it when it is needed."""
    op.add_column("photo", sa.Column("crc32", sa.BigInteger(), nullable=True))
    op.add_column("selfie", sa.Column("consent_version", sa.Text(), nullable=True))
