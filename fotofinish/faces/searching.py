"""A selfie search from the picture to its stored matches; each `request_id` searched once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID
from weakref import WeakValueDictionary

from fotofinish.database.connection import Pool
from fotofinish.faces.reader import SelfieReader, open_selfie_reader
from fotofinish.faces.selfies import SelfieSearch, find_search, store_search
from fotofinish.settings import Settings


class SelfieDesk:
    """Takes selfies of all events. Posts with one `request_id` wait for the first of them."""

    def __init__(self, pool: Pool, reader: SelfieReader, keep_days: int) -> None:
        self._pool = pool
        self._reader = reader
        self._keep_days = keep_days
        self._turns: WeakValueDictionary[tuple[int, UUID], asyncio.Lock] = WeakValueDictionary()
        self._storing: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def find(self, event_id: int, request_id: UUID) -> SelfieSearch | None:
        """The stored search, while it lives."""
        async with self._pool.connection() as connection:
            return await find_search(connection, event_id, request_id)

    async def search(
        self,
        event_id: int,
        request_id: UUID,
        picture: bytes,
        *,
        threshold: float | None,
        keep_days: int | None = None,
        consented_at: datetime | None = None,
        consent_version: str | None = None,
    ) -> SelfieSearch:
        """The stored search of this id, or else a new one with this picture.

        `threshold` and `keep_days` are the event's own, if it has any; a selfie is never kept
        longer than the settings allow. Raises InvalidRequest for what is no picture, ReaderBusy,
        NotFound when the event was deleted meanwhile.
        """
        # the local name keeps the lock alive while anybody waits for it
        turn = self._turns.setdefault((event_id, request_id), asyncio.Lock())
        async with turn:
            stored = await self.find(event_id, request_id)
            if stored is not None:
                return stored
            template = await self._reader.read(picture)
            # searches of one event are stored one after the other: those that wait for their turn
            # would hold a connection each, until nobody else had any
            storing = self._storing.setdefault(event_id, asyncio.Lock())
            async with storing, self._pool.connection() as connection:
                return await store_search(
                    connection,
                    event_id,
                    request_id,
                    embedding=template.embedding,
                    model=template.model,
                    threshold=template.threshold if threshold is None else threshold,
                    keep_days=min(self._keep_days, keep_days or self._keep_days),
                    consented_at=consented_at,
                    consent_version=consent_version,
                )


@asynccontextmanager
async def open_selfie_desk(settings: Settings, pool: Pool) -> AsyncIterator[SelfieDesk]:
    """A desk with a reader process of its own."""
    async with open_selfie_reader(settings) as reader:
        yield SelfieDesk(pool, reader, settings.selfie_retention_days)
