"""How an event is used: searches and downloads an hour, counted and never more than counted.

No bib, selfie or address of anybody is kept. Requests add to a dictionary in memory; every few
seconds, and when the server stops, it is added to the database: `kill -9` costs that much at most.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import class_row

from fotofinish.database.connection import Pool

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 3.0
Method = Literal["bib", "selfie"]
FOUND = {"bib": "bib", "selfie": "selfie"}
FAILED = {"bib": "bib_failed", "selfie": "selfie_failed"}
DOWNLOAD, LINK = "download", "link"


class EventUses:
    """Counts of this process that are not written yet."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._counts: Counter[tuple[int, str]] = Counter()

    def searched(self, event_id: int, method: Method, *, found: bool) -> None:
        """Somebody searched; a further page of the same search is none."""
        self._counts[event_id, (FOUND if found else FAILED)[method]] += 1

    def downloaded(self, event_id: int, originals: int) -> None:
        """This server began to send this many originals, from the first byte on."""
        self._counts[event_id, DOWNLOAD] += originals

    def linked(self, event_id: int, originals: int) -> None:
        """Somebody was given links to this many originals; whether he follows them is not known."""
        if originals:
            self._counts[event_id, LINK] += originals

    async def flush(self) -> None:
        """Write what was counted; it is kept for the next time when the database fails."""
        if not self._counts:
            return
        counts, self._counts = self._counts, Counter()
        try:
            async with self._pool.connection() as connection:
                await add_uses(connection, counts)
        except psycopg.Error:
            logger.warning("uses of events could not be written; trying again")
            self._counts.update(counts)

    async def flush_until(self, stopping: asyncio.Event) -> None:
        """Write every few seconds, and a last time when told to stop."""
        while not stopping.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), FLUSH_SECONDS)
            await self.flush()


@asynccontextmanager
async def open_event_uses(pool: Pool) -> AsyncIterator[EventUses]:
    """Counts that are all written when this ends."""
    uses = EventUses(pool)
    stopping = asyncio.Event()
    writing = asyncio.create_task(uses.flush_until(stopping))
    try:
        yield uses
    finally:
        stopping.set()
        await writing


async def add_uses(connection: AsyncConnection, counts: Counter[tuple[int, str]]) -> None:
    """Add counts to this hour's; those of events that are gone are forgotten."""
    rows = [(event_id, kind, number) for (event_id, kind), number in counts.items()]
    # sorted: two servers that write at once cannot block one another
    await connection.execute(
        """insert into event_use (event_id, hour, kind, uses)
           select event.id, date_trunc('hour', now()), kind, number
           from unnest(%s::bigint[], %s::text[], %s::bigint[]) as given (event_id, kind, number)
           join event on event.id = given.event_id
           order by 1, 3
           on conflict (event_id, hour, kind) do update
           set uses = event_use.uses + excluded.uses""",
        [list(column) for column in zip(*rows, strict=True)],
    )


@dataclass(frozen=True, slots=True)
class UseHour:
    """What happened in an hour that begins at `hour`."""

    hour: datetime
    bib: int
    selfie: int
    failed: int
    downloads: int
    links: int


@dataclass(frozen=True, slots=True)
class UseTotals:
    """What happened since the event was made; searches with those that failed."""

    bib: int
    selfie: int
    failed: int
    downloads: int
    links: int


async def use_hours(
    connection: AsyncConnection, event_id: int, since: datetime
) -> Sequence[UseHour]:
    """The hours in which something happened, from `since` on."""
    async with connection.cursor(row_factory=class_row(UseHour)) as cursor:
        await cursor.execute(
            f"select hour, {SUMS} from event_use"  # noqa: S608 (a constant of this module)
            " where event_id = %s and hour >= %s group by hour order by hour",
            [event_id, since],
        )
        return await cursor.fetchall()


async def use_totals(connection: AsyncConnection, event_id: int) -> UseTotals:
    """Everything that was counted."""
    async with connection.cursor(row_factory=class_row(UseTotals)) as cursor:
        await cursor.execute(
            f"select {SUMS} from event_use where event_id = %s",  # noqa: S608
            [event_id],
        )
        totals = await cursor.fetchone()
    assert totals is not None
    return totals


SUMS = ", ".join(
    f"coalesce(sum(uses) filter (where kind in ({kinds})), 0)::bigint as {name}"
    for name, kinds in (
        ("bib", "'bib', 'bib_failed'"),
        ("selfie", "'selfie', 'selfie_failed'"),
        ("failed", "'bib_failed', 'selfie_failed'"),
        ("downloads", "'download'"),
        ("links", "'link'"),
    )
)
