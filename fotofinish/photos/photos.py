"""Rows of photos: their states, and what is written when one is processed or deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from fotofinish.faces.matching import lock_for_photo
from fotofinish.photos.keys import original_key

DRAWN_NOW = "greatest(drawn + 1, extract(epoch from clock_timestamp())::bigint)"
STATES = ("waiting", "processing", "ready", "failed")


@dataclass(frozen=True, slots=True)
class NewPhoto:
    """An original whose bytes are safe in the store, about to get its row."""

    id: UUID
    event_id: int
    sha256: bytes
    size: int
    content_type: str
    extension: str
    name: str
    folder: str = ""


@dataclass(frozen=True, slots=True)
class StoredPhoto:
    """What processing needs to know of a photo."""

    id: UUID
    event_id: int
    extension: str
    content_type: str
    state: str
    hidden: bool
    turned: int
    has_old_previews: bool
    time_zone: str
    startlist_version: int

    @property
    def key(self) -> str:
        """The original's object key."""
        return original_key(self.event_id, self.id, self.extension)


@dataclass(frozen=True, slots=True)
class EventStatus:
    """An event's photos by state, its distinct bib numbers, and the faces found."""

    photos: int
    ready: int
    processing: int
    waiting: int
    failed: int
    bibs: int
    faces: int


async def known_sha256(
    connection: AsyncConnection, event_id: int, digests: Sequence[bytes]
) -> set[bytes]:
    """Which of these SHA-256 digests the event has already."""
    cursor = await connection.execute(
        "select sha256 from photo where event_id = %s and sha256 = any(%s)",
        [event_id, list(digests)],
    )
    return {bytes(row[0]) for row in await cursor.fetchall()}


async def insert_photos(connection: AsyncConnection, photos: Sequence[NewPhoto]) -> set[UUID]:
    """Insert rows in state "waiting"; returns the ids that were new (same bytes: one photo)."""
    cursor = await connection.execute(
        """insert into photo (id, event_id, sha256, size, content_type, extension, name,
                              folder)
           select * from unnest(%s::uuid[], %s::bigint[], %s::bytea[], %s::bigint[], %s::text[],
                                %s::text[], %s::text[], %s::text[])
           order by 1 -- two batches of the same photos do not wait for each other
           on conflict do nothing
           returning id""",
        [
            [photo.id for photo in photos],
            [photo.event_id for photo in photos],
            [photo.sha256 for photo in photos],
            [photo.size for photo in photos],
            [photo.content_type for photo in photos],
            [photo.extension for photo in photos],
            [photo.name for photo in photos],
            [photo.folder for photo in photos],
        ],
    )
    return {row[0] for row in await cursor.fetchall()}


async def lock_photos(
    connection: AsyncConnection, event_id: int, photo_ids: Sequence[UUID]
) -> list[UUID]:
    """Keep others from writing what these photos have until this transaction has ended.

    Gives those that there are. Who writes of several locks them first: in the order of their ids,
    so that no two wait for each other, nor for who deletes their event (`lock_for_photo`).
    """
    await lock_for_photo(connection, event_id)
    cursor = await connection.execute(
        """select id from photo where event_id = %s and id = any(%s)
           order by id for no key update""",
        [event_id, list(photo_ids)],
    )
    return [row[0] for row in await cursor.fetchall()]


async def begin_processing(connection: AsyncConnection, photo_id: UUID) -> StoredPhoto | None:
    """Move a photo to "processing" and return it; None when it was deleted meanwhile."""
    async with connection.cursor(row_factory=class_row(StoredPhoto)) as cursor:
        await cursor.execute(
            """update photo set state = 'processing', reason = null
               from event where photo.id = %s and event.id = photo.event_id
               returning photo.id, photo.event_id, photo.extension, photo.content_type,
                         photo.state, photo.hidden, photo.turned,
                         photo.drawn <= 0 and photo.width is not null as has_old_previews,
                         event.time_zone, event.startlist_version""",
            [photo_id],
        )
        return await cursor.fetchone()


async def put_back(connection: AsyncConnection, photo_id: UUID) -> None:
    """Let a photo that was being processed wait again."""
    await connection.execute(
        "update photo set state = 'waiting' where id = %s and state = 'processing'", [photo_id]
    )


async def mark_failed(connection: AsyncConnection, photo_id: UUID, reason: str) -> None:
    """End a photo as "failed"; `reason` is read by the photographer."""
    await connection.execute(
        """update photo set state = 'failed', reason = %s, processed_at = now()
           where id = %s""",
        [reason, photo_id],
    )


async def mark_ready(
    connection: AsyncConnection,
    photo_id: UUID,
    *,
    turned: int,
    width: int,
    height: int,
    captured_at: datetime | None,
    capture_offset: int | None,
    preview_version: int,
    crc32: int,
) -> bool:
    """End a photo whose previews were drawn as "ready" with its upright size, capture time and
    checksum; False: gone, or turned meanwhile by other than `turned` quarters."""
    cursor = await connection.execute(
        f"""update photo set state = 'ready', reason = null, width = %s, height = %s,
                  captured_at = %s, capture_offset = %s, preview_version = %s, crc32 = %s,
                  drawn = {DRAWN_NOW}, processed_at = now()
            where id = %s and turned = %s""",  # noqa: S608 (a constant)
        [width, height, captured_at, capture_offset, preview_version, crc32, photo_id, turned],
    )
    return cursor.rowcount == 1


async def event_status(connection: AsyncConnection, event_id: int) -> EventStatus:
    """Count an event's photos by state, its distinct bibs, and its faces.

    Bibs by `group by`, which is hashed; `count(distinct)` sorts all tags and takes six times as
    long, and an event's page asks every two seconds.
    """
    async with connection.cursor(row_factory=class_row(EventStatus)) as cursor:
        await cursor.execute(
            """select count(*) as photos,
                      count(*) filter (where state = 'ready') as ready,
                      count(*) filter (where state = 'processing') as processing,
                      count(*) filter (where state = 'waiting') as waiting,
                      count(*) filter (where state = 'failed') as failed,
                      (select count(*) from (select bib from bib_tag where event_id = %(event)s
                                             group by bib) worn) as bibs,
                      (select count(*) from face where event_id = %(event)s) as faces
               from photo where event_id = %(event)s""",
            {"event": event_id},
        )
        status = await cursor.fetchone()
    assert status is not None
    return status


async def count_states(connection: AsyncConnection) -> dict[str, int]:
    """All events' photos by state; those that are ready and shown from the kept counts, in which
    those that are read again are too."""
    cursor = await connection.execute(
        """select state, count(*) from photo where state <> 'ready' group by state
           union all
           select 'ready', (select coalesce(sum(photos), 0)::bigint from photo_bucket)
             - (select count(*) from photo
                where state <> 'ready' and width is not null and not hidden)"""
    )
    counted: dict[str, int] = dict(await cursor.fetchall())
    return {state: counted.get(state, 0) for state in STATES}
