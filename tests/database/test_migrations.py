"""Migrations and the tables that the code declares are one and the same schema."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from psycopg import sql
from psycopg.conninfo import make_conninfo
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from fotofinish.bibs import tables as bibs
from fotofinish.database.connection import Database
from fotofinish.database.metadata import metadata
from fotofinish.database.migrate import current_revision, latest_revision, migrate
from fotofinish.events import tables as events
from fotofinish.faces import tables as faces
from fotofinish.linking import tables as linking
from fotofinish.organisations import tables as organisations
from fotofinish.photos import tables as photos

DECLARED = (bibs, events, faces, linking, organisations, photos)


@pytest.fixture
def role(postgres: str) -> Iterator[str]:
    """A role that may do nothing but sign in."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(sql.SQL("create role {} login").format(sql.Identifier(name)))
        yield name
        connection.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))


def test_migrations_make_exactly_the_declared_tables(database: Database) -> None:
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(database.dsn), poolclass=NullPool
    )
    ours = {table.name for table in metadata.sorted_tables}
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_name": lambda name, kind, _: kind != "table" or name in ours,
                "compare_server_default": False,
            },
        )
        assert compare_metadata(context, metadata) == []


def test_many_processes_may_migrate_one_database_at_once(empty_database: Database) -> None:
    failures: list[BaseException] = []

    def run() -> None:
        try:
            migrate(empty_database.dsn)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with psycopg.connect(empty_database.dsn) as connection:
        assert current_revision(connection) == latest_revision()


def test_a_database_of_a_newer_version_is_refused_in_one_sentence(database: Database) -> None:
    with psycopg.connect(database.dsn) as connection:
        connection.execute("update alembic_version set version_num = '9999'")
    try:
        said = _refusal(database.dsn)
    finally:
        with psycopg.connect(database.dsn) as connection:
            connection.execute("update alembic_version set version_num = %s", [latest_revision()])
    assert "newer version of Fotofinish" in said
    assert "9999" in said


def test_a_role_that_may_not_do_it_is_told_what_to_have_run(
    empty_database: Database, role: str
) -> None:
    dsn = make_conninfo(empty_database.dsn, user=role, password="hunter2")
    assert "'create extension vector'" in _refusal(dsn)
    with psycopg.connect(empty_database.dsn) as connection:
        connection.execute("create extension vector")
    assert "may not make tables" in _refusal(dsn)


def test_a_pgvector_that_is_too_old_is_refused_with_how_to_update_it(
    empty_database: Database,
) -> None:
    with psycopg.connect(empty_database.dsn) as connection:
        connection.execute("create extension vector")
        connection.execute("alter type halfvec rename to what_0_6_does_not_have")
        connection.execute("update pg_extension set extversion = '0.6.2' where extname = 'vector'")
    said = _refusal(empty_database.dsn)
    assert "0.6.2" in said
    assert "'alter extension vector update'" in said


def test_a_database_that_keeps_no_utf_8_is_refused_with_how_to_make_one(postgres: str) -> None:
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"create database {name} encoding 'SQL_ASCII' template template0")
        try:
            dsn = make_conninfo(postgres, dbname=name)
            assert "encoding 'UTF8' template template0" in _refusal(dsn)
            looked = _fotofinish("doctor", dsn)
            assert "encoding 'UTF8' template template0" in looked.stdout
            assert "Traceback" not in looked.stderr
        finally:
            connection.execute(f"drop database {name} with (force)")


def _fotofinish(command: str, dsn: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fotofinish", command],
        env={**os.environ, "FOTOFINISH_DATABASE_URL": dsn},
        capture_output=True,
        text=True,
    )


def _refusal(dsn: str) -> str:
    """What `fotofinish migrate` says, which must fail, without a stack and without a password."""
    done = _fotofinish("migrate", dsn)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr
    return " ".join(done.stderr.split())
