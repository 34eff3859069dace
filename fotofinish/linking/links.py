"""Links of an event's photos, kept true: bibs of people whose number is hidden on a photo.

A link is a row of `bib_tag` with `source = 'linked'`, never evidence for another. What is due is
taken in small transactions, so that a selfie search never waits long; a crash leaves it due.
Links follow from the evidence alone: the order in which photos came does not matter.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from psycopg import AsyncConnection

from fotofinish.faces.matching import lock_for_photo
from fotofinish.linking.evidence import bibs_of_faces, note_wearing, photos_to_judge
from fotofinish.linking.selfies import link_selfies, selfies_near

LOCK_CLASS = 0x6C696E6B  # "link": the first of the two numbers of our advisory locks
BATCH = 100


async def link_due_photos(connection: AsyncConnection, limit: int = BATCH) -> int:
    """Take up to `limit` rows of one event from what is due; returns how many they were."""
    async with connection.transaction():
        cursor = await connection.execute("select event_id from link_due order by id limit 1")
        row = await cursor.fetchone()
        if row is None:
            return 0
        return await _link_event(connection, row[0], limit)


async def links_are_due(connection: AsyncConnection, event_id: int) -> bool:
    """Whether any photo of the event waits to be looked at."""
    cursor = await connection.execute(
        "select exists (select 1 from link_due where event_id = %s)", [event_id]
    )
    row = await cursor.fetchone()
    return bool(row and row[0])


async def _link_event(connection: AsyncConnection, event_id: int, limit: int) -> int:
    await connection.execute(
        "select pg_advisory_xact_lock(%s, hashint8(%s))", [LOCK_CLASS, event_id]
    )
    await lock_for_photo(connection, event_id)
    cursor = await connection.execute(
        """delete from link_due where id in
             (select id from link_due where event_id = %s order by id limit %s)
           returning photo_id, bib""",
        [event_id, limit],
    )
    due = await cursor.fetchall()
    cursor = await connection.execute("select link_faces from event where id = %s", [event_id])
    row = await cursor.fetchone()
    if row is None or not row[0]:
        return len(due)
    photos = {photo_id for photo_id, _ in due}
    bibs = {bib for _, bib in due if bib is not None}
    bibs |= await note_wearing(connection, event_id, photos)
    lost = {photo_id for photo_id, bib in due if bib is not None}
    judged = await photos_to_judge(connection, event_id, photos, lost=lost, bibs=bibs)
    locked = await _lock(connection, event_id, judged)
    await _relink(connection, event_id, locked)
    selfies = await selfies_near(connection, event_id, locked, bibs)
    await link_selfies(connection, event_id, selfies)
    return len(due)


async def _lock(
    connection: AsyncConnection, event_id: int, photo_ids: Collection[UUID]
) -> list[UUID]:
    """Of the photos those that nobody is writing, kept so; the others stay due."""
    cursor = await connection.execute(
        """select id from photo where id = any(%s) and event_id = %s
           order by id for share skip locked""",
        [list(photo_ids), event_id],
    )
    locked = [row[0] for row in await cursor.fetchall()]
    await connection.execute(
        """insert into link_due (event_id, photo_id)
           select event_id, id from photo
           where id = any(%s) and event_id = %s and not id = any(%s)""",
        [list(photo_ids), event_id, locked],
    )
    return locked


async def _relink(connection: AsyncConnection, event_id: int, photo_ids: Collection[UUID]) -> None:
    """Make the photos' links those that the evidence gives; others of their tags stay.

    Bibs that somebody said are not on a photo stay away.
    """
    found = await bibs_of_faces(connection, event_id, photo_ids)
    links = [
        (photo_id, bib, confidence)
        for photo_id, bibs in found.items()
        for bib, confidence in bibs.items()
    ]
    columns = [list(column) for column in zip(*links, strict=True)] or [[], [], []]
    await connection.execute(
        """delete from bib_tag
           where photo_id = any(%s) and source = 'linked' and not exists
                 (select 1 from unnest(%s::uuid[], %s::text[]) as link (photo_id, bib)
                  where link.photo_id = bib_tag.photo_id and link.bib = bib_tag.bib)""",
        [list(photo_ids), *columns[:2]],
    )
    await connection.execute(
        """insert into bib_tag (photo_id, bib, event_id, confidence, source,
                                captured_at, extension, visible)
           select photo.id, link.bib, photo.event_id, link.confidence, 'linked',
                  photo.captured_at, photo.extension, not photo.hidden
           from unnest(%s::uuid[], %s::text[], %s::float8[]) as link (photo_id, bib, confidence)
           join photo on photo.id = link.photo_id
           where not exists (select 1 from bib_refusal refused
                             where refused.photo_id = photo.id and refused.bib = link.bib)
           on conflict (photo_id, bib) do update set confidence = excluded.confidence
           where bib_tag.source = 'linked' and bib_tag.confidence <> excluded.confidence""",
        columns,
    )
