"""Which originals a participant gets, page by page, and their links: the product's hot path.

Each search reads one covering index and nothing else. What may be searched is decided before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from psycopg import AsyncConnection

from fotofinish.bibs.numbers import normalise_bib
from fotofinish.errors import FotofinishError
from fotofinish.photos.keys import originals_folder
from fotofinish.storage.links import Linker
from fotofinish.storage.stores import Store

MISSING = "original is missing from storage"
UNKNOWN = "no such photo in this event"

PAGE_BY_BIB = """
select (select count(*) from bib_tag where event_id = %(event)s and bib = %(bib)s and visible),
       (select string_agg(photo_id || '.' || extension, '/')
        from (select photo_id, extension from bib_tag
              where event_id = %(event)s and bib = %(bib)s and visible
              order by captured_at, photo_id offset %(offset)s limit %(limit)s) page)
"""
PAGE_BY_SELFIE = """
with live as (select exists (select 1 from selfie where event_id = %(event)s and id = %(selfie)s
                                                  and expires_at > now()) as found)
select (select count(*) from selfie_match
        where event_id = %(event)s and selfie_id = %(selfie)s and visible
          and (select found from live)),
       (select string_agg(photo_id || '.' || extension, '/')
        from (select photo_id, extension from selfie_match
              where event_id = %(event)s and selfie_id = %(selfie)s and visible
                and (select found from live)
              order by captured_at, photo_id offset %(offset)s limit %(limit)s) page)
"""


@dataclass(frozen=True, slots=True)
class OriginalsPage:
    """One page of matches: how many there are in all, and the file names of this page's."""

    total: int
    filenames: list[str]


@dataclass(frozen=True, slots=True)
class Link:
    """A link to one original; `filename` is the last part of its key."""

    url: str
    filename: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A photo without a link, and why; `path` is its key, None for a photo that is not there."""

    image_id: str
    error: str
    path: str | None


async def find_by_bib(
    connection: AsyncConnection, event_id: int, bib: str, *, offset: int, limit: int
) -> OriginalsPage:
    """Photos on which the bib is seen, by capture time (those without last), then by id."""
    if "\0" in bib:  # PostgreSQL has no such character, and no runner wears one
        return OriginalsPage(0, [])
    return await _page(
        connection,
        PAGE_BY_BIB,
        {"event": event_id, "bib": normalise_bib(bib), "offset": offset, "limit": limit},
    )


async def find_by_selfie(
    connection: AsyncConnection, event_id: int, selfie_id: UUID, *, offset: int, limit: int
) -> OriginalsPage:
    """Photos that a selfie search matched, in the same order; none once it has expired."""
    return await _page(
        connection,
        PAGE_BY_SELFIE,
        {"event": event_id, "selfie": selfie_id, "offset": offset, "limit": limit},
    )


async def find_by_ids(
    connection: AsyncConnection, event_id: int, photo_ids: Sequence[UUID]
) -> dict[UUID, str]:
    """The file names of those photos that are this event's."""
    cursor = await connection.execute(
        """select id, id || '.' || extension from photo
           where event_id = %s and id = any(%s) and not hidden""",
        [event_id, list(photo_ids)],
        prepare=True,
    )
    return dict(await cursor.fetchall())


async def link_originals(
    store: Store, linker: Linker, event_id: int, filenames: Sequence[str], *, check: bool
) -> tuple[list[Link], list[Failure]]:
    """Links to these originals, and a failure for each that has none; never raises for a photo.

    `check` asks the store for each original first.
    """
    folder = originals_folder(event_id)
    keys = [folder + filename for filename in filenames]
    if not keys:
        return [], []
    failures: list[Failure] = []
    if check:
        there = await store.exists_many(keys)
        failures = [
            _failure(key, MISSING if answer is False else str(answer))
            for key, answer in zip(keys, there, strict=True)
            if answer is not True
        ]
        if failures:
            keys = [key for key, answer in zip(keys, there, strict=True) if answer is True]
    try:
        urls = linker.links(keys)
    except FotofinishError as error:
        return [], [*failures, *(_failure(key, error.message) for key in keys)]
    start = len(folder)
    return [Link(url, key[start:]) for url, key in zip(urls, keys, strict=True)], failures


async def _page(connection: AsyncConnection, sql: str, values: dict[str, object]) -> OriginalsPage:
    cursor = await connection.execute(sql, values, prepare=True, binary=True)
    row = await cursor.fetchone()
    assert row is not None
    total, names = row
    return OriginalsPage(total, names.split("/") if names else [])


def _failure(key: str, error: str) -> Failure:
    return Failure(key.rpartition("/")[2].partition(".")[0], error, key)
