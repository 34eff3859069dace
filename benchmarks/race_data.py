"""A big made-up event, put straight into the database: each bib on 60 photos, 50 photos a second.

Made with the triggers off, which would cost most of the time, and checked against nothing.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import psycopg

from fotofinish.database.connection import Database, open_connection
from fotofinish.events.events import create_event
from fotofinish.organisations.keys import create_key
from fotofinish.organisations.organisations import create_organisation

PHOTOS_A_BIB = 60

FILL = """
set session_replication_role = replica;
set synchronous_commit = off;
insert into photo (id, event_id, sha256, size, content_type, extension, name, width, height,
                   captured_at, state)
select gen_random_uuid(), {event}, sha256(n::text::bytea), 9000000, 'image/jpeg', 'jpg',
       n || '.jpg', 6000, 4000, '2026-01-19 06:00Z'::timestamptz + n * interval '20 ms', 'ready'
from generate_series(1, {photos}) n;
insert into bib_tag (photo_id, bib, event_id, confidence, captured_at, extension)
select id, (1 + rank % {bibs})::text, event_id, 0.9, captured_at, extension
from (select *, row_number() over (order by sha256) as rank from photo
      where event_id = {event}) ranked;
insert into photo_bucket (event_id, minute, prefix, slot, photos)
select event_id, photo_bucket_minute(captured_at), photo_bucket_prefix(captured_at, id), 0, count(*)
from photo where event_id = {event} group by 1, 2, 3;
"""


@dataclass(frozen=True, slots=True)
class BigRace:
    """An event with bibs 1 to `bibs`, and a key that reaches it."""

    org_id: int
    event_id: int
    key: str
    bibs: int


def make_big_race(database: Database, photos: int) -> BigRace:
    """An event with this many photos in an organisation of its own; takes 50 s a million."""
    org_id, event_id, key = asyncio.run(_make_event(database))
    bibs = max(1, photos // PHOTOS_A_BIB)
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        script = FILL.format(event=event_id, photos=photos, bibs=bibs)
        connection.execute(script.encode())
        connection.execute("set session_replication_role = origin")
        connection.execute("vacuum (analyze) photo, bib_tag, photo_bucket")
        connection.execute("checkpoint")
    return BigRace(org_id, event_id, key, bibs)


def filenames(database: Database, race: BigRace, bib: int) -> list[str]:
    """The file names of a bib's photos."""
    with psycopg.connect(database.dsn) as connection:
        rows = connection.execute(
            """select photo_id || '.' || extension from bib_tag
               where event_id = %s and bib = %s::text and visible""",
            [race.event_id, bib],
        ).fetchall()
    return [row[0] for row in rows]


async def _make_event(database: Database) -> tuple[int, int, str]:
    async with open_connection(database) as connection:
        organisation = await create_organisation(connection, "Benchmark")
        key, _ = await create_key(connection, organisation.id)
        event = await create_event(connection, organisation.id, "Big Race")
    return organisation.id, event.id, key
