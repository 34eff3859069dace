"""Bring the schema up to date, under a lock, so that many processes may start at once."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
from psycopg.errors import FeatureNotSupported, InsufficientPrivilege, UndefinedFile

from fotofinish.errors import StorageError

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 0x466F746F  # "Foto": any number, the same in every process


def migrate(dsn: str) -> bool:
    """Apply what is missing; says whether there was anything. One process works, others wait.

    Raises StorageError for a database of a newer version, one that keeps no UTF-8, or one where
    this role may not do it.
    """
    with psycopg.connect(dsn, autocommit=True) as connection:
        _refuse_other_encodings(connection)
        if _is_up_to_date(connection):
            return False
        connection.execute("select pg_advisory_lock(%s)", [LOCK])
        try:
            if _is_up_to_date(connection):
                return False
            _ensure_pgvector(connection)
            _upgrade(dsn)
        finally:
            connection.execute("select pg_advisory_unlock(%s)", [LOCK])
    return True


def latest_revision() -> str:
    """The newest revision of this version of the code, from the file names: `0001_….py`."""
    return max(_known_revisions())


def current_revision(connection: psycopg.Connection) -> str | None:
    """The revision the database is at; None for an empty one."""
    table = connection.execute("select to_regclass('alembic_version')").fetchone()
    if table is None or table[0] is None:
        return None
    row = connection.execute("select version_num from alembic_version").fetchone()
    return str(row[0]) if row else None


def _known_revisions() -> set[str]:
    return {
        match[1]
        for path in (MIGRATIONS / "versions").iterdir()
        if (match := re.match(r"(\d{4})_\w+\.py$", path.name))
    }


def _is_up_to_date(connection: psycopg.Connection) -> bool:
    current = current_revision(connection)
    if current is not None and current not in _known_revisions():
        raise StorageError(
            f"The database is of a newer version of Fotofinish (its revision is {current}, this "
            f"version knows those up to {latest_revision()}). Start the newer version, or restore "
            "the backup from before it."
        )
    return current == latest_revision()


def _refuse_other_encodings(connection: psycopg.Connection) -> None:
    encoding = connection.info.parameter_status("server_encoding")
    if encoding not in ("UTF8", None):  # None: a proxy between us may keep it to itself
        raise StorageError(
            f"The database in FOTOFINISH_DATABASE_URL keeps its text in {encoding}, and names need "
            "UTF8. Make another with \"create database … encoding 'UTF8' template template0\", and "
            "name that."
        )


def _ensure_pgvector(connection: psycopg.Connection) -> None:
    try:
        connection.execute("create extension if not exists vector")
    except InsufficientPrivilege:
        raise StorageError(
            "The role of FOTOFINISH_DATABASE_URL may not add pgvector to the database. Have an "
            "administrator run 'create extension vector' in it once, and start again."
        ) from None
    except (FeatureNotSupported, UndefinedFile):
        raise StorageError(
            "The PostgreSQL of FOTOFINISH_DATABASE_URL has no pgvector. Install it there (packages "
            "call it postgresql-…-pgvector), and start again."
        ) from None
    found = connection.execute(
        "select extversion from pg_extension"
        " where extname = 'vector' and to_regtype('halfvec') is null"
    ).fetchone()
    if found is not None:
        raise StorageError(
            f"The pgvector of the database is of version {found[0]} and has no type halfvec: 0.7 "
            "or later is needed. Install that, have an administrator run 'alter extension vector "
            "update' in the database, and start again."
        )


def _upgrade(dsn: str) -> None:
    # imported here: most commands find nothing to do, and Alembic takes a third of a second
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine
    from sqlalchemy.exc import ProgrammingError
    from sqlalchemy.pool import NullPool

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(dsn), poolclass=NullPool
    )
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except ProgrammingError as error:
        if not isinstance(error.orig, InsufficientPrivilege):
            raise
        raise StorageError(
            "The role of FOTOFINISH_DATABASE_URL may not make tables in the database. Have an "
            "administrator make it the database's owner ('alter database … owner to …'), and "
            "start again."
        ) from None
    engine.dispose()
