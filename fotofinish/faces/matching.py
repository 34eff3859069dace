"""Which photos show the face of a selfie: exact comparison inside one event, in the database.

Matches are kept both ways: a new selfie is compared with all faces of its event, the faces of a
newly processed photo with all selfies of the event. A lock on the event makes one of the two see
the other, whichever comes first; photos do not wait for each other. Who deletes or hides photos, or
deletes selfies, holds it too, or would have to wait in the middle for matches of the other.
"""

from __future__ import annotations

from uuid import UUID

from psycopg import AsyncConnection

LOCK_CLASS = 0x66616365  # "face": the first of the two numbers of our advisory locks


async def lock_for_photo(connection: AsyncConnection, event_id: int) -> None:
    """Keep selfies of the event waiting until this transaction, which writes photos, has ended."""
    await connection.execute(
        "select pg_advisory_xact_lock_shared(%s, hashint8(%s))", [LOCK_CLASS, event_id]
    )


async def lock_for_selfie(connection: AsyncConnection, event_id: int) -> None:
    """Keep results of photos and other selfies waiting until this transaction has ended."""
    await connection.execute(
        "select pg_advisory_xact_lock(%s, hashint8(%s))", [LOCK_CLASS, event_id]
    )


async def match_selfie(connection: AsyncConnection, event_id: int, selfie_id: UUID) -> None:
    """Keep every photo of the event with a face as similar as the selfie's threshold asks.

    The best face of a photo counts. Hits are found before they are grouped: else the planner walks
    all faces in the photos' order, to save sorting a few. The selfie is read into values, not
    joined, which would take as long again as comparing does; and photos are looked up by `offset 0`
    one by one, since the planner expects a third of all. Runs in a transaction that holds
    `lock_for_selfie`.
    """
    await connection.execute(
        """with mine as materialized (
             select model, embedding, threshold from selfie
             where event_id = %(event)s and id = %(selfie)s),
           hit as materialized (
             select photo_id, -(embedding <#> (select embedding from mine)) as score from face
             where event_id = %(event)s and model = (select model from mine)
               and -(embedding <#> (select embedding from mine)) >= (select threshold from mine))
           insert into selfie_match
                  (event_id, selfie_id, photo_id, score, captured_at, extension, visible)
           select photo.event_id, %(selfie)s, photo.id, best.score, photo.captured_at,
                  photo.extension, not photo.hidden
           from (select photo_id, max(score) as score from hit group by photo_id) best,
                lateral (select * from photo where photo.id = best.photo_id offset 0) photo
           on conflict do nothing""",
        {"event": event_id, "selfie": selfie_id},
    )


async def match_photo(connection: AsyncConnection, event_id: int, photo_id: UUID) -> None:
    """Add the photo to every live selfie search of the event that one of its faces matches.

    Runs after the photo's faces are written, in a transaction that holds `lock_for_photo`.
    """
    await connection.execute(
        """insert into selfie_match
                  (event_id, selfie_id, photo_id, score, captured_at, extension, visible)
           select photo.event_id, selfie.id, photo.id,
                  max(-(face.embedding <#> selfie.embedding)), photo.captured_at,
                  photo.extension, not photo.hidden
           from photo
           join face on face.photo_id = photo.id
           join selfie on selfie.event_id = photo.event_id and selfie.model = face.model
           where photo.id = %(photo)s and photo.event_id = %(event)s
             and selfie.expires_at > now()
             and -(face.embedding <#> selfie.embedding) >= selfie.threshold
           group by photo.id, selfie.id
           on conflict (event_id, selfie_id, photo_id) do update
           set score = excluded.score, linked = false, captured_at = excluded.captured_at,
               visible = excluded.visible""",
        {"photo": photo_id, "event": event_id},
    )
