"""Originals to take home: one by its link, several or all as a ZIP that streams."""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from fotofinish.delivery.archives import Archive, Entry, checksum_of
from fotofinish.delivery.ranges import RangeNotSatisfiable, Span, spans
from fotofinish.delivery.selections import Original, note_checksum, originals_by_id
from fotofinish.errors import InvalidRequest, NotAllowed, NotFound
from fotofinish.events.published import PublishedEvent
from fotofinish.photos.preview_links import preview_place
from fotofinish.storage.disposition import attachment
from fotofinish.web.gallery.finding import NO_PHOTO, Finding
from fotofinish.web.gallery.frame import Frame
from fotofinish.web.gallery.opening import OpenGallery
from fotofinish.web.gallery.searches import MOST_IN_ARCHIVE, find_originals
from fotofinish.web.services import Services, services

MOST_CHOSEN = 200
OFF = "Downloads are switched off."
NOTE = "README.txt"


class Downloads:
    """Originals as the organiser's choices allow."""

    def __init__(self, frame: Frame, finding: Finding) -> None:
        self._frame = frame
        self._finding = finding

    async def one(self, request: Request, gallery: OpenGallery) -> Response:
        """GET `/e/{slug}/photo/{photo_id}/download`: on to the original, or the preview."""
        ours = services(request)
        if gallery.choices.downloads == "off":
            raise NotAllowed(OFF)
        photo_id: UUID = request.path_params["photo_id"]
        async with ours.pool.connection() as connection:
            found = await originals_by_id(connection, gallery.event.id, [photo_id])
        if not found:
            raise NotFound(NO_PHOTO)
        if gallery.choices.downloads == "previews":
            key, _ = preview_place(gallery.event.id, "medium", found[0])
        else:
            if not await _there(ours, found):
                raise NotFound(NO_PHOTO)
            key = found[0].key
            ours.uses.linked(gallery.event.id, 1)
        name = f"{_name(gallery.event, found[0])}.{key.rpartition('.')[2]}"
        return RedirectResponse(ours.linker.link_saved_as(key, name), 303)

    async def archive(self, request: Request, gallery: OpenGallery) -> Response:
        """GET and HEAD `/e/{slug}/photos.zip`: chosen photos (`p`), or all of a search."""
        if gallery.choices.downloads != "originals":
            raise NotAllowed(OFF)
        ours = services(request)
        wanted = await self._wanted(request, gallery)
        originals = await _there(ours, wanted)
        if not originals:
            raise NotFound(NO_PHOTO)
        if request.method == "GET" and "range" not in request.headers:
            ours.uses.downloaded(gallery.event.id, len(originals))
        note = b""
        if len(originals) < len(wanted):
            there = {original.id for original in originals}
            names = [_entry(gallery.event, one).name for one in wanted if one.id not in there]
            note = self._frame.text(request, "gallery/left-out.txt", names=names).encode()
        return _answer(request, ours, gallery.event, originals, note)

    async def _wanted(self, request: Request, gallery: OpenGallery) -> list[Original]:
        chosen = request.query_params.get("p")
        if chosen is not None:
            ids = _read_ids(chosen)
            async with services(request).pool.connection() as connection:
                return await originals_by_id(connection, gallery.event.id, ids)
        search = await self._finding.admit(request, gallery)
        async with services(request).pool.connection() as connection:
            return await find_originals(connection, gallery.event, search, limit=MOST_IN_ARCHIVE)


async def _there(ours: Services, originals: list[Original]) -> list[Original]:
    """Those that are not gone from the store; all of them, where nobody wants it asked."""
    if not ours.settings.check_originals:
        return originals
    there = await ours.store.exists_many([original.key for original in originals])
    return [  # with those of which a slow store says nothing: they may be there
        original for original, answer in zip(originals, there, strict=True) if answer is not False
    ]


def _answer(
    request: Request, ours: Services, event: PublishedEvent, originals: list[Original], note: bytes
) -> Response:
    """The archive, or the range of it that was asked for; `note` is a text behind the photos."""
    entries = [_entry(event, original) for original in originals]
    if note:
        entries.append(Entry(NOTE, len(note), event.starts_at))
    archive = Archive(entries)
    told = repr(([original.id for original in originals], entries, note))
    content = hashlib.sha256(told.encode()).hexdigest()[:32]
    headers = {
        "Content-Type": "application/zip",
        "Content-Disposition": attachment(f"{event.slug}-{len(originals)}.zip"),
        "Accept-Ranges": "bytes",
        "ETag": f'"{content}"',
        "Cache-Control": "private, no-cache",
        "X-Content-Type-Options": "nosniff",
    }
    span, status = Span(0, archive.size), 200
    if request.headers.get("if-range") in (None, headers["ETag"]):
        try:
            wanted = spans(request.headers.get("range"), archive.size)
        except RangeNotSatisfiable:
            headers["Content-Range"] = f"bytes */{archive.size}"
            return Response(status_code=416, headers=headers)
        if wanted is not None and len(wanted) == 1:  # several at once get the whole
            span, status = wanted[0], 206
            headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{archive.size}"
    headers["Content-Length"] = str(span.length)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    return StreamingResponse(
        _send(archive, span, ours, originals, note), status_code=status, headers=headers
    )


def _send(
    archive: Archive, span: Span, ours: Services, originals: list[Original], note: bytes
) -> AsyncIterator[bytes]:
    known: dict[int, int] = {}

    def read(number: int, start: int, stop: int) -> AsyncIterator[bytes]:
        if number == len(originals):
            return _piece(note, start, stop)
        return ours.store.stream(originals[number].key, start, stop)

    async def checksum(number: int) -> int:
        if number == len(originals):
            return zlib.crc32(note)
        original = originals[number]
        if original.crc32 is not None:
            return original.crc32
        if number not in known:
            known[number] = await checksum_of(read(number, 0, original.size))
            async with ours.pool.connection() as connection:
                await note_checksum(connection, original.id, known[number])
        return known[number]

    return archive.send(span, read, checksum)


async def _piece(data: bytes, start: int, stop: int) -> AsyncIterator[bytes]:
    yield data[start:stop]


def _entry(event: PublishedEvent, original: Original) -> Entry:
    name = f"{_name(event, original)}.{original.extension}"
    return Entry(name, original.size, _taken(event, original) or event.starts_at)


def _name(event: PublishedEvent, original: Original) -> str:
    """Tells of which event it is and when it was taken; the same when more photos come."""
    taken = _taken(event, original)
    when = f"{taken:%Y%m%d-%H%M%S}-" if taken else ""
    return f"{event.slug}-{when}{str(original.id)[:8]}"


def _taken(event: PublishedEvent, original: Original) -> datetime | None:
    """When it was taken, on the event's clock."""
    if original.captured_at is None:
        return None
    return original.captured_at.astimezone(ZoneInfo(event.time_zone))


def _read_ids(given: str) -> list[UUID]:
    """Ids as the page writes them: 22 letters each (base64), with dots between."""
    parts = given.split(".")
    if len(parts) > MOST_CHOSEN:
        raise InvalidRequest(f"At most {MOST_CHOSEN} photos can be chosen at once.")
    try:
        return [UUID(bytes=base64.urlsafe_b64decode(part + "==")) for part in parts]
    except (ValueError, binascii.Error):
        raise NotFound(NO_PHOTO) from None
