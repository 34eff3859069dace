"""Links of selfie searches: photos with the bib of the selfie's person that hide the face.

A row of `selfie_match` with `linked`. The bib is known when several photos show the selfie's face
wearing it; its other photos are linked unless another face wears the bib there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from psycopg import AsyncConnection

from fotofinish.linking.deciding import LEAST_QUALITY, RIVAL
from fotofinish.linking.evidence import judged

# below this cosine two good faces are of two people (1 % of true pairs on LFW, 99 % of false ones)
ANOTHER_PERSON = 0.3


async def selfies_near(
    connection: AsyncConnection, event_id: int, photo_ids: Collection[UUID], bibs: Collection[str]
) -> set[UUID]:
    """The live searches that found one of these photos, or photos of one of their bibs."""
    cursor = await connection.execute(
        """with bib as (
             select bib from bib_tag where photo_id = any(%(photos)s) and source <> 'linked'
             union select unnest(%(bibs)s::text[])),
           near as (
             select unnest(%(photos)s::uuid[]) as photo_id
             union select photo_id from bib_tag join bib using (bib)
             where event_id = %(event)s and visible)
           select distinct selfie_id from selfie_match join near using (photo_id)
           join selfie on selfie.event_id = selfie_match.event_id and selfie.id = selfie_id
           where selfie_match.event_id = %(event)s and selfie.expires_at > now()""",
        {"photos": list(photo_ids), "bibs": list(bibs), "event": event_id},
    )
    return {row[0] for row in await cursor.fetchall()}


async def link_selfies(
    connection: AsyncConnection, event_id: int, selfie_ids: Collection[UUID]
) -> None:
    """Make the searches' links those that the evidence gives; their own matches stay.

    Runs inside a transaction that holds one of the locks of `faces/matching.py`.
    """
    if not selfie_ids:
        return
    cursor = await connection.execute(
        """select id, bib, array_agg(cosine)
           from (select selfie.id, worn.bib, max(-(selfie.embedding <#> worn.embedding)) as cosine
                 from selfie
                 join face worn on worn.event_id = selfie.event_id and worn.model = selfie.model
                      and worn.bib is not null
                 join event on event.id = selfie.event_id and event.link_faces
                 where selfie.event_id = %(event)s and selfie.id = any(%(selfies)s)
                   and worn.quality >= %(quality)s
                   and -(selfie.embedding <#> worn.embedding) >= %(rival)s
                 group by selfie.id, worn.bib, worn.photo_id) alike
           group by id, bib""",
        {"event": event_id, "selfies": list(selfie_ids), "rival": RIVAL,
         "quality": LEAST_QUALITY},
    )  # fmt: skip
    similar: defaultdict[UUID, dict[str, list[float]]] = defaultdict(dict)
    for selfie_id, bib, cosines in await cursor.fetchall():
        similar[selfie_id][bib] = cosines
    owners = await judged(connection, event_id, similar)
    await connection.execute(
        "delete from selfie_match where event_id = %s and selfie_id = any(%s) and linked",
        [event_id, list(selfie_ids)],
    )
    for selfie_id, owner in owners.items():
        await _add(connection, event_id, selfie_id, owner.bib, owner.confidence)


async def _add(
    connection: AsyncConnection, event_id: int, selfie_id: UUID, bib: str, confidence: float
) -> None:
    """Add the bib's photos to the search, but those on which somebody else wears it."""
    await connection.execute(
        """insert into selfie_match
                  (event_id, selfie_id, photo_id, score, captured_at, extension, visible, linked)
           select tag.event_id, selfie.id, tag.photo_id, %(confidence)s, tag.captured_at,
                  tag.extension, tag.visible, true
           from bib_tag tag
           join selfie on selfie.event_id = tag.event_id and selfie.id = %(selfie)s
           where tag.event_id = %(event)s and tag.bib = %(bib)s and tag.visible
             and tag.source <> 'linked'
             and not exists (
               select 1 from face
               where face.photo_id = tag.photo_id and face.bib = tag.bib
                 and face.model = selfie.model and face.quality >= %(quality)s
                 and -(face.embedding <#> selfie.embedding) < %(another)s)
           on conflict (event_id, selfie_id, photo_id) do nothing""",
        {"event": event_id, "selfie": selfie_id, "bib": bib, "confidence": confidence,
         "another": ANOTHER_PERSON, "quality": LEAST_QUALITY},
    )  # fmt: skip
