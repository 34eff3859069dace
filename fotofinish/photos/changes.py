"""What people do with photos: hide them, turn them, have them read again."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from procrastinate import App
from psycopg import AsyncConnection

from fotofinish.photos.photos import lock_photos
from fotofinish.queue import defer_processing


async def set_hidden(
    connection: AsyncConnection, event_id: int, photo_ids: Sequence[UUID], *, hidden: bool
) -> int:
    """Hide photos from every search and list but the operator's, or show them; says how many."""
    values = {"event": event_id, "ids": list(photo_ids), "hidden": hidden}
    async with connection.transaction():
        await lock_photos(connection, event_id, photo_ids)
        cursor = await connection.execute(
            """update photo set hidden = %(hidden)s
               where event_id = %(event)s and id = any(%(ids)s) and hidden <> %(hidden)s""",
            values,
        )
        for table in ("bib_tag", "selfie_match"):
            await connection.execute(
                f"""update {table} set visible = not %(hidden)s and photo.width is not null
                    from photo
                    where {table}.event_id = %(event)s and photo_id = any(%(ids)s)
                      and visible = %(hidden)s and photo.id = photo_id""",  # noqa: S608 (names above)
                values,
            )
    return cursor.rowcount


async def turn_photos(
    connection: AsyncConnection,
    queue: App,
    event_id: int,
    photo_ids: Sequence[UUID],
    *,
    quarters: int,
) -> int:
    """Turn photos clockwise by quarters and queue them, since faces and numbers lie elsewhere then.

    The originals stay as they are; what is turned are previews and boxes. Where numbers by hand
    are is forgotten until they are read again.
    """
    async with connection.transaction():
        again = await _again(connection, queue, event_id, photo_ids, quarters)
        await connection.execute(
            """update bib_tag set box = null
               where event_id = %s and photo_id = any(%s) and source = 'hand'""",
            [event_id, list(photo_ids)],
        )
    return again


async def read_again(
    connection: AsyncConnection, queue: App, event_id: int, photo_ids: Sequence[UUID]
) -> int:
    """Queue photos to be processed again, in whatever state they are; says how many."""
    return await _again(connection, queue, event_id, photo_ids, 0)


async def _again(
    connection: AsyncConnection,
    queue: App,
    event_id: int,
    photo_ids: Sequence[UUID],
    quarters: int,
) -> int:
    async with connection.transaction():
        await lock_photos(connection, event_id, photo_ids)
        cursor = await connection.execute(
            """update photo set state = 'waiting', reason = null, turned = (turned + %s) %% 4
               where event_id = %s and id = any(%s) returning id""",
            [quarters % 4, event_id, list(photo_ids)],
        )
        again = [row[0] for row in await cursor.fetchall()]
        await defer_processing(queue, connection, again)
    return len(again)
