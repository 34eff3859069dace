"""What every test may ask for: a real PostgreSQL, and the real photos, where they are at hand."""

from __future__ import annotations

import shutil
import ssl
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import expect
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from fotofinish.database import embedded
from fotofinish.database.connection import Database
from fotofinish.database.migrate import migrate

pytest_plugins = ["tests.s3_server"]

# pages of tests are waited for longer than people would: machines of tests are busy
expect.set_options(timeout=15_000)

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session", autouse=True)
def certificates_read_once() -> Iterator[None]:
    """Each HTTP client would read all of them, which takes longer than most requests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", cache(ssl.create_default_context))
        yield


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
def migrated(postgres: str) -> Iterator[str]:
    """The name of a migrated database that others are copied from."""
    with _made_database(postgres, "template0") as made:
        migrate(made.dsn)
        yield conninfo_to_dict(made.dsn)["dbname"]


@pytest.fixture(scope="module")
def database(postgres: str, migrated: str) -> Iterator[Database]:
    """A migrated database of this module's own: each test makes its own organisation.

    Not shared further, as the queue is one for all: a worker or a count of one module would meet
    the jobs of another, in an order that changes from run to run.
    """
    with _made_database(postgres, migrated) as made:
        yield made


@pytest.fixture
def empty_database(postgres: str) -> Iterator[Database]:
    """A database of its own, without any tables."""
    with _made_database(postgres, "template0") as made:
        yield made


@contextmanager
def _made_database(postgres: str, template: str) -> Iterator[Database]:
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"create database {name} template {template}")
    yield Database(make_conninfo(postgres, dbname=name))
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")
