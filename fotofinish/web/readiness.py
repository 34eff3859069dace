"""Whether what requests need answers: database, queue and storage."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable

import psycopg
from psycopg_pool import PoolTimeout

from fotofinish.database.connection import Pool
from fotofinish.errors import StorageError
from fotofinish.storage.stores import Store

FRESH = 2.0  # seconds that an answer is given again, however often it is asked for
PATIENCE = 3.0
PROBE = "imgs/readiness"  # whether it is there does not matter: an answer does


class Readiness:
    """Whether database, queue and storage answer; asked at most once in two seconds."""

    def __init__(self, pool: Pool, store: Store) -> None:
        self._pool = pool
        self._store = store
        self._turn = asyncio.Lock()
        self._parts: dict[str, bool] = {}
        self._asked_at = 0.0

    async def parts(self) -> dict[str, bool]:
        """Each part by name, and whether it answers."""
        async with self._turn:
            if not self._parts or time.monotonic() > self._asked_at + FRESH:
                names = ("database", "queue", "storage")
                answers = await asyncio.gather(
                    _answers(self._ask_database()),
                    _answers(self._ask_queue()),
                    _answers(self._ask_storage()),
                )
                self._parts = dict(zip(names, answers, strict=True))
                self._asked_at = time.monotonic()
            return self._parts

    async def _ask_database(self) -> None:
        async with self._pool.connection(PATIENCE) as connection:
            await connection.execute("select 1")

    async def _ask_queue(self) -> None:
        async with self._pool.connection(PATIENCE) as connection:
            await connection.execute("select 1 from procrastinate_jobs limit 1")

    async def _ask_storage(self) -> None:
        (answer,) = await self._store.exists_many([PROBE])
        if isinstance(answer, StorageError):
            raise answer


async def _answers(question: Awaitable[None]) -> bool:
    try:
        await asyncio.wait_for(question, PATIENCE)
    except (psycopg.Error, PoolTimeout, StorageError, TimeoutError):
        return False
    return True
