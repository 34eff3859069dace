"""Which face wears which bib, kept with the face; and whose bib a face without one wears.

Queries only. They run in the transaction of `links.py`; all stay inside one event. Those that
compare faces materialise the few that are due first: without statistics of a new event the planner
would go through all of its faces once for each that wears a bib.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import TypeVar
from uuid import UUID

from psycopg import AsyncConnection

from fotofinish.bibs.bodies import Box
from fotofinish.linking.deciding import LEAST_QUALITY, RIVAL, Owner, owner_of
from fotofinish.linking.wearing import what_faces_wear

Key = TypeVar("Key", bound=Hashable)


async def note_wearing(
    connection: AsyncConnection, event_id: int, photo_ids: Collection[UUID]
) -> set[str]:
    """Write what the faces of these photos wear; returns the bibs for which that changed."""
    cursor = await connection.execute(
        """select photo_id, bib, box from bib_tag
           where photo_id = any(%s) and event_id = %s and source <> 'linked'""",
        [list(photo_ids), event_id],
    )
    tags: defaultdict[UUID, list[tuple[str, Box | None]]] = defaultdict(list)
    for photo_id, bib, box in await cursor.fetchall():
        tags[photo_id].append((bib, None if box is None else tuple(box)))
    cursor = await connection.execute(
        """select photo_id, id, box, bib, bib_unclear from face
           where photo_id = any(%s) and event_id = %s order by id""",
        [list(photo_ids), event_id],
    )
    faces: defaultdict[UUID, list[tuple[int, Box, str | None, bool]]] = defaultdict(list)
    for photo_id, *face in await cursor.fetchall():
        faces[photo_id].append((face[0], tuple(face[1]), face[2], face[3]))
    changed: set[str] = set()
    changes: list[tuple[int, str | None, bool]] = []
    for photo_id, here in faces.items():
        worn = what_faces_wear([box for _, box, _, _ in here], tags[photo_id])
        for (face_id, _, bib, unclear), now in zip(here, worn, strict=True):
            if (bib, unclear) != (now.bib, now.unclear):
                changes.append((face_id, now.bib, now.unclear))
                changed |= {either for either in (bib, now.bib) if either is not None}
    if changes:
        await connection.execute(
            """update face set bib = now.bib, bib_unclear = now.unclear
               from unnest(%s::bigint[], %s::text[], %s::boolean[]) as now (id, bib, unclear)
               where face.id = now.id""",
            [list(column) for column in zip(*changes, strict=True)],
        )
    return changed


async def photos_to_judge(
    connection: AsyncConnection,
    event_id: int,
    photo_ids: Collection[UUID],
    *,
    lost: Collection[UUID],
    bibs: Collection[str],
) -> set[UUID]:
    """Photos whose links may change, of whose evidence some is new, or changed.

    `bibs`: for which evidence came or went; `lost`: photos whose evidence for one went. New
    evidence concerns faces that are like it and what is linked already; lost evidence also
    what it spoke against.
    """
    cursor = await connection.execute(
        """with evidence as materialized (
             select model, embedding from face
             where event_id = %(event)s and quality >= %(quality)s
               and (photo_id = any(%(photos)s) and bib is not null
                    or photo_id = any(%(lost)s)
                    or cardinality(%(lost)s) > 0 and bib = any(%(bibs)s)))
           select other.photo_id
           from evidence
           join face other on other.event_id = %(event)s and other.model = evidence.model
                and other.bib is null and not other.bib_unclear
           where other.quality >= %(quality)s
             and -(other.embedding <#> evidence.embedding) >= %(rival)s
           union
           select photo_id from bib_tag
           where event_id = %(event)s and bib = any(%(bibs)s) and source = 'linked'""",
        {
            "photos": list(photo_ids),
            "lost": list(lost),
            "bibs": list(bibs),
            "event": event_id,
            "rival": RIVAL,
            "quality": LEAST_QUALITY,
        },
    )
    return {*photo_ids, *(row[0] for row in await cursor.fetchall())}


async def bibs_of_faces(
    connection: AsyncConnection, event_id: int, photo_ids: Collection[UUID]
) -> dict[UUID, dict[str, float]]:
    """For each photo the bibs, with confidence, of people of whom the photo shows the face alone.

    Faces that wear a bib there, or may wear one, are left out: nothing contradicts what they wear.
    """
    cursor = await connection.execute(
        """with mine as materialized (
             select id, photo_id, model, embedding from face
             where photo_id = any(%(photos)s) and event_id = %(event)s
               and bib is null and not bib_unclear and quality >= %(quality)s)
           select id, photo_id, bib, array_agg(cosine)
           from (select mine.id, mine.photo_id, worn.bib,
                        max(-(mine.embedding <#> worn.embedding)) as cosine
                 from mine
                 join face worn on worn.event_id = %(event)s and worn.model = mine.model
                      and worn.bib is not null and worn.photo_id <> mine.photo_id
                 where worn.quality >= %(quality)s
                   and -(mine.embedding <#> worn.embedding) >= %(rival)s
                 group by mine.id, mine.photo_id, worn.bib, worn.photo_id) alike
           group by id, photo_id, bib""",
        {
            "photos": list(photo_ids),
            "event": event_id,
            "rival": RIVAL,
            "quality": LEAST_QUALITY,
        },
    )
    similar: defaultdict[tuple[UUID, int], dict[str, list[float]]] = defaultdict(dict)
    for face_id, photo_id, bib, cosines in await cursor.fetchall():
        similar[photo_id, face_id][bib] = cosines
    owners = await judged(connection, event_id, similar)
    found: defaultdict[UUID, dict[str, float]] = defaultdict(dict)
    for (photo_id, _), owner in owners.items():
        found[photo_id][owner.bib] = max(owner.confidence, found[photo_id].get(owner.bib, 0.0))
    return found


async def judged(
    connection: AsyncConnection, event_id: int, similar: Mapping[Key, Mapping[str, Sequence[float]]]
) -> dict[Key, Owner]:
    """The owners that are sure, of faces with these cosines to the wearers of bibs."""
    bibs = {bib for cosines in similar.values() for bib in cosines}
    cursor = await connection.execute(
        """select bib, count(distinct photo_id) from face
           where event_id = %s and bib = any(%s) and embedding is not null and quality >= %s
           group by bib""",
        [event_id, list(bibs), LEAST_QUALITY],
    )
    worn_on: dict[str, int] = dict(await cursor.fetchall())
    owners = ((key, owner_of(cosines, worn_on)) for key, cosines in similar.items())
    return {key: owner for key, owner in owners if owner is not None}
