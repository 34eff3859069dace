"""Photos page by page, for people to look at: of an event, a bib, a selfie, a span of time.

An event's photos are ordered by capture time (those without one last), then by id. How many there
are, and where a page begins, is told by `photo_bucket`: numbers of photos a minute of capture,
kept by triggers. So nothing is counted, and the last page costs what the first one does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from psycopg import AsyncConnection

from fotofinish.bibs.meant import find_as_meant


@dataclass(frozen=True, slots=True)
class Image:
    """A photo in a list; width and height are the upright original's, `drawn` names its
    previews' version."""

    id: UUID
    width: int
    height: int
    drawn: int


@dataclass(frozen=True, slots=True)
class ImagePage:
    """One page, and how many photos there are in all."""

    total: int
    images: list[Image]


@dataclass(frozen=True, slots=True)
class ImageSet:
    """How many photos there are, and a mark that is another one as soon as others are among them;
    0 where telling that would take too long."""

    total: int
    mark: int


@dataclass(frozen=True, slots=True)
class HourCount:
    """Photos captured in one hour (UTC)."""

    hour: int
    count: int


@dataclass(frozen=True, slots=True)
class DayCount:
    """Photos captured on one day (UTC); `hours` ascending, those without photos left out."""

    date: date
    total: int
    hours: list[HourCount]


PAGE_OF_EVENT = """
with bucket as materialized (
  select minute, prefix, sum(photos)::bigint as photos from photo_bucket
  where event_id = %(event)s group by minute, prefix
), start as materialized (
  select minute, prefix, before
  from (select minute, prefix, photos,
               sum(photos) over (order by minute, prefix) - photos as before from bucket) running
  where photos > 0 and before <= %(rank)s order by minute desc, prefix desc limit 1
)
select (select coalesce(sum(photos), 0)::bigint from bucket), page.*
from (values (1)) always
left join lateral (
  select id, width, height, drawn from photo
  where event_id = %(event)s and width is not null and not hidden
    and (coalesce(captured_at, 'infinity'), id)
        >= ((select minute from start), (select prefix from start))
  order by coalesce(captured_at, 'infinity'), id
  offset %(rank)s - (select before from start) limit %(limit)s
) page on true
"""

BEFORE = """
select (select coalesce(sum(photos), 0)::bigint from photo_bucket
        where event_id = %(event)s and minute < date_bin('1 minute', %(at)s, 'epoch'))
     + (select count(*) from photo
        where event_id = %(event)s and width is not null and not hidden
          and coalesce(captured_at, 'infinity') >= date_bin('1 minute', %(at)s, 'epoch')
          and coalesce(captured_at, 'infinity') < %(at)s)
"""

DAYS = """
select (minute at time zone 'UTC')::date as day,
       extract(hour from minute at time zone 'UTC')::int as hour, sum(photos)::bigint
from photo_bucket where event_id = %s and minute < 'infinity'
group by day, hour having sum(photos) > 0 order by day, hour
"""

PAGE_OF_BIB = """
select total, photo.id, photo.width, photo.height, photo.drawn
from (select count(*) as total from bib_tag
      where event_id = %(event)s and bib = %(bib)s and visible) counted
left join (select photo_id, captured_at from bib_tag
           where event_id = %(event)s and bib = %(bib)s and visible
           order by captured_at, photo_id offset %(offset)s limit %(limit)s) page on true
left join photo on photo.id = page.photo_id
order by page.captured_at, page.photo_id
"""

PAGE_OF_SELFIE = """
select total, photo.id, photo.width, photo.height, photo.drawn
from (select count(*) as total from selfie_match
      where event_id = %(event)s and selfie_id = %(selfie)s and visible) counted
left join (select photo_id, captured_at from selfie_match
           where event_id = %(event)s and selfie_id = %(selfie)s and visible
           order by captured_at, photo_id offset %(offset)s limit %(limit)s) page on true
left join photo on photo.id = page.photo_id
order by page.captured_at, page.photo_id
"""

SET_OF_BIB = """
select count(*), coalesce(bit_xor(uuid_hash(photo_id)), 0) from bib_tag
where event_id = %(event)s and bib = %(bib)s and visible
"""

SET_OF_SELFIE = """
select count(*), coalesce(bit_xor(uuid_hash(photo_id)), 0) from selfie_match
where event_id = %(event)s and selfie_id = %(selfie)s and visible
"""


async def images_of_event(
    connection: AsyncConnection, event_id: int, *, offset: int, limit: int
) -> ImagePage:
    """A page of all photos that everybody sees: not hidden, and ready at least once."""
    values = {"event": event_id, "rank": offset, "limit": limit}
    return await _page(connection, PAGE_OF_EVENT, values)


async def images_between(
    connection: AsyncConnection,
    event_id: int,
    start: datetime,
    end: datetime,
    *,
    offset: int,
    limit: int,
) -> ImagePage:
    """A page of the photos captured from `start` to before `end` (both with a time zone)."""
    async with connection.transaction():
        # one state of the event for all: a photo that comes in between would move the others
        await connection.execute("set transaction isolation level repeatable read, read only")
        first = await _count_before(connection, event_id, start)
        total = max(0, await _count_before(connection, event_id, end) - first)
        if offset >= total:
            return ImagePage(total, [])
        values = {"event": event_id, "rank": first + offset, "limit": min(limit, total - offset)}
        page = await _page(connection, PAGE_OF_EVENT, values)
    return ImagePage(total, page.images)


async def images_of_bib(
    connection: AsyncConnection, event_id: int, bib: str, *, offset: int, limit: int
) -> ImagePage:
    """A page of the photos on which the bib is seen; where there are none, of those of the bib as
    the start list writes it."""
    values = {"event": event_id, "offset": offset, "limit": limit}
    return await find_as_meant(
        connection,
        event_id,
        bib,
        lambda worn: _page(connection, PAGE_OF_BIB, {**values, "bib": worn}),
        lambda page: page.total,
    )


async def images_of_selfie(
    connection: AsyncConnection, event_id: int, request_id: UUID, *, offset: int, limit: int
) -> ImagePage:
    """A page of the photos that a selfie search matched, whether it has expired or not."""
    values = {"event": event_id, "selfie": request_id, "offset": offset, "limit": limit}
    return await _page(connection, PAGE_OF_SELFIE, values)


async def set_of_bib(connection: AsyncConnection, event_id: int, bib: str) -> ImageSet:
    """Which photos `images_of_bib` finds."""
    return await find_as_meant(
        connection,
        event_id,
        bib,
        lambda worn: _set(connection, SET_OF_BIB, {"event": event_id, "bib": worn}),
        lambda found: found.total,
    )


async def set_of_selfie(connection: AsyncConnection, event_id: int, request_id: UUID) -> ImageSet:
    """Which photos `images_of_selfie` finds."""
    return await _set(connection, SET_OF_SELFIE, {"event": event_id, "selfie": request_id})


async def more_are_coming(connection: AsyncConnection, event_id: int) -> bool:
    """Whether photos of the event wait to be read, or are being read."""
    cursor = await connection.execute(
        """select exists (select 1 from photo
                          where event_id = %s and state in ('waiting', 'processing'))""",
        [event_id],
        prepare=True,
    )
    return await cursor.fetchone() == (True,)


async def days_of_event(connection: AsyncConnection, event_id: int) -> list[DayCount]:
    """Photos a day and hour of capture, ascending; those without a capture time left out."""
    cursor = await connection.execute(DAYS, [event_id], prepare=True)
    hours: dict[date, list[HourCount]] = {}
    for day, hour, count in await cursor.fetchall():
        hours.setdefault(day, []).append(HourCount(hour, count))
    return [
        DayCount(day, sum(hour.count for hour in counts), counts) for day, counts in hours.items()
    ]


async def first_images(connection: AsyncConnection, event_ids: Sequence[int]) -> dict[int, Image]:
    """The first photo of each of these events that has any."""
    cursor = await connection.execute(
        """select event.id, first.id, width, height, drawn from unnest(%s::bigint[]) event(id)
           join lateral (
             select id, width, height, drawn from photo
             where event_id = event.id and width is not null and not hidden
             order by coalesce(captured_at, 'infinity'), id limit 1) first on true""",
        [list(event_ids)],
        prepare=True,
    )
    return {event_id: Image(*row) for event_id, *row in await cursor.fetchall()}


def moment(seconds: int) -> datetime:
    """The time at these Unix seconds."""
    return datetime.fromtimestamp(seconds, UTC)


async def _count_before(connection: AsyncConnection, event_id: int, at: datetime) -> int:
    cursor = await connection.execute(BEFORE, {"event": event_id, "at": at}, prepare=True)
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def _set(connection: AsyncConnection, sql: str, values: Mapping[str, object]) -> ImageSet:
    cursor = await connection.execute(sql, values, prepare=True)
    row = await cursor.fetchone()
    assert row is not None
    return ImageSet(*row)


async def _page(connection: AsyncConnection, sql: str, values: Mapping[str, object]) -> ImagePage:
    cursor = await connection.execute(sql, values, prepare=True)
    rows = await cursor.fetchall()
    return ImagePage(rows[0][0], [Image(*row[1:]) for row in rows if row[1] is not None])
