"""Migrations and the tables that the code declares are one and the same schema."""

from __future__ import annotations

import threading

import psycopg
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
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
