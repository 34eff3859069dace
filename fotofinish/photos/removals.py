"""“Remove this photo of me”: what participants ask, and what the organiser did about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from fotofinish.errors import InvalidValue, NotFound
from fotofinish.photos.changes import set_hidden
from fotofinish.photos.photos import lock_photos

MAX_MESSAGE = 1000
MAX_CONTACT = 200
MOST_OPEN = 5  # for one photo: a sixth says nothing new


@dataclass(frozen=True, slots=True)
class Removal:
    """A request that waits for an answer; `contact` may be empty."""

    id: int
    photo_id: UUID
    name: str
    hidden: bool
    drawn: int
    message: str
    contact: str
    created_at: datetime


async def ask_removal(
    connection: AsyncConnection, event_id: int, photo_id: UUID, message: str, contact: str
) -> None:
    """Note a request; raises NotFound for a photo that nobody sees, InvalidValue for long texts."""
    message, contact = _tidy(message), _tidy(contact)
    if len(message) > MAX_MESSAGE or len(contact) > MAX_CONTACT:
        raise InvalidValue("This text is too long.")
    cursor = await connection.execute(
        """select (select count(*) from removal_request
                   where photo_id = photo.id and state = 'open')
           from photo where id = %s and event_id = %s and width is not null and not hidden""",
        [photo_id, event_id],
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("There is no such photo.")
    if row[0] < MOST_OPEN:
        await connection.execute(
            """insert into removal_request (event_id, photo_id, message, contact)
               values (%s, %s, %s, %s)""",
            [event_id, photo_id, message, contact],
        )


async def list_removals(connection: AsyncConnection, event_id: int) -> list[Removal]:
    """The open requests, the oldest first."""
    async with connection.cursor(row_factory=class_row(Removal)) as cursor:
        await cursor.execute(
            """select request.id, photo_id, photo.name, photo.hidden, photo.drawn, message, contact,
                      request.created_at
               from removal_request request join photo on photo.id = photo_id
               where request.event_id = %s and request.state = 'open'
               order by request.id limit 500""",
            [event_id],
        )
        return await cursor.fetchall()


async def count_removals(connection: AsyncConnection, event_id: int) -> int:
    """How many requests are open."""
    cursor = await connection.execute(
        "select count(*) from removal_request where event_id = %s and state = 'open'", [event_id]
    )
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def settle_removal(
    connection: AsyncConnection, event_id: int, removal_id: int, *, hide: bool
) -> None:
    """Hide the photo, or keep it: all requests for it are answered. Raises NotFound."""
    async with connection.transaction():
        cursor = await connection.execute(
            """select photo_id from removal_request
               where id = %s and event_id = %s and state = 'open'""",
            [removal_id, event_id],
        )
        photo_ids = [row[0] for row in await cursor.fetchall()]
        # the photo before its requests: in this order a deletion takes them too
        if hide:
            await set_hidden(connection, event_id, photo_ids, hidden=True)
        else:
            await lock_photos(connection, event_id, photo_ids)
        cursor = await connection.execute(
            """update removal_request set state = %s
               where event_id = %s and photo_id = any(%s) and state = 'open'""",
            ["hidden" if hide else "kept", event_id, photo_ids],
        )
        if not cursor.rowcount:
            raise NotFound("There is no such request.")


def _tidy(text: str) -> str:
    return "".join(sign for sign in text if sign.isprintable() or sign == "\n").strip()
