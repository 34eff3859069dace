"""Connections to PostgreSQL: where it is, and pools to it. Migrations are in `migrate.py`."""

from __future__ import annotations

import contextlib
import os
import select
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import AsyncConnectionPool

from fotofinish.database import embedded
from fotofinish.database.migrate import migrate
from fotofinish.errors import StorageError
from fotofinish.settings import Settings

PATIENCE = 5.0  # seconds until a connection that cannot be had is given up
# a host that vanished without a word is noticed in half a minute; Linux alone takes up to two hours
NETWORK = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
# what libpq and PostgreSQL may say, in words of our own: around it may stand a piece of a password
# that has an @ or a / in it
REASONS = {
    "password authentication failed": "it refuses the password",
    "no pg_hba.conf entry": "its pg_hba.conf does not let this machine in",
    "does not exist": "it has no such database or user",
    "resolve host": "there is no such host; in a password, @ is written %40, and / %2F",
    "Connection refused": "nobody listens there",
    "timeout expired": "not in time",
    "No such file or directory": "there is no such socket",
    "too many clients": "it has too many connections",
    "connection slots are reserved": "it has too many connections",
    "too many connections": "it has too many connections",
    "starting up": "it is starting",
}

Pool = AsyncConnectionPool[AsyncConnection]


@dataclass(frozen=True, slots=True)
class Database:
    """A database that answers and whose schema is up to date; `dsn` is a libpq string."""

    dsn: str


@contextlib.contextmanager
def open_database(settings: Settings, *, migrated: bool = True) -> Iterator[Database]:
    """The database of these settings, started if embedded, and migrated.

    Raises StorageError when it cannot be reached; the message carries no password.
    """
    # psycopg reads no other form, which a role or a database may be set to; as `options` in the
    # address, PgBouncer before 1.20 would refuse it
    os.environ["PGDATESTYLE"] = "ISO"
    if settings.database_url is None:
        server = embedded.start(settings.data_dir)
        try:
            if migrated:
                migrate(server.dsn)
            yield Database(server.dsn)
        finally:
            server.close()
        return
    dsn = _normalised(settings.database_url.get_secret_value())
    try:
        if migrated:
            migrate(dsn)
    except psycopg.OperationalError as error:
        said = str(error)
        told = (reason for words, reason in REASONS.items() if words in said)
        raise StorageError(
            "The database in FOTOFINISH_DATABASE_URL does not answer "
            f"({next(told, type(error).__name__)}). Check host, port, name, user and password."
        ) from None
    yield Database(dsn)


def place_of(settings: Settings, database: Database) -> str:
    """Where the database of these settings is, for people; never who signs in, nor how."""
    if settings.embedded_database:
        folder = settings.data_dir.resolve()
        return f"the embedded database in {folder} (no FOTOFINISH_DATABASE_URL is set)"
    with psycopg.connect(database.dsn) as connection:  # it knows what libpq adds by itself
        found = connection.info
        return f"the database {found.dbname} at {found.host}, port {found.port}"


def _normalised(url: str) -> str:
    """A libpq string from the URL, whether or not it names a driver as SQLAlchemy's do."""
    scheme, separator, rest = url.partition("://")
    try:
        if separator and scheme.partition("+")[0] not in ("postgresql", "postgres"):
            raise psycopg.ProgrammingError
        url = f"postgresql://{rest}" if separator else url
        defaults = {
            name: value for name, value in NETWORK.items() if name not in conninfo_to_dict(url)
        }
        return make_conninfo(url, **defaults)
    except psycopg.ProgrammingError:
        raise StorageError(
            "FOTOFINISH_DATABASE_URL is not a PostgreSQL address; "
            "write postgresql://user:password@host:5432/name"
        ) from None


@contextlib.asynccontextmanager
async def open_pool(database: Database, *, size: int = 10) -> AsyncIterator[Pool]:
    """At most `size` connections in autocommit mode; a transaction is asked for by name.

    One that the server has left is not handed out: another takes its place.
    """

    async def check(connection: AsyncConnection) -> None:
        if _is_silent(connection):
            return
        try:
            await pool.check_connection(connection)
        except psycopg.Error:
            await pool.check()  # what ended this one has ended others
            raise

    pool: Pool = AsyncConnectionPool(
        database.dsn,
        min_size=1,
        max_size=size,
        open=False,
        kwargs={"autocommit": True},
        check=check,
        timeout=PATIENCE,
        reconnect_timeout=PATIENCE,
    )
    await pool.open()
    try:
        yield pool
    finally:
        await pool.close()


def _is_silent(connection: AsyncConnection) -> bool:
    """Whether the server has sent nothing unasked, as it does when it leaves; no round trip."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return not poll.poll(0)


@contextlib.asynccontextmanager
async def open_connection(database: Database) -> AsyncIterator[AsyncConnection]:
    """One connection in autocommit mode, for a command that needs no pool."""
    async with await AsyncConnection.connect(database.dsn, autocommit=True) as connection:
        yield connection
