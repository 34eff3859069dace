"""Links of selfie searches: photos with the bib of the selfie's person that hide the face.

A row of `selfie_match` with `linked`. The bib is known when several photos show the selfie's face
wearing it; its other photos are linked unless another face wears the bib there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from fotofinish.linking.comparing import Templates, nearest, templates_by_model
from fotofinish.linking.deciding import LEAST_QUALITY, RIVAL, THREE_AGREE, Owner
from fotofinish.linking.evidence import Change, judged, owners_of

# below this cosine two good faces are of two people (1 % of true pairs on LFW, 99 % of false ones)
ANOTHER_PERSON = 0.3


class Search(NamedTuple):
    """One search; of another selfie that came under its id since, `made_at` tells it apart."""

    id: UUID
    made_at: datetime


async def searches_near(
    connection: AsyncConnection, event_id: int, change: Change, lost: Mapping[str, Templates]
) -> list[Search]:
    """The live searches whose links may change; `lost` is what `lost_evidence` gives.

    Those of people who may wear, or have worn, a bib of which evidence or photos came or went; and
    those that are linked for one to which somebody is a rival now.
    """
    alike, doubted = await _searches_alike(connection, event_id, change, lost)
    cursor = await connection.execute(
        """with near as (
             select unnest(%(photos)s::uuid[]) as photo_id
             union select photo_id from bib_tag
             where event_id = %(event)s and bib = any(%(bibs)s) and visible),
           linked as (
             select selfie_id from selfie_match join near using (photo_id)
             where event_id = %(event)s and linked
             union select selfie_id from selfie_match
             where event_id = %(event)s and selfie_id = any(%(doubted)s) and linked)
           select id, created_at from selfie
           where event_id = %(event)s and expires_at > now()
             and (id = any(%(alike)s) or id in (select selfie_id from linked))""",
        {
            "event": event_id,
            "photos": list(change.photos),
            "bibs": list(change.bibs),
            "alike": alike,
            "doubted": doubted,
        },
    )
    return [Search(*row) for row in await cursor.fetchall()]


async def _searches_alike(
    connection: AsyncConnection, event_id: int, change: Change, lost: Mapping[str, Templates]
) -> tuple[list[UUID], list[UUID]]:
    """Live searches that are like who wears these bibs, or wore one: enough to be linked for it,
    and only enough to speak against another."""
    selfies = await templates_by_model(
        connection,
        """select model, id, embedding from selfie
           where event_id = %(event)s and expires_at > now() and embedding is not null""",
        {"event": event_id},
    )
    if not selfies:
        return [], []
    worn = await _wearers(connection, event_id, change)
    alike: list[UUID] = []
    doubted: list[UUID] = []
    for model, mine in selfies.items():
        now = await nearest(mine.vectors, worn.get(model))
        before = await nearest(mine.vectors, lost.get(model))
        for search, cosine, past in zip(mine.keys, now.tolist(), before.tolist(), strict=True):
            if cosine >= THREE_AGREE or past >= RIVAL:
                alike.append(search)
            elif cosine >= RIVAL:
                doubted.append(search)
    return alike, doubted


async def _wearers(
    connection: AsyncConnection, event_id: int, change: Change
) -> dict[str, Templates]:
    """By model, the templates of who wears the photos' bibs or one that changed."""
    cursor = await connection.execute(
        "select bib from bib_tag where photo_id = any(%s) and source <> 'linked'",
        [list(change.photos)],
    )
    bibs = change.bibs.union(row[0] for row in await cursor.fetchall())
    return await templates_by_model(
        connection,
        """select model, photo_id, embedding from face
           where event_id = %(event)s and quality >= %(quality)s and embedding is not null
             and (photo_id = any(%(photos)s) or bib = any(%(bibs)s)) and bib is not null""",
        {
            "event": event_id,
            "quality": LEAST_QUALITY,
            "photos": list(change.photos),
            "bibs": list(bibs),
        },
    )


async def owners_of_selfies(
    connection: AsyncConnection, event_id: int, searches: Collection[Search]
) -> dict[UUID, Owner]:
    """Whose bib the people of these selfies wear, where that is sure."""
    owners: dict[UUID, Owner] = {}
    mine = await templates_by_model(
        connection,
        """select model, id, embedding from selfie
           where event_id = %(event)s and id = any(%(selfies)s) and embedding is not null""",
        {"event": event_id, "selfies": [search.id for search in searches]},
    )
    for model, selfies in mine.items():
        found = await owners_of(connection, event_id, model, selfies.vectors)
        owners |= {selfies.keys[row]: owner for row, owner in found.items()}
    return owners


async def link_new_selfie(connection: AsyncConnection, event_id: int, search: Search) -> None:
    """Link a search that was just stored, if its event links at all.

    Runs in the transaction that holds `lock_for_selfie`.
    """
    cursor = await connection.execute(
        """select worn.bib, max(-(selfie.embedding <#> worn.embedding))
           from selfie
           join face worn on worn.event_id = selfie.event_id and worn.model = selfie.model
                and worn.bib is not null
           join event on event.id = selfie.event_id and event.link_faces
           where selfie.event_id = %(event)s and selfie.id = %(selfie)s
             and worn.quality >= %(quality)s
             and -(selfie.embedding <#> worn.embedding) >= %(rival)s
           group by worn.bib, worn.photo_id""",
        {"event": event_id, "selfie": search.id, "rival": RIVAL, "quality": LEAST_QUALITY},
    )
    similar: defaultdict[str, list[float]] = defaultdict(list)
    for bib, cosine in await cursor.fetchall():
        similar[bib].append(cosine)
    owners = await judged(connection, event_id, {search.id: similar})
    photos = await linked_photos(connection, event_id, [search], owners)
    await keep_links(connection, event_id, [search], owners, photos)


async def lock_searches(
    connection: AsyncConnection, event_id: int, searches: Collection[Search]
) -> list[Search]:
    """Keep searches until this transaction has ended; those that are being deleted are left out."""
    cursor = await connection.execute(
        """select id, created_at from selfie
           where event_id = %s and id = any(%s) order by id for key share skip locked""",
        [event_id, [search.id for search in searches]],
    )
    kept = {Search(*row) for row in await cursor.fetchall()}
    return [search for search in searches if search in kept]


async def linked_photos(
    connection: AsyncConnection,
    event_id: int,
    searches: Collection[Search],
    owners: Mapping[UUID, Owner],
) -> set[UUID]:
    """Photos that are linked to one of the searches, or may be by its owner's bib."""
    cursor = await connection.execute(
        """select photo_id from selfie_match
           where event_id = %(event)s and selfie_id = any(%(searches)s) and linked
           union
           select photo_id from bib_tag
           where event_id = %(event)s and bib = any(%(bibs)s) and visible and source <> 'linked'""",
        {
            "event": event_id,
            "searches": [search.id for search in searches],
            "bibs": list({owners[search.id].bib for search in searches if search.id in owners}),
        },
    )
    return {row[0] for row in await cursor.fetchall()}


async def keep_links(
    connection: AsyncConnection,
    event_id: int,
    searches: Collection[Search],
    owners: Mapping[UUID, Owner],
    photo_ids: Collection[UUID],
) -> None:
    """Make the searches' links to these photos those of their owners' bibs; their own matches stay.

    A bib's photos are linked but those on which somebody else wears it. Runs in a transaction that
    keeps the searches. What is joined is found first: else each photo is looked up for each search.
    """
    values = {"event": event_id, "photos": list(photo_ids)}
    await connection.execute(
        """with link as materialized (
             select ctid as place, photo_id from selfie_match
             where event_id = %(event)s and selfie_id = any(%(searches)s) and linked)
           delete from selfie_match where ctid = any(array(
             select place from link where photo_id in (select unnest(%(photos)s::uuid[]))))""",
        values | {"searches": [search.id for search in searches]},
    )
    owned = [
        (search.id, owner.bib, owner.confidence)
        for search in searches
        if (owner := owners.get(search.id)) is not None
    ]
    columns = [list(column) for column in zip(*owned, strict=True)] or [[], [], []]
    await connection.execute(
        """with tag as materialized (
             select event_id, photo_id, bib, captured_at, extension, visible from bib_tag
             where event_id = %(event)s and bib = any(%(bibs)s) and visible
               and source <> 'linked')
           insert into selfie_match
                  (event_id, selfie_id, photo_id, score, captured_at, extension, visible, linked)
           select tag.event_id, selfie.id, tag.photo_id, search.confidence, tag.captured_at,
                  tag.extension, tag.visible, true
           from unnest(%(ids)s::uuid[], %(bibs)s::text[], %(confidences)s::float8[])
                as search (id, bib, confidence)
           join selfie on selfie.event_id = %(event)s and selfie.id = search.id
           join tag on tag.bib = search.bib
           where tag.photo_id in (select unnest(%(photos)s::uuid[]))
             and not exists (
               select 1 from face
               where face.photo_id = tag.photo_id and face.bib = tag.bib
                 and face.model = selfie.model and face.quality >= %(quality)s
                 and -(face.embedding <#> selfie.embedding) < %(another)s)
           on conflict (event_id, selfie_id, photo_id) do nothing""",
        values
        | dict(zip(("ids", "bibs", "confidences"), columns, strict=True))
        | {"another": ANOTHER_PERSON, "quality": LEAST_QUALITY},
    )
