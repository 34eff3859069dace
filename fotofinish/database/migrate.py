"""Bring the schema up to date, under a lock, so that many processes may start at once."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 0x466F746F  # "Foto": any number, the same in every process


def migrate(dsn: str) -> bool:
    """Apply what is missing; says whether there was anything. One process works, others wait."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        if current_revision(connection) == latest_revision():
            return False
        connection.execute("select pg_advisory_lock(%s)", [LOCK])
        try:
            if current_revision(connection) == latest_revision():
                return False
            _upgrade(dsn)
        finally:
            connection.execute("select pg_advisory_unlock(%s)", [LOCK])
    return True


def latest_revision() -> str:
    """The newest revision of this version of the code, from the file names: `0001_….py`."""
    return max(
        match[1]
        for path in (MIGRATIONS / "versions").iterdir()
        if (match := re.match(r"(\d{4})_\w+\.py$", path.name))
    )


def current_revision(connection: psycopg.Connection) -> str | None:
    """The revision the database is at; None for an empty one."""
    table = connection.execute("select to_regclass('alembic_version')").fetchone()
    if table is None or table[0] is None:
        return None
    row = connection.execute("select version_num from alembic_version").fetchone()
    return str(row[0]) if row else None


def _upgrade(dsn: str) -> None:
    # imported here: most commands find nothing to do, and Alembic takes a third of a second
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(dsn), poolclass=NullPool
    )
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    engine.dispose()
