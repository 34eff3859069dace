"""Organisations: who owns events, keys and photos."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg import AsyncConnection
from psycopg.errors import UniqueViolation
from psycopg.rows import class_row

from fotofinish.errors import Conflict, InvalidValue

MAX_ID = 2**63 - 1
MAX_GIVEN_ID = 2**53 - 1  # leaves room for those that follow; JavaScript's numbers hold it exactly
MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class Organisation:
    """One customer of this installation; everything else belongs to exactly one."""

    id: int
    name: str
    created_at: datetime


async def create_organisation(
    connection: AsyncConnection, name: str, *, id: int | None = None
) -> Organisation:
    """Make an organisation, with the id asked for or the next free one.

    Raises Conflict when the id is taken, InvalidValue when name or id do not fit.
    """
    name = name.strip()
    if not name:
        raise InvalidValue("An organisation needs a name.")
    if len(name) > MAX_NAME or any(character < " " for character in name):
        raise InvalidValue(f"A name has at most {MAX_NAME} characters, all on one line.")
    check_id(id)
    async with (
        connection.transaction(),
        connection.cursor(row_factory=class_row(Organisation)) as c,
    ):
        try:
            await c.execute(
                """insert into organisation (id, name) values (
                     coalesce(%s, nextval(pg_get_serial_sequence('organisation', 'id'))), %s)
                   returning id, name, created_at""",
                [id, name],
            )
        except UniqueViolation:
            raise Conflict(f"Organisation {id} exists already; choose another --id.") from None
        made = await c.fetchone()
        assert made is not None
        if id is not None:
            await c.execute(
                """select setval(pg_get_serial_sequence('organisation', 'id'),
                                 (select max(id) from organisation))"""
            )
    return made


def check_id(id: int | None) -> None:
    """Raise InvalidValue unless `id` is None or one that may be asked for."""
    if id is not None and not 0 < id <= MAX_GIVEN_ID:
        raise InvalidValue(f"An id is a positive whole number of at most {MAX_GIVEN_ID}.")
