"""What people say of the numbers on a photo: it wins over the machine and survives reprocessing."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from psycopg import AsyncConnection

from fotofinish.bibs.meant import as_listed
from fotofinish.bibs.numbers import MOST_SIGNS, normalise_bib, printed_bib
from fotofinish.errors import InvalidValue
from fotofinish.photos.photos import lock_photos


def checked_bib(text: str) -> str:
    """A number as it is kept; raises InvalidValue for what can be none."""
    bib = normalise_bib(text)
    if not printed_bib(bib):
        raise InvalidValue(f"A bib number has 1 to {MOST_SIGNS} letters and digits.")
    return bib


async def add_bib(
    connection: AsyncConnection, event_id: int, photo_ids: Sequence[UUID], bib: str
) -> int:
    """Say that these photos show this number; says on how many. What was read becomes certain.

    It is kept as the start list writes it. Photos that were never read are found by it once they
    are.
    """
    async with connection.transaction():
        await lock_photos(connection, event_id, photo_ids)
        bib = await as_listed(connection, event_id, bib)
        await _take_refusals_back(connection, event_id, photo_ids, bib)
        cursor = await connection.execute(
            """insert into bib_tag (photo_id, bib, event_id, confidence, source, captured_at,
                                    extension, visible)
               select id, %s, event_id, 1, 'hand', captured_at, extension,
                      not hidden and width is not null
               from photo where event_id = %s and id = any(%s)
               on conflict (photo_id, bib) do update set source = 'hand', confidence = 1""",
            [bib, event_id, list(photo_ids)],
        )
    return cursor.rowcount


async def remove_bib(
    connection: AsyncConnection, event_id: int, photo_ids: Sequence[UUID], bib: str
) -> int:
    """Say that these photos do not show this number, however often they are read again."""
    async with connection.transaction():
        await lock_photos(connection, event_id, photo_ids)
        cursor = await connection.execute(
            "delete from bib_tag where event_id = %s and photo_id = any(%s) and bib = %s",
            [event_id, list(photo_ids), bib],
        )
        await connection.execute(
            """insert into bib_refusal (photo_id, bib, event_id)
               select id, %s, event_id from photo where event_id = %s and id = any(%s)
               on conflict do nothing""",
            [bib, event_id, list(photo_ids)],
        )
    return cursor.rowcount


async def replace_bib(connection: AsyncConnection, event_id: int, bib: str, right: str) -> int:
    """Say that every photo on which `bib` was read shows `right` there instead; says on how many.

    What was linked by faces follows by itself.
    """
    async with connection.transaction():
        cursor = await connection.execute(
            "select photo_id from bib_tag where event_id = %s and bib = %s and source <> 'linked'",
            [event_id, bib],
        )
        photos = [row[0] for row in await cursor.fetchall()]
        photos = await lock_photos(connection, event_id, photos)
        cursor = await connection.execute(
            """insert into bib_tag (photo_id, bib, event_id, confidence, box, source, captured_at,
                                    extension, visible)
               select photo_id, %s, event_id, 1, box, 'hand', captured_at, extension, visible
               from bib_tag
               where event_id = %s and bib = %s and source <> 'linked' and photo_id = any(%s)
               on conflict (photo_id, bib) do update
               set source = 'hand', confidence = 1, box = coalesce(bib_tag.box, excluded.box)
               returning photo_id""",
            [right, event_id, bib, photos],
        )
        photos = [row[0] for row in await cursor.fetchall()]
        await remove_bib(connection, event_id, photos, bib)
        await _take_refusals_back(connection, event_id, photos, right)
    return len(photos)


async def confirm_bibs(
    connection: AsyncConnection, event_id: int, photo_ids: Sequence[UUID]
) -> int:
    """Say that all numbers of these photos are right; says how many there were to confirm."""
    async with connection.transaction():
        await lock_photos(connection, event_id, photo_ids)
        cursor = await connection.execute(
            """update bib_tag set source = 'hand', confidence = 1
               where event_id = %s and photo_id = any(%s) and source <> 'hand'""",
            [event_id, list(photo_ids)],
        )
    return cursor.rowcount


async def _take_refusals_back(
    connection: AsyncConnection, event_id: int, photo_ids: Sequence[UUID], bib: str
) -> None:
    await connection.execute(
        "delete from bib_refusal where event_id = %s and photo_id = any(%s) and bib = %s",
        [event_id, list(photo_ids), bib],
    )
