"""Which originals a participant gets, page by page, and their links: the product's hot path.

Each search reads one covering index and nothing else. Whether the caller may is decided in the
same query, which saves the way to the database and back that costs more than the search itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict
from uuid import UUID

from psycopg import AsyncConnection

from fotofinish.bibs.meant import find_as_meant
from fotofinish.errors import FotofinishError
from fotofinish.events.access import ACCESS, Access, Claim, access_values
from fotofinish.photos.keys import originals_folder
from fotofinish.storage.links import Linker
from fotofinish.storage.stores import Store

MISSING = "original is missing from storage"
UNKNOWN = "no such photo in this event"

PAGE_BY_BIB = """
select (select count(*) from bib_tag
        where event_id = %(event)s::bigint and bib = %(bib)s and visible),
       (select string_agg(photo_id || '.' || extension, '/')
        from (select photo_id, extension from bib_tag
              where event_id = %(event)s::bigint and bib = %(bib)s and visible
              order by captured_at, photo_id offset %(offset)s limit %(limit)s) page)
"""
PAGE_BY_SELFIE = """
select (select count(*) from selfie_match
        where event_id = %(event)s::bigint and selfie_id = %(selfie)s and visible),
       (select string_agg(photo_id || '.' || extension, '/')
        from (select photo_id, extension from selfie_match
              where event_id = %(event)s::bigint and selfie_id = %(selfie)s and visible
              order by captured_at, photo_id offset %(offset)s limit %(limit)s) page)
"""
SELFIE_LIVES = """exists (select 1 from selfie where event_id = %(event)s::bigint
                         and id = %(selfie)s and expires_at > now())"""


def _if_admitted(page: str, condition: str) -> str:
    """Who asks and what he gets, in one query: the page is read only where `ACCESS` allows it."""
    return f"""
with access as ({ACCESS})
select access.*, page.* from access
left join lateral ({page} where access.org_id = %(org)s::bigint and access.event_id is not null
                          and access.event_enabled and {condition}) page (total, filenames) on true
"""  # noqa: S608 (constants of this module)


BY_BIB = _if_admitted(PAGE_BY_BIB, "access.bib_search")
BY_SELFIE = _if_admitted(PAGE_BY_SELFIE, f"access.selfie_search and {SELFIE_LIVES}")


@dataclass(frozen=True, slots=True)
class OriginalsPage:
    """One page of matches: how many there are in all, and the file names of this page's."""

    total: int
    filenames: list[str]


class Link(TypedDict):
    """A link to one original; `filename` is the last part of its key."""

    url: str
    filename: str


class Failure(TypedDict):
    """A photo without a link, and why; `path` is its key, None for a photo that is not there."""

    image_id: str
    error: str
    path: str | None


async def find_by_bib(
    connection: AsyncConnection, claim: Claim, bib: str, *, offset: int, limit: int
) -> tuple[Access | None, OriginalsPage]:
    """What the claim reaches, and the photos on which the bib is seen; where there are none, those
    of the bib as the start list writes it.

    They come by capture time (those without one last), then by id; none where the claim does not
    reach the event or bib search is off.
    """
    values = {**access_values(claim), "offset": offset, "limit": limit}

    def ends(found: tuple[Access | None, OriginalsPage]) -> bool:
        access, page = found
        return access is None or access.event_id is None or page.total > 0

    return await find_as_meant(
        connection,
        claim.event_id,
        bib,
        lambda worn: _find(connection, BY_BIB, {**values, "bib": worn}),
        ends,
    )


async def find_by_selfie(
    connection: AsyncConnection, claim: Claim, selfie_id: UUID, *, offset: int, limit: int
) -> tuple[Access | None, OriginalsPage]:
    """As `find_by_bib`, for the photos that a selfie search matched; none once it has expired."""
    values = {**access_values(claim), "selfie": selfie_id, "offset": offset, "limit": limit}
    return await _find(connection, BY_SELFIE, values)


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
    links: list[Link] = [
        {"url": url, "filename": key[start:]} for url, key in zip(urls, keys, strict=True)
    ]
    return links, failures


async def _find(
    connection: AsyncConnection, sql: str, values: dict[str, object]
) -> tuple[Access | None, OriginalsPage]:
    cursor = await connection.execute(sql, values, prepare=True, binary=True)
    row = await cursor.fetchone()
    if row is None:
        return None, OriginalsPage(0, [])
    *access, total, filenames = row
    return Access(*access), OriginalsPage(total or 0, filenames.split("/") if filenames else [])


def _failure(key: str, error: str) -> Failure:
    image_id = key.rpartition("/")[2].partition(".")[0]
    return {"image_id": image_id, "error": error, "path": key}
