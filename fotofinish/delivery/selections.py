"""Which originals a participant of the gallery takes home: one, several, or all of a search.

Everything here gives photos that are ready and not hidden, of one event, in the gallery's order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from fotofinish.bibs.meant import find_as_meant
from fotofinish.photos.keys import original_key


@dataclass(frozen=True, slots=True)
class Original:
    """An original as an archive needs it; `crc32` is None where it was never computed."""

    id: UUID
    event_id: int
    extension: str
    size: int
    width: int
    height: int
    drawn: int
    crc32: int | None
    captured_at: datetime | None

    @property
    def key(self) -> str:
        """Where its bytes lie."""
        return original_key(self.event_id, self.id, self.extension)


COLUMNS = """photo.id, photo.event_id, photo.extension, photo.size, photo.width, photo.height,
    photo.drawn, photo.crc32, photo.captured_at"""
SHOWN = "photo.width is not null and not photo.hidden"

OF_BIB = f"""select {COLUMNS} from bib_tag join photo on photo.id = bib_tag.photo_id
    where bib_tag.event_id = %s and bib_tag.bib = %s and bib_tag.visible and {SHOWN}
    order by bib_tag.captured_at, bib_tag.photo_id limit %s"""  # noqa: S608 (constants)
OF_SELFIE = f"""select {COLUMNS} from selfie_match found join photo on photo.id = found.photo_id
    where found.event_id = %s and found.selfie_id = %s and found.visible and {SHOWN}
    order by found.captured_at, found.photo_id limit %s"""  # noqa: S608
OF_SPAN = f"""select {COLUMNS} from photo
    where event_id = %s and {SHOWN} and coalesce(captured_at, 'infinity') >= %s
      and coalesce(captured_at, 'infinity') < %s
    order by coalesce(captured_at, 'infinity'), id limit %s"""  # noqa: S608
OF_IDS = f"""select {COLUMNS} from photo where event_id = %s and id = any(%s) and {SHOWN}
    order by coalesce(captured_at, 'infinity'), id"""  # noqa: S608


async def originals_of_bib(
    connection: AsyncConnection, event_id: int, bib: str, *, limit: int
) -> list[Original]:
    """The originals on which the bib is seen, as `images_of_bib` has them."""
    return await find_as_meant(
        connection,
        event_id,
        bib,
        lambda worn: _find(connection, OF_BIB, [event_id, worn, limit]),
        bool,
    )


async def originals_of_selfie(
    connection: AsyncConnection, event_id: int, request_id: UUID, *, limit: int
) -> list[Original]:
    """The originals that a selfie search matched."""
    return await _find(connection, OF_SELFIE, [event_id, request_id, limit])


async def originals_between(
    connection: AsyncConnection, event_id: int, start: datetime, end: datetime, *, limit: int
) -> list[Original]:
    """The originals captured from `start` to before `end`."""
    return await _find(connection, OF_SPAN, [event_id, start, end, limit])


async def originals_by_id(
    connection: AsyncConnection, event_id: int, photo_ids: Sequence[UUID]
) -> list[Original]:
    """Those of these photos that are this event's."""
    return await _find(connection, OF_IDS, [event_id, list(photo_ids)])


async def note_checksum(connection: AsyncConnection, photo_id: UUID, crc32: int) -> None:
    """Keep a checksum that was computed, for the next archive with this photo."""
    await connection.execute("update photo set crc32 = %s where id = %s", [crc32, photo_id])


async def _find(connection: AsyncConnection, sql: str, values: Sequence[object]) -> list[Original]:
    async with connection.cursor(row_factory=class_row(Original)) as cursor:
        await cursor.execute(sql, values, prepare=True)
        return await cursor.fetchall()
