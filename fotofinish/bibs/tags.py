"""Bib tags of a photo: written by the reader, corrected by hand; a hand always wins."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from psycopg import AsyncConnection

from fotofinish.bibs.numbers import normalise_bib
from fotofinish.bibs.plausibility import BibReading


async def replace_tags(
    connection: AsyncConnection, event_id: int, photo_id: UUID, readings: Sequence[BibReading]
) -> None:
    """Make these the photo's read tags; tags by hand stay, where they were read now and at the time
    that it was captured, and links are made again by themselves.

    Runs inside the caller's transaction, after the photo's capture time is written.
    """
    await connection.execute(
        "delete from bib_tag where photo_id = %s and source <> 'hand'", [photo_id]
    )
    await connection.execute(
        """update bib_tag set captured_at = photo.captured_at, visible = not photo.hidden
           from photo where photo.id = %s and bib_tag.photo_id = photo.id""",
        [photo_id],
    )
    if not readings:
        return
    best = {
        normalise_bib(reading.bib): reading
        for reading in sorted(readings, key=lambda reading: reading.confidence)
    }
    async with connection.cursor() as cursor:
        await cursor.executemany(
            """insert into bib_tag (photo_id, bib, event_id, confidence, box, source,
                                    captured_at, extension, visible)
               select id, %s, event_id, %s, %s, 'read', captured_at, extension, not hidden
               from photo where id = %s and event_id = %s and not exists
                    (select 1 from bib_refusal where photo_id = photo.id and bib = %s)
               on conflict (photo_id, bib) do update set box = excluded.box""",
            [
                [bib, reading.confidence, list(map(float, reading.box)), photo_id, event_id, bib]
                for bib, reading in best.items()
            ],
        )
