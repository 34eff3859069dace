"""The client for asyncio programs. `synchronous.py` is the same for ordinary ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import TypeVar
from uuid import UUID, uuid4

import httpx

from fotofinish.client import calls
from fotofinish.client.answers import Day, Details, Event, Image, Original, Page, Search
from fotofinish.client.calls import Attempts, Call
from fotofinish.client.downloads import (
    Downloaded,
    Interrupted,
    LinkExpired,
    Progress,
    Tally,
    Transfer,
    failure,
    id_for_renewal,
    make_folder,
)
from fotofinish.client.errors import ClientError
from fotofinish.client.options import ATTEMPTS, PARALLEL, RENEWALS, for_api, for_links

T = TypeVar("T")


class AsyncClient:
    """The external API of one organisation on one server.

    Lists are iterators that fetch their pages as they go. Calls that fail for a moment (429, 5xx,
    no connection) are made again, `attempts` times in all. Usable as an async context manager.
    """

    def __init__(self, url: str, *, key: str, org_id: int, attempts: int = ATTEMPTS) -> None:
        """`url` of the server, an API key and its organisation. Raises ValueError for an `url`
        that is no http(s) address, and for what can be no key."""
        self._url = calls.server_address(url)
        self._org_id = org_id
        self._attempts = attempts
        self._api = httpx.AsyncClient(**for_api(self._url, key))
        self._links = httpx.AsyncClient(
            **for_links()
        )  # links carry their own right: no key goes there

    async def __aenter__(self) -> AsyncClient:
        """The client itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        await self.close()

    def __repr__(self) -> str:
        """Without the key."""
        return f"{type(self).__name__}({self._url!r}, org_id={self._org_id})"

    async def close(self) -> None:
        """Close the connections."""
        await self._api.aclose()
        await self._links.aclose()

    async def ping(self, event_id: int) -> None:
        """Return when the key reaches the event; raises Forbidden when it does not."""
        await self._make(calls.ping(self._org_id, event_id))

    def events(self) -> AsyncIterator[Event]:
        """The organisation's events, latest first."""
        return self._each(lambda page: calls.events(self._org_id, page))

    async def details(self, event_id: int) -> Details:
        """An event, and what may be searched in it."""
        return await self._make(calls.details(self._org_id, event_id))

    def images(self, event_id: int) -> AsyncIterator[Image]:
        """All photos of an event."""
        return self._each(lambda page: calls.images(self._org_id, event_id, page))

    def images_with_bib(self, event_id: int, bib: str) -> AsyncIterator[Image]:
        """The photos that show a bib number."""
        return self._each(lambda page: calls.images_with_bib(self._org_id, event_id, bib, page))

    def images_of_search(self, event_id: int, request_id: UUID) -> AsyncIterator[Image]:
        """The photos that a selfie search found, without searching again."""
        return self._each(
            lambda page: calls.images_of_search(self._org_id, event_id, request_id, page)
        )

    async def timeline_days(self, event_id: int) -> list[Day]:
        """How many photos were captured on which day, in which hour (UTC)."""
        return await self._make(calls.timeline_days(self._org_id, event_id))

    def timeline_images(
        self, event_id: int, begin: datetime, end: datetime
    ) -> AsyncIterator[Image]:
        """The photos captured from `begin` to before `end`, both with time zones."""
        return self._each(
            lambda page: calls.timeline_images(self._org_id, event_id, begin, end, page)
        )

    async def search(
        self, event_id: int, selfie: Path | bytes, *, request_id: UUID | None = None
    ) -> Search:
        """Search by selfie. The same `request_id` again answers from what is stored."""
        picture = calls.picture(selfie)
        return await self._make(
            calls.search(self._org_id, event_id, picture, request_id or uuid4())
        )

    async def forget(self, event_id: int, request_id: UUID) -> None:
        """Delete a selfie search with its template and matches; raises NotFound."""
        await self._make(calls.forget(self._org_id, event_id, request_id))

    def originals(
        self,
        event_id: int,
        *,
        bib: str | None = None,
        selfie: UUID | str | None = None,
        image_ids: Sequence[UUID | str] | None = None,
    ) -> AsyncIterator[Original]:
        """Links to the originals of a bib, a selfie search, or of these photos (1 to 1,000)."""
        wanted = calls.wanted_originals(bib, selfie, image_ids)
        return self._each(lambda page: calls.originals(self._org_id, event_id, wanted, page))

    async def download(
        self,
        event_id: int,
        folder: Path,
        *,
        bib: str | None = None,
        selfie: UUID | str | None = None,
        image_ids: Sequence[UUID | str] | None = None,
        parallel: int = PARALLEL,
        progress: Callable[[Progress], None] | None = None,
    ) -> list[Downloaded]:
        """Download originals into a folder, several at a time; what is there already is kept.

        One result a photo, in the server's order; a photo that could not be had says why. A stopped
        download goes on where it was when it is called again.
        """
        make_folder(folder)
        # all pages first: they move when photos come or go while originals are on their way
        listed = self.originals(event_id, bib=bib, selfie=selfie, image_ids=image_ids)
        originals = {original.filename: original async for original in listed}
        turns = asyncio.Semaphore(parallel)
        tally = Tally(progress, len(originals))

        async def fetch(original: Original) -> Downloaded:
            async with turns:
                return await self._fetch(event_id, original, folder, tally)

        fetches = [asyncio.create_task(fetch(original)) for original in originals.values()]
        try:
            return await asyncio.gather(*fetches)
        finally:  # none goes on behind the back of a caller that was told of an error
            for one in fetches:
                one.cancel()
            await asyncio.gather(*fetches, return_exceptions=True)

    async def _fetch(
        self, event_id: int, original: Original, folder: Path, tally: Tally
    ) -> Downloaded:
        try:
            result = await self._fetch_one(event_id, original, folder, tally)
        except (ClientError, OSError) as error:
            result = failure(original, str(error))
        tally.add(done=1)
        return result

    async def _fetch_one(
        self, event_id: int, original: Original, folder: Path, tally: Tally
    ) -> Downloaded:
        if original.url is None:
            return failure(original, original.error or "There is no link.")
        transfer = Transfer(event_id, original, folder)
        if (found := transfer.there()) is not None:
            return found
        url, attempts, renewals = original.url, Attempts(self._attempts), RENEWALS
        while True:
            try:
                return await self._receive(transfer, url, tally)
            except LinkExpired:
                renewals -= 1
                url = await self._renewed(event_id, original, renewals)
            except (Interrupted, httpx.TransportError) as error:
                attempts = Attempts(self._attempts) if transfer.advanced else attempts
                await asyncio.sleep(attempts.pause_or_fail(error, original.filename))
            finally:
                transfer.close()

    async def _receive(self, transfer: Transfer, url: str, tally: Tally) -> Downloaded:
        async with self._links.stream("GET", url, headers=transfer.headers()) as answer:
            transfer.begin(answer)
            async for piece in answer.aiter_raw():
                transfer.write(piece)
                tally.add(bytes=len(piece))
        return transfer.finish()

    async def _renewed(self, event_id: int, original: Original, renewals: int) -> str:
        wanted = {"method": "image_id", "identifier": str(id_for_renewal(original, renewals))}
        page = await self._make(calls.originals(self._org_id, event_id, wanted, 1))
        return calls.only_link(page)

    async def _each(self, call: Callable[[int], Call[Page[T]]]) -> AsyncIterator[T]:
        for number in count(1):
            page = await self._make(call(number))
            for item in page.items:
                yield item
            if page.last:
                return

    async def _make(self, call: Call[T]) -> T:
        attempts = Attempts(self._attempts)
        while True:
            answer: httpx.Response | httpx.TransportError
            try:
                answer = await self._api.request(**call.arguments())
            except httpx.TransportError as error:
                answer = error
            pause = attempts.pause(answer)
            if pause is None:
                return call.result(answer, repeated=attempts.repeated)
            await asyncio.sleep(pause)
