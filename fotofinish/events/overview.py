"""An organisation's events with how far their photos are, for the dashboard."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg import AsyncConnection
from psycopg.rows import class_row


@dataclass(frozen=True, slots=True)
class EventSummary:
    """An event and its photos by state; `open` are those waiting or being processed, `removals`
    requests to remove a photo that wait for an answer."""

    id: int
    name: str
    slug: str
    starts_at: datetime
    time_zone: str
    status: str
    photos: int
    ready: int
    open: int
    failed: int
    removals: int


@dataclass(frozen=True, slots=True)
class Example:
    """A bib that a search finds, in an event that may be searched by it."""

    event_id: int
    name: str
    bib: str


async def find_example(connection: AsyncConnection, org_id: int) -> Example | None:
    """A bib of the organisation's latest event that has one."""
    async with connection.cursor(row_factory=class_row(Example)) as cursor:
        await cursor.execute(
            """select event.id as event_id, event.name, tag.bib
               from event
               cross join lateral (
                   select bib from bib_tag
                   where bib_tag.event_id = event.id and visible limit 1) as tag
               where event.org_id = %s and event.event_enabled and event.bib_search
               order by event.starts_at desc, event.id desc limit 1""",
            [org_id],
        )
        return await cursor.fetchone()


async def list_summaries(connection: AsyncConnection, org_id: int) -> list[EventSummary]:
    """The organisation's events, latest first."""
    async with connection.cursor(row_factory=class_row(EventSummary)) as cursor:
        await cursor.execute(
            """select event.id, event.name, event.slug, event.starts_at, event.time_zone,
                      event.status, counted.photos, counted.ready, counted.open, counted.failed,
                      (select count(*) from removal_request request
                       where request.event_id = event.id and request.state = 'open') as removals
               from event
               cross join lateral (
                   select count(*) as photos,
                          count(*) filter (where state = 'ready') as ready,
                          count(*) filter (where state in ('waiting', 'processing')) as open,
                          count(*) filter (where state = 'failed') as failed
                   from photo where photo.event_id = event.id) as counted
               where event.org_id = %s
               order by event.starts_at desc, event.id desc""",
            [org_id],
        )
        return await cursor.fetchall()
