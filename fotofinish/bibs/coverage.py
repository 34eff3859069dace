"""The start list beside what was read: who has photos, who has none, which bibs nobody wears."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import AsyncConnection
from psycopg.rows import class_row

from fotofinish.bibs.corrections import replace_bib
from fotofinish.bibs.misreadings import likeliest, slips_to
from fotofinish.errors import InvalidValue
from fotofinish.photos.preview_links import Picture

SHOWN = ("all", "without", "with")


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many bibs are on the list, how many of those on photos, how many on photos alone.

    `doubtful` are on photos alone, and not because people said so: they may be misread.
    """

    listed: int
    with_photos: int
    unlisted: int
    doubtful: int


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody on the list, and the number of photos that show them."""

    bib: str
    name: str | None
    photos: int


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A bib that was read and is on no list; `photo` is one of its photos, `suggestions` what it
    may have been."""

    bib: str
    photos: int
    photo: Picture
    suggestions: list[Participant]


SEEN = """select bib, count(*) as photos, bool_or(source = 'read') as read from bib_tag
          where event_id = %(event)s and visible group by bib"""


async def coverage(connection: AsyncConnection, event_id: int) -> Coverage:
    """Count the event's bibs, on the list and on photos that are shown."""
    async with connection.cursor(row_factory=class_row(Coverage)) as cursor:
        await cursor.execute(
            f"""with seen as ({SEEN}),
                     listed as (select bib from startlist_entry where event_id = %(event)s)
                select count(listed.bib) as listed,
                       count(*) filter (where listed.bib is not null and seen.bib is not null)
                           as with_photos,
                       count(*) filter (where listed.bib is null) as unlisted,
                       count(*) filter (where listed.bib is null and seen.read) as doubtful
                from listed full join seen on seen.bib = listed.bib""",  # noqa: S608
            {"event": event_id},
        )
        found = await cursor.fetchone()
    assert found is not None
    return found


async def list_participants(
    connection: AsyncConnection, event_id: int, *, show: str, find: str, offset: int, limit: int
) -> tuple[int, list[Participant]]:
    """How many participants these are, and some of them, by bib.

    `show` is one of `SHOWN`; `find` a part of a name, or the beginning of a bib.
    """
    text = find.strip().replace("\0", "")
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    async with connection.cursor() as cursor:
        await cursor.execute(
            """select bib, name, photos, total
               from (select event_id, bib, name, count(*) over () as total
                     from startlist_entry entry
                     where event_id = %(event)s
                       and (%(text)s = '' or name ilike %(within)s or bib like upper(%(begin)s))
                       and (%(show)s = 'all' or (%(show)s = 'with') = exists
                            (select 1 from bib_tag where event_id = %(event)s
                             and bib = entry.bib and visible))
                     order by length(bib), bib offset %(offset)s limit %(limit)s) page
               cross join lateral (
                   select count(*) as photos from bib_tag
                   where event_id = page.event_id and bib = page.bib and visible) counted
               order by length(bib), bib""",
            {
                "event": event_id,
                "show": show,
                "text": text,
                "within": f"%{escaped}%",
                "begin": f"{escaped}%",
                "offset": offset,
                "limit": limit,
            },
        )
        rows = await cursor.fetchall()
    return (rows[0][3] if rows else 0), [Participant(*row[:3]) for row in rows]


async def list_unlisted(
    connection: AsyncConnection, event_id: int, *, limit: int
) -> list[Unlisted]:
    """Bibs that were read and are on no list, those on the most photos first, with suggestions."""
    cursor = await connection.execute(
        f"""with seen as ({SEEN})
            select bib, photos, photo.id, photo.drawn
            from seen join photo on photo.id = (
              select photo_id from bib_tag
              where event_id = %(event)s and bib = seen.bib and visible
              order by captured_at, photo_id limit 1)
            where seen.read and not exists (select 1 from startlist_entry
                                            where event_id = %(event)s and bib = seen.bib)
            order by photos desc, length(bib), bib limit %(limit)s""",  # noqa: S608
        {"event": event_id, "limit": limit},
    )
    unlisted = await cursor.fetchall()
    if not unlisted:
        return []
    await cursor.execute("select bib, name from startlist_entry where event_id = %s", [event_id])
    names: dict[str, str | None] = dict(await cursor.fetchall())
    near = {bib: slips_to(bib, names.keys()) for bib, *_ in unlisted}
    await cursor.execute(
        """select bib, count(*) from bib_tag
           where event_id = %s and bib = any(%s) and visible group by bib""",
        [event_id, sorted({one for slips in near.values() for one in slips})],
    )
    seen: dict[str, int] = dict(await cursor.fetchall())
    return [
        Unlisted(
            bib,
            photos,
            Picture(photo_id, drawn),
            [
                Participant(one, names[one], seen.get(one, 0))
                for one in likeliest(near[bib], seen.keys())
            ],
        )
        for bib, photos, photo_id, drawn in unlisted
    ]


async def correct_bib(connection: AsyncConnection, event_id: int, bib: str, right: str) -> int:
    """Say that every photo on which `bib` was read shows `right`; says on how many.

    Raises InvalidValue when `right` is not on the start list, or `bib` is.
    """
    bib, right = bib.replace("\0", ""), right.replace("\0", "")
    async with connection.transaction():
        cursor = await connection.execute(
            "select bib from startlist_entry where event_id = %s and bib = any(%s)",
            [event_id, [bib, right]],
        )
        if bib == right or [row[0] for row in await cursor.fetchall()] != [right]:
            raise InvalidValue("The start list has changed meanwhile. Load the page again.")
        return await replace_bib(connection, event_id, bib, right)
