"""What every test may ask for: a real PostgreSQL, and the real photos, where they are at hand."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from fotofinish.database import embedded
from fotofinish.database.connection import Database
from fotofinish.database.migrate import migrate

pytest_plugins = ["tests.s3_server"]

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real photos with true answers; tests that need it skip without it."""
    if not SHARED.is_dir():
        pytest.skip("the real photos (../shared/data) are not on this machine")
    return SHARED


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The libpq string of a real PostgreSQL with pgvector, for as long as the tests run."""
    folder = Path(tempfile.mkdtemp(prefix="ff-pg-"))  # a short path: sockets have a limit
    server = embedded.start(folder)
    yield server.dsn
    server.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def database(postgres: str) -> Database:
    """A migrated database, shared by the tests of a run: each makes its own organisation."""
    migrate(postgres)
    return Database(postgres)


@pytest.fixture
def empty_database(postgres: str) -> Iterator[Database]:
    """A database of its own, without any tables."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"create database {name}")
    yield Database(postgres.replace("dbname=fotofinish", f"dbname={name}"))
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")
