"""Originals that browsers put into the bucket themselves: taken in when all bytes are there.

Under its incoming key a file is nobody's original. Its own bytes, read from the store, say what it
is and which photo; then it is copied to that photo's key inside the store, from the very version
that was read, and row and job are committed. What is left behind is cleared away by `clear_left`.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from procrastinate import App
from psycopg import AsyncConnection
from psycopg.rows import class_row

from fotofinish.database.connection import Pool
from fotofinish.errors import (
    Conflict,
    NotFound,
    ObjectMissing,
    StorageError,
    TooLarge,
    UnsupportedFormat,
)
from fotofinish.photos.deleting import keep
from fotofinish.photos.formats import HEAD_BYTES, PhotoFormat, sniff
from fotofinish.photos.intake import commit
from fotofinish.photos.keys import CHECK_KEY, image_id, incoming_key, original_key
from fotofinish.photos.photos import NewPhoto, known_sha256
from fotofinish.storage.cloud import CloudStore
from fotofinish.storage.direct import DirectBucket, sizes_of_parts

logger = logging.getLogger(__name__)

KEPT_DAYS = 7
MOST_UNFINISHED = 500
READ_AT_ONCE = 8  # of this process, a few hundred kilobytes each
INCOMPLETE = "Parts of the file are missing. Send them again."
OTHER_SIZE = "The file that arrived has another size than was announced. Send it again."


@dataclass(frozen=True, slots=True)
class DirectUpload:
    """A file that a browser sends to the bucket; `multipart` is None for one in one piece.

    `result` is None until it was taken in: then "stored", "duplicate", or "rejected" with a
    `reason` for the photographer.
    """

    id: UUID
    event_id: int
    name: str
    folder: str
    size: int
    multipart: str | None
    result: str | None
    reason: str | None

    @property
    def key(self) -> str:
        """Where its bytes are put."""
        return incoming_key(self.event_id, self.id)


COLUMNS = "id, event_id, name, folder, size, multipart, result, reason"


class DirectUploads:
    """Lets browsers put files into one bucket, and takes them in from there."""

    def __init__(
        self, pool: Pool, store: CloudStore, bucket: DirectBucket, queue: App, *, max_bytes: int
    ) -> None:
        self.origin = bucket.origin
        self._pool = pool
        self._store = store
        self._bucket = bucket
        self._queue = queue
        self._max_bytes = max_bytes
        self._reading = asyncio.Semaphore(READ_AT_ONCE)

    async def begin(
        self, event_id: int, account_id: UUID, name: str, size: int, folder: str = ""
    ) -> DirectUpload:
        """A new upload. Raises TooLarge, StorageError, or Conflict when the account has too many
        unfinished ones."""
        if size > self._max_bytes:
            raise TooLarge(
                f"The file has {size / 1e6:,.0f} MB; the limit is {self._max_bytes / 1e6:,.0f} MB."
            )
        upload = DirectUpload(uuid4(), event_id, name, folder, size, None, None, None)
        # the row first: whatever is begun in the store is then known to be there
        async with self._pool.connection() as connection:
            await _insert(connection, account_id, upload)
        if len(sizes_of_parts(size)) == 1:
            return upload
        try:
            return await self._with_parts(upload)
        except StorageError:  # it will be begun anew, again and again
            async with self._pool.connection() as connection:
                await connection.execute("delete from direct_upload where id = %s", [upload.id])
            raise

    def check_link(self) -> str:
        """Where a page may put one byte, to see whether the bucket lets it."""
        return self._bucket.whole_link(CHECK_KEY, 1)

    async def find(self, event_id: int, account_id: UUID, upload_id: UUID) -> DirectUpload:
        """An upload of this account; raises NotFound."""
        async with self._pool.connection() as connection:
            return await _find(connection, event_id, account_id, upload_id)

    async def missing(self, upload: DirectUpload) -> dict[int, str]:
        """Where each part that is not there yet is to be put, for an hour; a file in one piece is
        part 1. None is missing when `finish` can take it in."""
        sizes = sizes_of_parts(upload.size)
        async with self._pool.connection() as connection:
            await _prolong(connection, upload.id)
        if upload.multipart is None and len(sizes) > 1:  # killed while it was begun
            upload = await self._with_parts(upload)
        if upload.multipart is not None:
            try:
                there = await self._bucket.parts(upload.key, upload.multipart)
            except ObjectMissing:
                if await self._arrived(upload):
                    return {}
                upload = await self._with_parts(upload)  # the store forgot it: from the beginning
                there = []
            assert upload.multipart is not None
            done = {part.number for part in there if part.size == sizes.get(part.number)}
            wanted = [number for number in sizes if number not in done]
            return self._bucket.part_links(upload.key, upload.multipart, sizes, wanted)
        if await self._arrived(upload):
            return {}
        return {1: self._bucket.whole_link(upload.key, upload.size)}

    async def finish(self, upload: DirectUpload) -> DirectUpload:
        """Look at a file that is all there, and take it in.

        Killed at any point, or called twice at once, it can be called again. Raises Conflict when
        parts are missing, StorageError.
        """
        if upload.result is not None:
            return upload
        if upload.multipart is not None:
            await self._complete(upload, upload.multipart)
        try:
            async with self._reading:
                photo, etag = await self._look(upload)
            done = await self._take(upload, photo, etag)
        except UnsupportedFormat as error:
            done = replace(upload, result="rejected", reason=error.message)
            async with self._pool.connection() as connection:
                await _note(connection, done)
        except ObjectMissing:
            done = await self._reload(upload)  # another call was faster and has cleared it away
            if done.result is None:
                raise Conflict(INCOMPLETE) from None
        await self._clear(upload)
        return done

    async def _take(self, upload: DirectUpload, photo: NewPhoto, etag: str) -> DirectUpload:
        key = original_key(photo.event_id, photo.id, photo.extension)
        async with self._pool.connection() as connection:
            known = await known_sha256(connection, upload.event_id, [photo.sha256])
            if known:
                done = replace(upload, result="duplicate")
                await _note(connection, done)
                return done
            await keep(connection, [photo.id])
        await self._bucket.copy(  # no connection is held meanwhile
            upload.key,
            etag,
            key,
            content_type=photo.content_type,
            filename=key.rpartition("/")[2],
        )
        async with self._pool.connection() as connection, connection.transaction():
            inserted = await commit(connection, self._queue, [photo])
            done = replace(upload, result="stored" if inserted else "duplicate")
            await _note(connection, done)
        return done

    async def _look(self, upload: DirectUpload) -> tuple[NewPhoto, str]:
        """What the bytes in the store say; they are read a chunk at a time."""
        digest = hashlib.sha256()
        head = b""
        kind: PhotoFormat | None = None
        async with self._store.opened(upload.key) as opened:
            if opened.size != upload.size:
                raise UnsupportedFormat(OTHER_SIZE)
            async for chunk in opened.chunks:
                if kind is None:
                    head += chunk[:HEAD_BYTES]
                    if len(head) >= min(HEAD_BYTES, upload.size):
                        kind = sniff(head[:HEAD_BYTES])
                digest.update(chunk)
        assert kind is not None
        sha256 = digest.digest()
        return (
            NewPhoto(
                id=image_id(upload.event_id, sha256),
                event_id=upload.event_id,
                sha256=sha256,
                size=upload.size,
                content_type=kind.content_type,
                extension=kind.extension,
                name=upload.name,
                folder=upload.folder,
            ),
            opened.etag,
        )

    async def _complete(self, upload: DirectUpload, multipart: str) -> None:
        sizes = sizes_of_parts(upload.size)
        try:
            parts = await self._bucket.parts(upload.key, multipart)
            if {part.number: part.size for part in parts} != sizes:
                raise Conflict(INCOMPLETE)
            await self._bucket.complete(upload.key, multipart, parts)
        except ObjectMissing:
            return  # completed earlier; whether all is there is seen when it is read

    async def _with_parts(self, upload: DirectUpload) -> DirectUpload:
        begun = replace(upload, multipart=await self._bucket.begin(upload.key))
        async with self._pool.connection() as connection:
            await connection.execute(
                "update direct_upload set multipart = %s where id = %s", [begun.multipart, begun.id]
            )
        return begun

    async def _arrived(self, upload: DirectUpload) -> bool:
        (there,) = await self._store.exists_many([upload.key])
        if isinstance(there, StorageError):
            raise there
        return there

    async def _reload(self, upload: DirectUpload) -> DirectUpload:
        async with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(DirectUpload)) as cursor,
        ):
            await cursor.execute(
                f"select {COLUMNS} from direct_upload where id = %s",  # noqa: S608 (a constant)
                [upload.id],
            )
            return await cursor.fetchone() or upload

    async def _clear(self, upload: DirectUpload) -> None:
        try:
            await self._store.delete_many_async([upload.key])
        except StorageError as error:
            logger.warning("%s is not cleared away yet: %s", upload.key, error.message)


async def clear_left(connection: AsyncConnection, store: CloudStore, bucket: DirectBucket) -> int:
    """Clear away one upload whose time is over, or whose event is gone; says of how many, 0 or 1.

    What was taken in is cleared again: a link to its incoming key worked for an hour longer. For
    the same reason a deleted event's uploads are left alone for two hours after the last link.
    """
    async with connection.transaction():
        async with connection.cursor(row_factory=class_row(DirectUpload)) as cursor:
            await cursor.execute(
                f"""select {COLUMNS} from direct_upload
                    where expires_at < now()
                       or (expires_at < now() + make_interval(days => %s, hours => -2)
                           and not exists (select 1 from event where id = event_id))
                    limit 1 for update skip locked""",  # noqa: S608 (a constant of this module)
                [KEPT_DAYS],
            )
            left = await cursor.fetchone()
        if left is None:
            return 0
        if left.multipart is not None:
            await bucket.abort(left.key, left.multipart)
        await store.delete_many_async([left.key])
        await connection.execute("delete from direct_upload where id = %s", [left.id])
    return 1


async def _insert(connection: AsyncConnection, account_id: UUID, upload: DirectUpload) -> None:
    cursor = await connection.execute(
        """insert into direct_upload (id, event_id, account_id, name, folder, size, expires_at)
           select %(id)s, %(event)s, %(account)s, %(name)s, %(folder)s, %(size)s,
                  now() + make_interval(days => %(days)s)
           where (select count(*) from direct_upload
                  where account_id = %(account)s and result is null
                    and expires_at > now()) < %(most)s""",
        {
            "id": upload.id,
            "event": upload.event_id,
            "account": account_id,
            "name": upload.name,
            "folder": upload.folder,
            "size": upload.size,
            "days": KEPT_DAYS,
            "most": MOST_UNFINISHED,
        },
    )
    if not cursor.rowcount:
        raise Conflict(
            f"{MOST_UNFINISHED} uploads of yours are unfinished. Go on with them first: "
            "choose the same folder again."
        )


async def _find(
    connection: AsyncConnection, event_id: int, account_id: UUID, upload_id: UUID
) -> DirectUpload:
    async with connection.cursor(row_factory=class_row(DirectUpload)) as cursor:
        await cursor.execute(
            f"""select {COLUMNS} from direct_upload
                where id = %s and event_id = %s and account_id = %s and expires_at > now()""",  # noqa: S608
            [upload_id, event_id, account_id],
        )
        found = await cursor.fetchone()
    if found is None:
        raise NotFound("There is no such upload.")
    return found


async def _prolong(connection: AsyncConnection, upload_id: UUID) -> None:
    await connection.execute(
        "update direct_upload set expires_at = now() + make_interval(days => %s) where id = %s",
        [KEPT_DAYS, upload_id],
    )


async def _note(connection: AsyncConnection, upload: DirectUpload) -> None:
    await connection.execute(
        """update direct_upload set result = %s, reason = %s
           where id = %s and result is null""",
        [upload.result, upload.reason, upload.id],
    )
