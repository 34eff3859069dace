"""Deleting photos: rows at once, bytes soon after, and never those of a photo that came back.

A photo's key is made from its bytes, so the same file put in again lies where the deleted one lay.
`photo_gone` says whose objects are to be deleted; an intake strikes out what it is about to store,
and waits while those objects are being deleted.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from procrastinate import App
from psycopg import AsyncConnection

from fotofinish.database.connection import Pool
from fotofinish.photos.keys import original_key, preview_keys
from fotofinish.photos.photos import lock_photos
from fotofinish.queue import defer_clearing
from fotofinish.storage.stores import Store

BATCH = 100


async def delete_photos(
    connection: AsyncConnection, queue: App, event_id: int, photo_ids: Sequence[UUID]
) -> int:
    """Delete photos of one event with tags, templates and matches; says how many.

    The job that deletes their objects is committed with it.
    """
    async with connection.transaction():
        await lock_photos(connection, event_id, photo_ids)
        cursor = await connection.execute(
            """with gone as (
                 delete from photo where event_id = %s and id = any(%s)
                 returning id, event_id, extension)
               insert into photo_gone (photo_id, event_id, extension) select * from gone
               on conflict do nothing""",
            [event_id, list(photo_ids)],
        )
        if cursor.rowcount:
            await defer_clearing(queue, connection)
    return cursor.rowcount


async def keep(connection: AsyncConnection, photo_ids: Sequence[UUID]) -> None:
    """Call before objects of these photos are stored: nothing will delete them any more."""
    await connection.execute("delete from photo_gone where photo_id = any(%s)", [list(photo_ids)])


async def clear_gone(connection: AsyncConnection, store: Store) -> int:
    """Delete the objects of some deleted photos; says of how many, 0 when none is left."""
    async with connection.transaction():
        cursor = await connection.execute(
            """select photo_id, event_id, extension from photo_gone
               order by photo_id limit %s for update skip locked""",
            [BATCH],
        )
        gone = await cursor.fetchall()
        keys = [
            key
            for photo_id, event_id, extension in gone
            for key in (
                original_key(event_id, photo_id, extension),
                *preview_keys(event_id, photo_id),
            )
        ]
        if keys:
            await store.delete_many_async(keys)
            await connection.execute(
                "delete from photo_gone where photo_id = any(%s)", [[row[0] for row in gone]]
            )
    return len(gone)


async def clear_late_previews(pool: Pool, store: Store, event_id: int, photo_id: UUID) -> None:
    """Delete previews that were drawn of a photo while it was deleted; if it is there, nothing."""
    async with pool.connection() as connection:
        cursor = await connection.execute("select 1 from photo where id = %s", [photo_id])
        if await cursor.fetchone():
            return
    await store.delete_many_async(list(preview_keys(event_id, photo_id)))
