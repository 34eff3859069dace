"""The database of a command, for as long as it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import typer
from psycopg import AsyncConnection

from fotofinish.database import embedded
from fotofinish.database.connection import Database, open_connection, open_database, place_of
from fotofinish.errors import NotFound
from fotofinish.settings import Settings, load_settings

T = TypeVar("T")


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """The database; that it was made just now is told, and where something was not found.

    A command that runs in another folder works with another one, unless the settings say which.
    """
    new = settings.embedded_database and not embedded.is_made(settings.data_dir)
    with open_database(settings) as database:
        if new:
            folder = settings.data_dir.resolve()
            told = (
                f"A new database was made in {folder} (FOTOFINISH_DATA_DIR names another folder)."
            )
            typer.echo(told, err=True)
        try:
            yield database
        except NotFound as error:
            place = place_of(settings, database)
            raise NotFound(f"{error.message} This is {place}.") from None


async def connected(database: Database, call: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """One action with a connection of its own."""
    async with open_connection(database) as connection:
        return await call(connection)


def with_connection(call: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """Run one database action of a short command."""
    with opened(load_settings()) as database:
        return asyncio.run(connected(database, call))
