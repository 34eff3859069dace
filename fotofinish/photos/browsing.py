"""The operator's view of all photos of an event: filtered, in the order of capture, one by one.

Everybody else's lists are in `gallery.py`; here hidden, failed and waiting photos are seen too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from fotofinish.bibs.numbers import normalise_bib

SHOWN = {
    "all": "true",
    "ready": "width is not null and not hidden",
    "no-bib": "state = 'ready' and not exists (select 1 from bib_tag where photo_id = photo.id)",
    "no-face": "state = 'ready' and not exists (select 1 from face where photo_id = photo.id)",
    "unsure": "state = 'ready' and exists (select 1 from bib_tag "
    "where photo_id = photo.id and source <> 'hand' and confidence < 0.8)",
    "failed": "state = 'failed'",
    "waiting": "state in ('waiting', 'processing')",
    "hidden": "hidden",
}
ORDER = "coalesce(captured_at, 'infinity')"
MOST_FOLDERS = 200


@dataclass(frozen=True, slots=True)
class Filter:
    """Which photos; `show` is a key of SHOWN, an empty text or None lets all pass.

    `begin` and `end` (half-open) are with a time zone.
    """

    show: str = "all"
    bib: str = ""
    folder: str = ""
    begin: datetime | None = None
    end: datetime | None = None

    def condition(self) -> str:
        """As SQL on `photo`, with the parameters of `values`."""
        parts = ["event_id = %(event)s", SHOWN[self.show]]
        if self.bib:
            parts.append(
                "id in (select photo_id from bib_tag where event_id = %(event)s and bib = %(bib)s)"
            )
        if self.folder:
            parts.append("folder = %(folder)s")
        if self.begin is not None:
            parts.append("coalesce(captured_at, 'infinity') >= %(begin)s")
        if self.end is not None:
            parts.append("coalesce(captured_at, 'infinity') < %(end)s")
        return " and ".join(f"({part})" for part in parts)

    def values(self, event_id: int) -> dict[str, object]:
        """The parameters of `condition`."""
        return {
            "event": event_id,
            "bib": normalise_bib(self.bib),
            "folder": self.folder,
            "begin": self.begin,
            "end": self.end,
        }


@dataclass(frozen=True, slots=True)
class Cell:
    """A photo in the grid; width and height are None until it was read."""

    id: UUID
    name: str
    state: str
    hidden: bool
    width: int | None
    height: int | None
    drawn: int
    bibs: list[str]


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the order of photos: a moment as PostgreSQL writes it, and an id."""

    at: str
    id: UUID


@dataclass(frozen=True, slots=True)
class Tag:
    """A number on a photo; its box in pixels of the upright photo, if it has one."""

    bib: str
    source: str
    confidence: float
    box: list[float] | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """One photo with all that is known of it; faces as boxes."""

    id: UUID
    name: str
    folder: str
    size: int
    content_type: str
    extension: str
    state: str
    reason: str | None
    hidden: bool
    turned: int
    drawn: int
    width: int | None
    height: int | None
    captured_at: datetime | None


async def count_photos(connection: AsyncConnection, event_id: int, wanted: Filter) -> int:
    """How many photos pass; those that everybody sees are counted already."""
    if wanted == Filter("ready"):
        query = (
            "select coalesce(sum(photos), 0)::bigint from photo_bucket where event_id = %(event)s"
        )
    else:
        query = f"select count(*) from photo where {wanted.condition()}"  # noqa: S608
    cursor = await connection.execute(query, wanted.values(event_id))
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def list_cells(
    connection: AsyncConnection,
    event_id: int,
    wanted: Filter,
    *,
    offset: int,
    limit: int,
    mark: Mark | None = None,
) -> list[Cell]:
    """A stretch of the photos that pass; `offset` counts from the mark, if there is one."""
    after = f"and ({ORDER}, id) >= (%(mark_at)s::timestamptz, %(mark_id)s)" if mark else ""
    async with connection.cursor(row_factory=class_row(Cell)) as cursor:
        await cursor.execute(
            f"""select id, name, state, hidden, width, height, drawn,
                       array(select bib from bib_tag where photo_id = photo.id
                             order by confidence desc, bib) as bibs
                from (select id, {ORDER} as at from photo
                      where {wanted.condition()} {after} order by at, id
                      offset %(offset)s limit %(limit)s) page
                join photo using (id) order by at, id""",  # noqa: S608
            {
                **wanted.values(event_id),
                "offset": offset,
                "limit": limit,
                "mark_at": mark and mark.at,
                "mark_id": mark and mark.id,
            },
        )
        return await cursor.fetchall()


async def list_marks(
    connection: AsyncConnection, event_id: int, wanted: Filter, *, step: int, limit: int
) -> list[Mark]:
    """Every `step`th of the photos that pass, from the first on, at most `limit` of them.

    One walk through the index, so that no stretch after it has to be counted to.
    """
    async with connection.cursor(row_factory=class_row(Mark)) as cursor:
        await cursor.execute(
            f"""select at::text, id
                from (select {ORDER} as at, id, row_number() over (order by {ORDER}, id) as place
                      from photo where {wanted.condition()}) numbered
                where place %% %(step)s = 1 %% %(step)s order by place limit %(limit)s""",  # noqa: S608
            {**wanted.values(event_id), "step": step, "limit": limit},
        )
        return await cursor.fetchall()


async def find_sheet(connection: AsyncConnection, event_id: int, photo_id: UUID) -> Sheet | None:
    """One photo of the event."""
    async with connection.cursor(row_factory=class_row(Sheet)) as cursor:
        await cursor.execute(
            """select id, name, folder, size, content_type, extension, state, reason, hidden,
                      turned, drawn, width, height, captured_at
               from photo where id = %s and event_id = %s""",
            [photo_id, event_id],
        )
        return await cursor.fetchone()


async def tags_of_photo(connection: AsyncConnection, photo_id: UUID) -> list[Tag]:
    """Its numbers, the surest first."""
    async with connection.cursor(row_factory=class_row(Tag)) as cursor:
        await cursor.execute(
            """select bib, source, confidence, box from bib_tag where photo_id = %s
               order by confidence desc, bib""",
            [photo_id],
        )
        return await cursor.fetchall()


async def faces_of_photo(connection: AsyncConnection, photo_id: UUID) -> list[list[float]]:
    """The boxes of its faces: left, top, width, height in pixels of the upright photo."""
    cursor = await connection.execute(
        "select box from face where photo_id = %s order by id", [photo_id]
    )
    return [row[0] for row in await cursor.fetchall()]


async def neighbours(
    connection: AsyncConnection, event_id: int, wanted: Filter, photo: Sheet
) -> tuple[UUID | None, UUID | None]:
    """The photos before and after this one among those that pass."""
    found = []
    for sign, direction in (("<", "desc"), (">", "asc")):
        cursor = await connection.execute(
            f"""select id from photo
                where {wanted.condition()} and ({ORDER}, id) {sign} (%(at)s, %(id)s)
                order by {ORDER} {direction}, id {direction} limit 1""",  # noqa: S608
            {
                **wanted.values(event_id),
                "id": photo.id,
                "at": photo.captured_at or "infinity",
            },
        )
        row = await cursor.fetchone()
        found.append(None if row is None else row[0])
    return found[0], found[1]


async def place_of(
    connection: AsyncConnection, event_id: int, wanted: Filter, photo_id: UUID
) -> int | None:
    """How many of the photos that pass come before this one, which need not pass itself.

    None when the event has no such photo.
    """
    cursor = await connection.execute(
        f"""select (select count(*) from photo
                    where {wanted.condition()} and ({ORDER}, id) < (asked.at, asked.id))
            from (select {ORDER} as at, id from photo
                  where event_id = %(event)s and id = %(id)s) asked""",  # noqa: S608
        {**wanted.values(event_id), "id": photo_id},
    )
    row = await cursor.fetchone()
    return None if row is None else int(row[0])


async def list_folders(connection: AsyncConnection, event_id: int) -> Mapping[str, int]:
    """The folders that photos came from, and how many of each."""
    cursor = await connection.execute(
        """select folder, count(*) from photo where event_id = %s and folder <> ''
           group by folder order by folder limit %s""",
        [event_id, MOST_FOLDERS],
    )
    return dict(await cursor.fetchall())
