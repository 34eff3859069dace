"""An event as its participants meet it: found by the slug in the gallery's address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg import AsyncConnection
from psycopg.rows import class_row


@dataclass(frozen=True, slots=True)
class PublishedEvent:
    """What the gallery shows and obeys. `starts_at` is the wall clock of `time_zone`."""

    id: int
    slug: str
    name: str
    organiser: str
    starts_at: datetime
    time_zone: str
    status: str
    event_enabled: bool
    bib_search: bool
    selfie_search: bool
    match_threshold: float | None
    retention_days: int | None


async def find_published(connection: AsyncConnection, slug: str) -> PublishedEvent | None:
    """The event with this slug, in whatever state it is; whether it is open is for the caller."""
    if "\0" in slug:  # PostgreSQL has no such character
        return None
    async with connection.cursor(row_factory=class_row(PublishedEvent)) as cursor:
        await cursor.execute(
            """select event.id, slug, event.name, organisation.name as organiser, starts_at,
                      time_zone, status, event_enabled, bib_search, selfie_search,
                      match_threshold, retention_days
               from event join organisation on organisation.id = event.org_id
               where slug = %s""",
            [slug],
            prepare=True,
        )
        return await cursor.fetchone()
