"""Previews drawn again because their mark changed; faces and numbers are not read again.

A few photos at a time, between which new photos come first. What is left is what the database says:
a kill in between loses nothing.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from fotofinish.database.connection import Pool
from fotofinish.errors import FotofinishError
from fotofinish.photos.decoding import decode, turn
from fotofinish.photos.formats import sniff
from fotofinish.photos.keys import original_key, preview_key, thumbnail_key
from fotofinish.photos.previews import PREVIEW_LONG_SIDE, Previews, render_previews
from fotofinish.photos.watermark import Watermark, find_watermark
from fotofinish.storage.stores import Store

BATCH = 8


@dataclass(frozen=True, slots=True)
class Stale:
    """A photo whose previews carry an old mark, or none."""

    id: UUID
    extension: str
    turned: int


async def redraw_some(pool: Pool, store: Store, event_id: int, *, max_pixels: int) -> bool:
    """Draw the previews of some photos again; says whether any are left.

    A photo that cannot be drawn keeps its old previews and is not tried again for this mark.
    """
    async with pool.connection() as connection:
        mark = await find_watermark(connection, event_id)
        stale = await _list_stale(connection, event_id, mark.version)
    for photo in stale:
        try:
            previews = await asyncio.to_thread(_draw, store, event_id, photo, mark, max_pixels)
            await _store(store, event_id, photo.id, previews)
        except FotofinishError as error:
            if error.status == 503:  # the store is away: the job tries again
                raise
        async with pool.connection() as connection:
            await connection.execute(
                "update photo set preview_version = %s where id = %s and turned = %s",
                [mark.version, photo.id, photo.turned],
            )
    return len(stale) == BATCH


async def count_stale(connection: AsyncConnection, event_id: int, version: int) -> int:
    """How many photos of the event do not carry this version of the mark."""
    cursor = await connection.execute(
        """select count(*) from photo
           where event_id = %s and state = 'ready' and preview_version <> %s""",
        [event_id, version],
    )
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def _list_stale(connection: AsyncConnection, event_id: int, version: int) -> list[Stale]:
    async with connection.cursor(row_factory=class_row(Stale)) as cursor:
        await cursor.execute(
            """select id, extension, turned from photo
               where event_id = %s and state = 'ready' and preview_version <> %s
               limit %s""",
            [event_id, version, BATCH],
        )
        return await cursor.fetchall()


def _draw(store: Store, event_id: int, photo: Stale, mark: Watermark, max_pixels: int) -> Previews:
    data = store.get(original_key(event_id, photo.id, photo.extension))
    decoded = decode(
        data, sniff(data[:4096]), max_pixels=max_pixels, target_long_side=PREVIEW_LONG_SIDE
    )
    return render_previews(turn(decoded, photo.turned), mark)


async def _store(store: Store, event_id: int, photo_id: UUID, previews: Previews) -> None:
    filename = f"{photo_id}.jpg"
    for key, jpeg in (
        (preview_key(event_id, photo_id), previews.preview),
        (thumbnail_key(event_id, photo_id), previews.thumbnail),
    ):
        await store.put_async(key, jpeg, content_type="image/jpeg", filename=filename)
