"""An event's first photos with what was read on them, to see at a glance whether all is well."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row


@dataclass(frozen=True, slots=True)
class SheetPhoto:
    """A photo that is ready; `name` is the file's own, `bibs` the numbers on it."""

    id: UUID
    name: str
    width: int
    height: int
    drawn: int
    bibs: list[str]


async def contact_sheet(
    connection: AsyncConnection, event_id: int, *, limit: int
) -> list[SheetPhoto]:
    """The first photos of an event, in the order of its gallery."""
    async with connection.cursor(row_factory=class_row(SheetPhoto)) as cursor:
        await cursor.execute(
            """select photo.id, photo.name, photo.width, photo.height, photo.drawn,
                      array(select bib from bib_tag where photo_id = photo.id
                            order by confidence desc, bib) as bibs
               from photo
               where event_id = %s and width is not null and not hidden
               order by coalesce(captured_at, 'infinity'), id limit %s""",
            [event_id, limit],
        )
        return await cursor.fetchall()
