"""Photos that failed: which, why, and once more into the queue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from procrastinate import App
from psycopg import AsyncConnection
from psycopg.rows import class_row

from fotofinish.faces.matching import lock_for_photo
from fotofinish.queue import defer_processing


@dataclass(frozen=True, slots=True)
class FailedPhoto:
    """A photo that could not be processed, and the reason for its photographer."""

    id: UUID
    name: str
    reason: str


async def list_failed(
    connection: AsyncConnection, event_id: int, *, limit: int | None = None
) -> list[FailedPhoto]:
    """The event's failed photos, the latest first; all of them without a limit."""
    async with connection.cursor(row_factory=class_row(FailedPhoto)) as cursor:
        await cursor.execute(
            """select id, name, coalesce(reason, '') as reason from photo
               where event_id = %s and state = 'failed'
               order by processed_at desc nulls last, id limit %s""",
            [event_id, limit],
        )
        return await cursor.fetchall()


async def retry_failed(
    connection: AsyncConnection,
    queue: App,
    event_id: int,
    photo_ids: Sequence[UUID] | None = None,
) -> int:
    """Queue failed photos of an event again, all or these; says how many.

    State and job are committed together, so that no photo waits for a job that never was.
    """
    async with connection.transaction():
        await lock_for_photo(connection, event_id)
        cursor = await connection.execute(
            """with failed as (
                 select id from photo
                 where event_id = %(event)s and state = 'failed'
                   and (%(ids)s::uuid[] is null or id = any(%(ids)s))
                 order by id for no key update)
               update photo set state = 'waiting', reason = null
               from failed where photo.id = failed.id and photo.state = 'failed'
               returning photo.id""",
            {"event": event_id, "ids": None if photo_ids is None else list(photo_ids)},
        )
        again = [row[0] for row in await cursor.fetchall()]
        await defer_processing(queue, connection, again)
    return len(again)
