"""Which face wears which bib, kept with the face; and whose bib a face without one wears.

Everything stays inside one event. `comparing.py` compares faces; nothing here is locked meanwhile.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import numpy as np
from psycopg import AsyncConnection

from fotofinish.arrays import Box
from fotofinish.linking.comparing import (
    FREE,
    WORN,
    Alike,
    Templates,
    Vectors,
    faces_alike,
    templates_by_model,
)
from fotofinish.linking.deciding import (
    LEAST_QUALITY,
    MARGIN,
    RIVAL,
    THREE_AGREE,
    Owner,
    owner_of,
    rivals_above,
)
from fotofinish.linking.wearing import what_faces_wear

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Change:
    """Photos to be looked at, and for which bibs they became evidence or are it no more."""

    photos: set[UUID]
    gained: set[tuple[UUID, str]]
    lost: set[tuple[UUID, str]]

    @property
    def bibs(self) -> set[str]:
        """All bibs of whose evidence some came or went."""
        return {bib for _, bib in self.gained | self.lost}


async def note_wearing(connection: AsyncConnection, event_id: int, photos: set[UUID]) -> Change:
    """Write what the faces of these photos wear; returns what that changes."""
    cursor = await connection.execute(
        """select photo_id, bib, box from bib_tag
           where photo_id = any(%s) and event_id = %s and source <> 'linked'""",
        [list(photos), event_id],
    )
    tags: defaultdict[UUID, list[tuple[str, Box | None]]] = defaultdict(list)
    for photo_id, bib, box in await cursor.fetchall():
        tags[photo_id].append((bib, None if box is None else tuple(box)))
    cursor = await connection.execute(
        """select photo_id, id, box, bib, bib_unclear from face
           where photo_id = any(%s) and event_id = %s order by id""",
        [list(photos), event_id],
    )
    faces: defaultdict[UUID, list[tuple[int, Box, str | None, bool]]] = defaultdict(list)
    for photo_id, *face in await cursor.fetchall():
        faces[photo_id].append((face[0], tuple(face[1]), face[2], face[3]))
    change = Change(photos, set(), set())
    written: list[tuple[int, str | None, bool]] = []
    for photo_id, here in faces.items():
        worn = what_faces_wear([box for _, box, _, _ in here], tags[photo_id])
        for (face_id, _, bib, unclear), now in zip(here, worn, strict=True):
            if (bib, unclear) == (now.bib, now.unclear):
                continue
            written.append((face_id, now.bib, now.unclear))
            if bib is not None:
                change.lost.add((photo_id, bib))
            if now.bib is not None:
                change.gained.add((photo_id, now.bib))
    if written:
        await connection.execute(
            """update face set bib = now.bib, bib_unclear = now.unclear
               from unnest(%s::bigint[], %s::text[], %s::boolean[]) as now (id, bib, unclear)
               where face.id = now.id""",
            [list(column) for column in zip(*written, strict=True)],
        )
    return change


async def lost_evidence(
    connection: AsyncConnection, event_id: int, change: Change
) -> dict[str, Templates]:
    """By model, the templates of photos that are evidence for a bib no more, and of who still wears
    that."""
    return await templates_by_model(
        connection,
        """select model, photo_id, embedding from face
           where event_id = %(event)s and quality >= %(quality)s and embedding is not null
             and (photo_id = any(%(photos)s) or bib = any(%(bibs)s))""",
        {
            "event": event_id,
            "quality": LEAST_QUALITY,
            "photos": [photo_id for photo_id, _ in change.lost],
            "bibs": [bib for _, bib in change.lost],
        },
    )


async def photos_to_judge(
    connection: AsyncConnection, event_id: int, change: Change, lost: Mapping[str, Templates]
) -> set[UUID]:
    """Photos whose links may change; `lost` is what `lost_evidence` gives.

    New evidence speaks for faces that are much like it, and against what is linked of others;
    evidence that is lost did so, and its bib may hang on fewer photos that show somebody else.
    """
    gained = await templates_by_model(
        connection,
        """select model, photo_id, embedding from face
           where event_id = %(event)s and quality >= %(quality)s and embedding is not null
             and bib is not null and photo_id = any(%(photos)s)""",
        {"event": event_id, "quality": LEAST_QUALITY, "photos": list(change.photos)},
    )
    judged: set[UUID] = set(change.photos)
    near: set[int] = set()
    for model, faces in gained.items():
        alike = await faces_alike(connection, event_id, model, faces.vectors, FREE, RIVAL)
        near.update(alike.ids[alike.cosines >= THREE_AGREE].tolist())
        judged |= await _doubted(connection, event_id, alike)
    for model, faces in lost.items():
        alike = await faces_alike(connection, event_id, model, faces.vectors, FREE, RIVAL)
        near.update(alike.ids.tolist())
    cursor = await connection.execute(
        """select photo_id from face where id = any(%s)
           union select photo_id from bib_tag
                 where event_id = %s and bib = any(%s) and source = 'linked'""",
        [list(near), event_id, list(change.bibs)],
    )
    return judged.union(row[0] for row in await cursor.fetchall())


async def _doubted(connection: AsyncConnection, event_id: int, alike: Alike) -> set[UUID]:
    """Photos that are linked for a face to which one of these pairs may be a rival.

    Most pairs are none: a face that is linked is much more like those that wear its bib.
    """
    by_cosine = np.argsort(-alike.cosines, kind="stable")
    ids, first = np.unique(alike.ids[by_cosine], return_index=True)
    cursor = await connection.execute(
        """with linked as materialized (
             select face.photo_id, face.model, face.embedding, rival.cosine, tag.bib
             from unnest(%(ids)s::bigint[], %(cosines)s::float8[]) as rival (id, cosine)
             join face using (id)
             join bib_tag tag on tag.photo_id = face.photo_id and tag.source = 'linked')
           select distinct photo_id from linked
           cross join lateral (
             select max(-(linked.embedding <#> worn.embedding)) as cosine from face worn
             where worn.event_id = %(event)s and worn.bib = linked.bib
               and worn.model = linked.model and worn.photo_id <> linked.photo_id
               and worn.quality >= %(quality)s
               and -(linked.embedding <#> worn.embedding) >= %(agree)s
             group by worn.photo_id order by cosine desc offset 1 limit 1) second
           where linked.cosine > second.cosine - %(margin)s::float8""",
        {
            "ids": ids.tolist(),
            "cosines": alike.cosines[by_cosine][first].tolist(),
            "event": event_id,
            "quality": LEAST_QUALITY,
            "agree": THREE_AGREE,
            "margin": MARGIN,
        },
    )
    return {row[0] for row in await cursor.fetchall()}


async def bibs_of_faces(
    connection: AsyncConnection, event_id: int, photo_ids: Collection[UUID]
) -> dict[UUID, dict[str, float]]:
    """For each photo the bibs, with confidence, of people of whom the photo shows the face alone.

    Faces that wear a bib there, or may wear one, are left out: nothing contradicts what they wear.
    """
    mine = await templates_by_model(
        connection,
        """select model, photo_id, embedding from face
           where photo_id = any(%(photos)s) and event_id = %(event)s and quality >= %(quality)s
             and embedding is not null and bib is null and not bib_unclear""",
        {"photos": list(photo_ids), "event": event_id, "quality": LEAST_QUALITY},
    )
    found: defaultdict[UUID, dict[str, float]] = defaultdict(dict)
    for model, faces in mine.items():
        owners = await owners_of(connection, event_id, model, faces.vectors, photos=faces.keys)
        for row, owner in owners.items():
            bibs = found[faces.keys[row]]
            bibs[owner.bib] = max(owner.confidence, bibs.get(owner.bib, 0.0))
    return found


async def owners_of(
    connection: AsyncConnection,
    event_id: int,
    model: str,
    vectors: Vectors,
    *,
    photos: Sequence[UUID] | None = None,
) -> dict[int, Owner]:
    """The owners that are sure, by row of these templates (n, dimensions).

    `photos`: on which each is, that are no evidence for it.
    """
    alike = await faces_alike(connection, event_id, model, vectors, WORN, RIVAL)
    agreeing = alike.cosines >= THREE_AGREE
    similar = await _by_bib(connection, alike.those(agreeing), photos)
    # of the many others few can matter, beside faces that are much more alike
    floor = np.full(len(vectors), np.inf)
    for row, cosines in similar.items():
        floor[row] = rivals_above(cosines)
    near = alike.cosines > floor[alike.rows]
    similar = await _by_bib(connection, alike.those(agreeing | near), photos)
    return await judged(connection, event_id, similar)


async def _by_bib(
    connection: AsyncConnection, alike: Alike, photos: Sequence[UUID] | None
) -> dict[int, dict[str, list[float]]]:
    """For each row the cosines of each bib's wearers, the best of each photo."""
    cursor = await connection.execute(
        "select id, photo_id, bib from face where id = any(%s) and bib is not null",
        [np.unique(alike.ids).tolist()],
    )
    worn = {face_id: (photo_id, bib) for face_id, photo_id, bib in await cursor.fetchall()}
    best: dict[tuple[int, str, UUID], float] = {}
    pairs = zip(alike.rows.tolist(), alike.ids.tolist(), alike.cosines.tolist(), strict=True)
    for row, face_id, cosine in pairs:
        photo_id, bib = worn.get(face_id, (None, None))
        if bib is not None and (photos is None or photos[row] != photo_id):
            best[row, bib, photo_id] = max(cosine, best.get((row, bib, photo_id), -1.0))
    similar: defaultdict[int, dict[str, list[float]]] = defaultdict(dict)
    for (row, bib, _), cosine in best.items():
        similar[row].setdefault(bib, []).append(cosine)
    return similar


async def judged(
    connection: AsyncConnection, event_id: int, similar: Mapping[Key, Mapping[str, Sequence[float]]]
) -> dict[Key, Owner]:
    """The owners that are sure, of templates with these cosines to the wearers of bibs."""
    bibs = {
        bib
        for of_bibs in similar.values()
        for bib, cosines in of_bibs.items()
        if max(cosines) >= THREE_AGREE
    }
    cursor = await connection.execute(
        """select bib, count(distinct photo_id) from face
           where event_id = %s and bib = any(%s) and embedding is not null and quality >= %s
           group by bib""",
        [event_id, list(bibs), LEAST_QUALITY],
    )
    worn_on: dict[str, int] = dict(await cursor.fetchall())
    owners = ((key, owner_of(cosines, worn_on)) for key, cosines in similar.items())
    return {key: owner for key, owner in owners if owner is not None}
