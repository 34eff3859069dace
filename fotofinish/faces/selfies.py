"""Selfie searches: kept until they are deleted or expire; of the selfie, its template alone.

A search is known by its event and `request_id` together: the same id in another event is another
search. Matching itself is in `matching.py`, reading the picture in `reader.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.errors import ForeignKeyViolation
from psycopg.rows import class_row

from fotofinish.errors import NotFound
from fotofinish.faces.matching import lock_for_selfie, match_selfie
from fotofinish.linking.selfies import Search, link_new_selfie


@dataclass(frozen=True, slots=True)
class SelfieSearch:
    """A stored search; `threshold` is the cosine similarity from which on a face matched."""

    id: UUID
    threshold: float
    has_face: bool
    expires_at: datetime


COLUMNS = "id, threshold, embedding is not null as has_face, expires_at"


async def find_search(
    connection: AsyncConnection, event_id: int, request_id: UUID
) -> SelfieSearch | None:
    """The search, while it lives; None when unknown, deleted or expired."""
    async with connection.cursor(row_factory=class_row(SelfieSearch)) as cursor:
        await cursor.execute(
            f"""select {COLUMNS} from selfie
                where event_id = %s and id = %s and expires_at > now()""",  # noqa: S608
            [event_id, request_id],
        )
        return await cursor.fetchone()


async def store_search(
    connection: AsyncConnection,
    event_id: int,
    request_id: UUID,
    *,
    embedding: str | None,
    model: str,
    threshold: float,
    keep_days: int,
    consented_at: datetime | None = None,
    consent_version: str | None = None,
) -> SelfieSearch:
    """Keep a search and its matches; the first of several with one id is the one that is kept.

    `embedding` is in pgvector's text form, None when the selfie shows no face. `consented_at` is
    when the participant agreed in our gallery, and `consent_version` to which text; a caller of
    the API answers for that itself. Raises NotFound when the event was deleted meanwhile.
    """
    try:
        async with connection.transaction(), connection.cursor() as cursor:
            await lock_for_selfie(connection, event_id)
            await cursor.execute(
                "delete from selfie where event_id = %s and id = %s and expires_at <= now()",
                [event_id, request_id],
            )
            await cursor.execute(
                """insert into selfie
                          (event_id, id, model, embedding, threshold, consented_at, consent_version,
                           expires_at)
                   values (%s, %s, %s, %s::halfvec, %s, %s, %s, now() + make_interval(days => %s))
                   on conflict (event_id, id) do nothing returning created_at""",
                [event_id, request_id, model, embedding, threshold, consented_at, consent_version,
                 keep_days],
            )  # fmt: skip
            new = await cursor.fetchone()
            if new is not None and embedding is not None:
                await match_selfie(connection, event_id, request_id)
                await link_new_selfie(connection, event_id, Search(request_id, new[0]))
            search = await find_search(connection, event_id, request_id)
    except ForeignKeyViolation:
        raise NotFound("This event was deleted.") from None
    assert search is not None
    return search


async def find_agreed_search(
    connection: AsyncConnection, event_id: int, request_id: UUID
) -> SelfieSearch | None:
    """A search that was made in the gallery, with consent; one of the API's is none of its."""
    async with connection.cursor(row_factory=class_row(SelfieSearch)) as cursor:
        await cursor.execute(
            f"""select {COLUMNS} from selfie
                where event_id = %s and id = %s and expires_at > now()
                  and consent_version is not null""",  # noqa: S608
            [event_id, request_id],
        )
        return await cursor.fetchone()


async def delete_search(connection: AsyncConnection, event_id: int, request_id: UUID) -> bool:
    """Delete selfie, template and matches; False when there was none (alive)."""
    async with connection.transaction():
        await lock_for_selfie(connection, event_id)
        cursor = await connection.execute(
            "delete from selfie where event_id = %s and id = %s returning expires_at > now()",
            [event_id, request_id],
        )
        row = await cursor.fetchone()
    return row is not None and bool(row[0])


async def shorten_searches(connection: AsyncConnection, event_id: int, keep_days: int) -> None:
    """Have the event's searches expire so many days after they were made, where not earlier."""
    await connection.execute(
        """update selfie set expires_at = created_at + make_interval(days => %(days)s)
           where event_id = %(event)s and expires_at > created_at + make_interval(days => %(days)s)
        """,
        {"event": event_id, "days": keep_days},
    )


async def forget_expired(connection: AsyncConnection) -> int:
    """Delete every search past its expiry, with template and matches; says how many."""
    cursor = await connection.execute(
        "select distinct event_id from selfie where expires_at <= now() order by event_id"
    )
    forgotten = 0
    for (event_id,) in await cursor.fetchall():
        async with connection.transaction():
            await lock_for_selfie(connection, event_id)
            cursor = await connection.execute(
                "delete from selfie where event_id = %s and expires_at <= now()", [event_id]
            )
        forgotten += cursor.rowcount
    return forgotten
