"""What requests are answered with, opened once when the server starts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from procrastinate import App
from starlette.requests import HTTPConnection

from fotofinish.database.connection import Pool
from fotofinish.events.access import note_use
from fotofinish.events.guesses import GuessBuckets
from fotofinish.events.uses import EventUses
from fotofinish.faces.searching import SelfieDesk
from fotofinish.organisations.rates import RateLimiter
from fotofinish.photos.direct_uploads import DirectUploads
from fotofinish.photos.uploads import Uploads
from fotofinish.settings import Settings
from fotofinish.storage.links import Linker
from fotofinish.storage.stores import Store
from fotofinish.web.body_room import BodyRoom
from fotofinish.web.metrics import Metrics
from fotofinish.web.password_checks import PasswordChecks
from fotofinish.web.readiness import Readiness


class KeyUses:
    """Notes when keys were used, without keeping any request waiting."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def note(self, key_id: int) -> None:
        """Have it written down soon that this key was used just now."""
        if key_id not in self._tasks:
            task = self._tasks[key_id] = asyncio.create_task(self._write(key_id))
            task.add_done_callback(lambda _: self._tasks.pop(key_id))

    async def finish(self) -> None:
        """Wait until everything is written."""
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _write(self, key_id: int) -> None:
        async with self._pool.connection() as connection:
            await note_use(connection, key_id)


@asynccontextmanager
async def open_key_uses(pool: Pool) -> AsyncIterator[KeyUses]:
    """Notes of key uses that are all written when this ends."""
    uses = KeyUses(pool)
    try:
        yield uses
    finally:
        await uses.finish()


@dataclass(frozen=True, slots=True)
class Services:
    """Settings, database, storage, links to it, and the process that reads selfies.

    `queue` is never opened here: jobs are added through the connection that writes their photos.
    `direct_uploads` is there where the store is one that browsers can be sent to.
    """

    settings: Settings
    pool: Pool
    store: Store
    linker: Linker
    queue: App
    selfies: SelfieDesk
    key_uses: KeyUses
    uses: EventUses
    rates: RateLimiter
    guesses: GuessBuckets
    uploads: Uploads
    direct_uploads: DirectUploads | None
    body_room: BodyRoom
    password_checks: PasswordChecks
    readiness: Readiness
    metrics: Metrics


def services(request: HTTPConnection) -> Services:
    """The services of the application that this request came to."""
    found: Services = request.app.state.services
    return found
