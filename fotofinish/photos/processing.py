"""From a stored original to a photo that is found: decode once, previews, bibs, faces, matches.

Idempotent: everything a photo has is replaced in one transaction, so running it twice changes
nothing. It runs in worker processes alone; see `fotofinish/workers.py`.
"""

from __future__ import annotations

import asyncio
import zlib
from dataclasses import dataclass
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.errors import ForeignKeyViolation

from fotofinish.bibs.listed import StartList
from fotofinish.bibs.tags import replace_tags
from fotofinish.database.connection import Pool
from fotofinish.errors import ObjectMissing, UndecodablePhoto, UnsupportedFormat
from fotofinish.events.startlists import StartLists
from fotofinish.faces.matching import lock_for_photo, match_photo
from fotofinish.faces.templates import replace_faces
from fotofinish.photos.decoding import decode, turn
from fotofinish.photos.deleting import clear_late_previews
from fotofinish.photos.exif import Capture, captured_at, read_capture
from fotofinish.photos.formats import HEAD_BYTES, sniff
from fotofinish.photos.keys import old_preview_keys
from fotofinish.photos.photos import StoredPhoto, begin_processing, mark_failed, mark_ready
from fotofinish.photos.previews import render_previews, store_previews
from fotofinish.photos.watermark import Watermark, find_watermark
from fotofinish.recognition import PhotoReading, Recogniser
from fotofinish.storage.stores import Store

GONE = "The original is missing from storage."
WORKING_LONG_SIDE = 3200


@dataclass(frozen=True, slots=True)
class Result:
    """All that was found out about one photo."""

    reading: PhotoReading
    capture: Capture
    preview_version: int
    crc32: int


class Workshop:
    """What a worker process works with: database, store and models, loaded once."""

    def __init__(self, pool: Pool, store: Store, recogniser: Recogniser, max_pixels: int) -> None:
        self.pool = pool
        self.store = store
        self.recogniser = recogniser
        self.max_pixels = max_pixels
        self._start_lists = StartLists()
        self.linking_rests_until = 0.0  # of `time.monotonic()`

    async def process(self, photo_id: UUID) -> int | None:
        """Bring a photo to "ready", or to "failed" when it cannot be decoded.

        Gives its event when that event's mark was changed meanwhile, so that the previews are to
        be drawn again. Raises what may be mended by trying again (StorageError, database errors).
        """
        async with self.pool.connection() as connection:
            photo = await begin_processing(connection, photo_id)
            if photo is None:
                return None
            start_list = await self._start_lists.load(
                connection, photo.event_id, photo.startlist_version
            )
            mark = await find_watermark(connection, photo.event_id)
        try:
            # in a thread, so that this process goes on sending heartbeats while it computes
            result = await asyncio.to_thread(self._read, photo, start_list, mark)
        except (UndecodablePhoto, UnsupportedFormat) as error:
            await self.give_up(photo_id, error.message)
            return None
        except ObjectMissing:
            await self.give_up(photo_id, GONE)
            return None
        async with self.pool.connection() as connection:
            try:
                written = await _write(connection, photo, result, self.recogniser.face_model)
            except ForeignKeyViolation:  # its event is being deleted
                written = False
            newest = await find_watermark(connection, photo.event_id)
        if not written:  # our previews came after it was deleted, or after those of it turned
            await clear_late_previews(self.pool, self.store, photo.event_id, photo_id)
            return await self.process(photo_id)
        if photo.has_old_previews:
            await self.store.delete_many_async(old_preview_keys(photo.event_id, photo.id))
        return None if newest.version == mark.version else photo.event_id

    async def give_up(self, photo_id: UUID, reason: str) -> None:
        """End the photo as "failed" with a reason for people."""
        async with self.pool.connection() as connection:
            await mark_failed(connection, photo_id, reason)

    def _read(self, photo: StoredPhoto, start_list: StartList | None, mark: Watermark) -> Result:
        data = self.store.get(photo.key)
        photo_format = sniff(data[:HEAD_BYTES])
        decoded = decode(
            data, photo_format, max_pixels=self.max_pixels, target_long_side=WORKING_LONG_SIDE
        )
        decoded = turn(decoded, photo.turned)
        previews = render_previews(decoded, mark)
        reading = self.recogniser.read(
            decoded.pixels, decoded.width, decoded.height, start_list=start_list
        )
        store_previews(self.store, photo.event_id, photo.id, previews)
        return Result(reading, read_capture(data, photo_format), mark.version, zlib.crc32(data))


async def _write(
    connection: AsyncConnection, photo: StoredPhoto, result: Result, face_model: str
) -> bool:
    """Replace all that is known of the photo, in one transaction.

    False, and nothing is written, when it was deleted or turned while it was read.
    """
    taken = captured_at(result.capture, photo.time_zone)
    async with connection.transaction():
        await lock_for_photo(connection, photo.event_id)
        current = await mark_ready(
            connection,
            photo.id,
            turned=photo.turned,
            width=result.reading.width,
            height=result.reading.height,
            captured_at=taken,
            capture_offset=result.capture.offset_minutes,
            preview_version=result.preview_version,
            crc32=result.crc32,
        )
        if not current:
            return False
        await replace_tags(connection, photo.event_id, photo.id, result.reading.bibs)
        await replace_faces(
            connection, photo.event_id, photo.id, result.reading.faces, model=face_model
        )
        await match_photo(connection, photo.event_id, photo.id)
    return True
