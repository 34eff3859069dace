"""Links of an event's photos, kept true: bibs of people whose number is hidden on a photo.

A link is a row of `bib_tag` with `source = 'linked'`, never evidence for another. Faces are
compared outside of transactions, so that nobody waits for it: what changes meanwhile is due anew,
and a crash leaves due what was. Links follow from the evidence alone: the order of photos does not
matter.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from psycopg import AsyncConnection

from fotofinish.faces.matching import lock_for_photo
from fotofinish.linking.evidence import (
    Change,
    bibs_of_faces,
    lost_evidence,
    note_wearing,
    photos_to_judge,
)
from fotofinish.linking.selfies import (
    keep_links,
    linked_photos,
    lock_searches,
    owners_of_selfies,
    searches_near,
)

LOCK_CLASS = 0x6C696E6B  # "link": the first of the two numbers of our advisory locks
BATCH = 1600


async def link_due_photos(connection: AsyncConnection, limit: int = BATCH) -> int:
    """Take up to `limit` rows of one event from what is due; returns how many they were."""
    cursor = await connection.execute("select event_id from link_due order by id limit 1")
    row = await cursor.fetchone()
    if row is None:
        return 0
    turn = [LOCK_CLASS, row[0]]
    # of two that compare at once, the one that read first could write last
    await connection.execute("select pg_advisory_lock(%s, hashint8(%s))", turn)
    try:
        return await _link_event(connection, row[0], limit)
    finally:
        await connection.execute("select pg_advisory_unlock(%s, hashint8(%s))", turn)


async def links_are_due(connection: AsyncConnection, event_id: int) -> bool:
    """Whether any photo of the event waits to be looked at."""
    cursor = await connection.execute(
        "select exists (select 1 from link_due where event_id = %s)", [event_id]
    )
    row = await cursor.fetchone()
    return bool(row and row[0])


async def _link_event(connection: AsyncConnection, event_id: int, limit: int) -> int:
    async with connection.transaction():
        due, change = await _take(connection, event_id, limit)
    if change.photos:
        lost = await lost_evidence(connection, event_id, change)
        judged = await photos_to_judge(connection, event_id, change, lost)
        links = await bibs_of_faces(connection, event_id, judged)
        searches = await searches_near(connection, event_id, change, lost)
        owners = await owners_of_selfies(connection, event_id, searches)
    async with connection.transaction():
        if change.photos and await _links_are_wanted(connection, event_id):
            searches = await lock_searches(connection, event_id, searches)
            photos = judged | await linked_photos(connection, event_id, searches, owners)
            free, busy = await _lock(connection, event_id, photos)
            await _relink(connection, free & judged, links)
            await keep_links(connection, event_id, searches, owners, free)
            await _put_off(connection, event_id, busy)
        await connection.execute("delete from link_due where id = any(%s)", [due])
    return len(due)


async def _take(connection: AsyncConnection, event_id: int, limit: int) -> tuple[list[int], Change]:
    """The ids of what is due, and what it changes; nothing where links are switched off.

    A selfie that is being searched is waited for: it is known afterwards, and later ones see what
    faces wear by then. What is due of photos that somebody is writing is left for the next time.
    """
    await lock_for_photo(connection, event_id)
    cursor = await connection.execute(
        "select id, photo_id, bib from link_due where event_id = %s order by id limit %s",
        [event_id, limit],
    )
    due = await cursor.fetchall()
    if not await _links_are_wanted(connection, event_id):
        return [row[0] for row in due], Change(set(), set(), set())
    _, busy = await _lock(connection, event_id, {photo_id for _, photo_id, _ in due})
    due = [row for row in due if row[1] not in busy]
    ids = [row[0] for row in due]
    change = await note_wearing(connection, event_id, {photo_id for _, photo_id, _ in due})
    # after a crash faces wear it already: only this tells then for which bibs that was new
    changed = list(change.gained | change.lost)
    cursor = await connection.execute(
        """insert into link_due (event_id, photo_id, bib)
           select %s, photo_id, bib from unnest(%s::uuid[], %s::text[]) as changed (photo_id, bib)
           returning id""",
        [event_id, [photo_id for photo_id, _ in changed], [bib for _, bib in changed]],
    )
    ids += [row[0] for row in await cursor.fetchall()]
    change.lost.update((photo_id, bib) for _, photo_id, bib in due if bib is not None)
    return ids, change


async def _links_are_wanted(connection: AsyncConnection, event_id: int) -> bool:
    """Whether the event links, which stays so until this transaction has ended."""
    cursor = await connection.execute(
        "select link_faces from event where id = %s for share", [event_id]
    )
    row = await cursor.fetchone()
    return bool(row and row[0])


async def _lock(
    connection: AsyncConnection, event_id: int, photo_ids: Collection[UUID]
) -> tuple[set[UUID], set[UUID]]:
    """The photos that nobody is writing, kept so, and those that somebody is.

    Who writes a photo's tags, faces or matches locks the photo first. Nobody is waited for here, so
    that no two wait for each other.
    """
    cursor = await connection.execute(
        """select id from photo where id = any(%s) and event_id = %s
           order by id for share skip locked""",
        [list(photo_ids), event_id],
    )
    free = {row[0] for row in await cursor.fetchall()}
    cursor = await connection.execute(
        "select id from photo where id = any(%s) and event_id = %s",
        [list(set(photo_ids) - free), event_id],
    )
    return free, {row[0] for row in await cursor.fetchall()}


async def _put_off(connection: AsyncConnection, event_id: int, photo_ids: Collection[UUID]) -> None:
    """Have the photos looked at again."""
    await connection.execute(
        "insert into link_due (event_id, photo_id) select %s, unnest(%s::uuid[])",
        [event_id, list(photo_ids)],
    )


async def _relink(
    connection: AsyncConnection,
    photo_ids: Collection[UUID],
    bibs_of: Mapping[UUID, Mapping[str, float]],
) -> None:
    """Make the photos' links those of `bibs_of`; others of their tags stay.

    Bibs that somebody said are not on a photo stay away.
    """
    links = [
        (photo_id, bib, confidence)
        for photo_id in photo_ids
        for bib, confidence in bibs_of.get(photo_id, {}).items()
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
