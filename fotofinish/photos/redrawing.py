"""Previews drawn again because their mark changed, or because an older version drew them; faces and
numbers are not read again.

A few photos at a time, between which new photos come first. What is left is what the database says:
a kill in between loses nothing.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from uuid import UUID

from procrastinate import App
from psycopg import AsyncConnection
from psycopg.rows import class_row

from fotofinish.database.connection import Pool
from fotofinish.errors import FotofinishError, ObjectMissing, StorageError
from fotofinish.photos.decoding import decode, turn
from fotofinish.photos.deleting import clear_late_previews
from fotofinish.photos.formats import HEAD_BYTES, sniff
from fotofinish.photos.keys import old_preview_keys, original_key
from fotofinish.photos.photos import DRAWN_NOW
from fotofinish.photos.previews import LARGEST, render_previews, store_previews
from fotofinish.photos.watermark import Watermark, find_watermark
from fotofinish.queue import defer_old_previews
from fotofinish.storage.stores import Store

BATCH = 8
STALE = "(preview_version <> %s or drawn = 0)"


@dataclass(frozen=True, slots=True)
class Stale:
    """A photo whose previews carry an old mark, or are of an older version."""

    id: UUID
    extension: str
    turned: int
    drawn: int


async def redraw_some(
    pool: Pool, store: Store, event_id: int, *, max_pixels: int, wary: bool = False
) -> bool:
    """Draw the previews of some photos again; says whether any are left.

    A photo that cannot be drawn keeps its old previews and is not tried again for this mark. When
    `wary` that is noted before each is drawn, so that one that stops the program is tried once.
    """
    async with pool.connection() as connection:
        mark = await find_watermark(connection, event_id)
        stale = await _list_stale(connection, event_id, mark.version)
    for photo in stale:
        if wary:
            async with pool.connection() as connection:
                await _note_failed(connection, photo, mark.version)
        try:
            await asyncio.to_thread(_draw, store, event_id, photo, mark, max_pixels)
            redrawn = True
        except ObjectMissing:
            redrawn = False
        except StorageError:  # the store is away: the job tries again
            if wary:
                async with pool.connection() as connection:
                    await _note_stale(connection, photo)
            raise
        except FotofinishError:
            redrawn = False
        async with pool.connection() as connection:
            if not redrawn:
                await _note_failed(connection, photo, mark.version)
                continue
            there = await _note_redrawn(connection, photo, mark.version)
        if not there:
            await clear_late_previews(pool, store, event_id, photo.id)
        if photo.drawn <= 0:
            await store.delete_many_async(old_preview_keys(event_id, photo.id))
    return len(stale) == BATCH


async def count_stale(connection: AsyncConnection, event_id: int, version: int) -> int:
    """How many photos of the event do not carry this version of the mark, or are to be redrawn."""
    cursor = await connection.execute(
        f"select count(*) from photo where event_id = %s and state = 'ready' and {STALE}",  # noqa: S608
        [event_id, version],
    )
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def queue_old_previews(pool: Pool, queue: App) -> None:
    """Queue what an older version drew to be drawn again; once, whoever calls."""
    async with pool.connection() as connection:
        outdated = await _events_with_old_previews(connection)
    await defer_old_previews(queue, outdated)


async def _events_with_old_previews(connection: AsyncConnection) -> list[int]:
    cursor = await connection.execute(
        "select distinct event_id from photo where state = 'ready' and drawn = 0"
    )
    return [row[0] for row in await cursor.fetchall()]


async def _list_stale(connection: AsyncConnection, event_id: int, version: int) -> list[Stale]:
    async with connection.cursor(row_factory=class_row(Stale)) as cursor:
        await cursor.execute(
            f"""select id, extension, turned, drawn from photo
                where event_id = %s and state = 'ready' and {STALE} limit %s""",  # noqa: S608
            [event_id, version, BATCH],
        )
        return await cursor.fetchall()


def _draw(store: Store, event_id: int, photo: Stale, mark: Watermark, max_pixels: int) -> None:
    data = store.get(original_key(event_id, photo.id, photo.extension))
    decoded = decode(
        data, sniff(data[:HEAD_BYTES]), max_pixels=max_pixels, target_long_side=LARGEST
    )
    previews = render_previews(turn(decoded, photo.turned), mark)
    store_previews(store, event_id, photo.id, previews)


async def _note_redrawn(connection: AsyncConnection, photo: Stale, version: int) -> bool:
    """New previews lie there. If the photo was turned meanwhile, they are stale already (-1);
    False: it was deleted."""
    cursor = await connection.execute(
        f"""update photo set drawn = {DRAWN_NOW},
                   preview_version = case when turned = %s then %s else -1 end
            where id = %s""",  # noqa: S608 (a constant)
        [photo.turned, version, photo.id],
    )
    return cursor.rowcount == 1


async def _note_failed(connection: AsyncConnection, photo: Stale, version: int) -> None:
    await connection.execute(
        """update photo set preview_version = %s, drawn = case when drawn = 0 then -1 else drawn end
           where id = %s and turned = %s""",
        [version, photo.id, photo.turned],
    )


async def _note_stale(connection: AsyncConnection, photo: Stale) -> None:
    await connection.execute("update photo set preview_version = -1 where id = %s", [photo.id])
