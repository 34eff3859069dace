"""Originals on their way in from a browser: the bytes that came so far, kept until all are there.

The bytes lie in a folder of this machine; how many of them are safe stands in the database, written
after each request's bytes were flushed to the disk. What came after that, before a crash, is sent
again. What the protocol of a request looks like is not known here.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID, uuid4

from procrastinate import App
from psycopg import AsyncConnection
from psycopg.rows import class_row

from fotofinish.database.connection import Pool
from fotofinish.errors import (
    Conflict,
    NotFound,
    StorageFull,
    TooLarge,
    UnsupportedFormat,
    UploadBusy,
)
from fotofinish.photos.formats import HEAD_BYTES, sniff
from fotofinish.photos.intake import Incoming, take_in
from fotofinish.storage.stores import Store

KEPT_DAYS = 7
MOST_UNFINISHED = 500
RESERVE_BYTES = 200 * 1024**2  # the database and the worker need room as well
FULL = "There is no room left on the server's disk. What has arrived is kept; make room and go on."


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that is being sent; `received` of its `size` bytes are safe.

    `result` is None until all of it is there: then "stored", "duplicate", or "rejected" with a
    `reason` for the photographer.
    """

    id: UUID
    event_id: int
    name: str
    folder: str
    size: int
    received: int
    result: str | None
    reason: str | None


COLUMNS = "id, event_id, name, folder, size, received, result, reason"


class Uploads:
    """Takes files in piece by piece, for one folder of this machine."""

    def __init__(
        self, folder: Path, pool: Pool, store: Store, queue: App, *, max_bytes: int
    ) -> None:
        self._folder = folder
        self._pool = pool
        self._store = store
        self._queue = queue
        self._max_bytes = max_bytes
        folder.mkdir(parents=True, exist_ok=True)
        self._sweep()

    async def begin(
        self, event_id: int, account_id: UUID, name: str, size: int, folder: str = ""
    ) -> Upload:
        """A new upload, nothing received yet.

        Raises TooLarge, StorageFull, or Conflict when the account has too many unfinished ones.
        """
        if size > self._max_bytes:
            raise TooLarge(
                f"The file has {size / 1e6:,.0f} MB; the limit is {self._max_bytes / 1e6:,.0f} MB."
            )
        if shutil.disk_usage(self._folder).free < size + RESERVE_BYTES:
            raise StorageFull(FULL)
        self._sweep()
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute("delete from upload where expires_at < now()")
            return await _insert(connection, event_id, account_id, name, folder, size)

    async def find(self, event_id: int, account_id: UUID, upload_id: UUID) -> Upload:
        """An upload of this account; raises NotFound, also when its bytes are on no disk here."""
        async with self._pool.connection() as connection:
            upload = await _find(connection, event_id, account_id, upload_id)
        if upload.result is None and upload.received:
            try:
                there = self._path(upload.id).stat().st_size
            except FileNotFoundError:
                there = 0
            if there < upload.received:
                raise NotFound("This upload is not on this server. Send the file again.")
        return upload

    async def receive(self, upload: Upload, offset: int, pieces: AsyncIterator[bytes]) -> Upload:
        """Add bytes from `offset` on, and finish when all are there.

        However this ends, what was written is flushed and counts. Raises Conflict when `offset` is
        not where the upload stands or another request is writing, UnsupportedFormat as soon as the
        first bytes are no photo's (nothing is left of it then), TooLarge for more bytes than
        announced, StorageFull.
        """
        async with self._writing(upload) as (descriptor, current):
            if offset != current.received:
                raise Conflict(f"{current.received} bytes are here; go on from there.")
            if current.result is not None:
                return current
            os.ftruncate(descriptor, current.received)
            written = current.received
            try:
                async for piece in pieces:
                    if written + len(piece) > current.size:
                        raise TooLarge("More bytes came than were announced.")
                    _write(descriptor, piece, written)
                    begun, written = written, written + len(piece)
                    if begun < HEAD_BYTES <= written or (begun == 0 and written == current.size):
                        sniff(os.pread(descriptor, HEAD_BYTES, 0))
            except UnsupportedFormat as error:
                current = replace(current, result="rejected", reason=error.message)
                self._path(current.id).unlink(missing_ok=True)
                raise
            finally:
                await asyncio.to_thread(os.fsync, descriptor)
                current = replace(current, received=written)
                await asyncio.shield(self._note(current))
            if written < current.size:
                return current
            return await self._finish(current)

    async def settle(self, upload: Upload) -> Upload:
        """Take in an upload whose bytes are all there, where a failure came in between."""
        if upload.result is not None or upload.received < upload.size:
            return upload
        async with self._writing(upload) as (_, current):
            return current if current.result is not None else await self._finish(current)

    async def cancel(self, upload: Upload) -> None:
        """Forget an upload and its bytes."""
        async with self._pool.connection() as connection:
            await connection.execute("delete from upload where id = %s", [upload.id])
        self._path(upload.id).unlink(missing_ok=True)

    async def _finish(self, upload: Upload) -> Upload:
        path = self._path(upload.id)
        (outcome,) = await take_in(
            self._pool,
            self._store,
            self._queue,
            upload.event_id,
            [Incoming(path, upload.name, upload.folder)],
            max_bytes=self._max_bytes,
        )
        done = replace(upload, result=outcome.result, reason=outcome.reason)
        async with self._pool.connection() as connection:
            await connection.execute(
                "update upload set result = %s, reason = %s where id = %s",
                [done.result, done.reason, done.id],
            )
        path.unlink(missing_ok=True)
        return done

    @asynccontextmanager
    async def _writing(self, upload: Upload) -> AsyncIterator[tuple[int, Upload]]:
        """The upload's file, locked, and where the upload stands now; one writer at a time."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self._path(upload.id), flags, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UploadBusy("Another request is sending this file just now.") from None
            async with self._pool.connection() as connection:
                current = await _reload(connection, upload.id)
            yield descriptor, current
        finally:
            os.close(descriptor)

    async def _note(self, upload: Upload) -> None:
        async with self._pool.connection() as connection:
            await connection.execute(
                """update upload set received = %s, result = %s, reason = %s,
                          expires_at = now() + make_interval(days => %s)
                   where id = %s""",
                [upload.received, upload.result, upload.reason, KEPT_DAYS, upload.id],
            )

    def _path(self, upload_id: UUID) -> Path:
        return self._folder / upload_id.hex

    def _sweep(self) -> None:
        """Remove the bytes of uploads that nobody went on with."""
        oldest = time.time() - (KEPT_DAYS + 1) * 24 * 3600
        for leftover in self._folder.iterdir():
            with suppress(FileNotFoundError):
                if leftover.stat().st_mtime < oldest:
                    leftover.unlink()


def _write(descriptor: int, piece: bytes, at: int) -> None:
    try:
        while piece:
            written = os.pwrite(descriptor, piece, at)
            piece, at = piece[written:], at + written
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(FULL) from None
        raise


async def _insert(
    connection: AsyncConnection,
    event_id: int,
    account_id: UUID,
    name: str,
    folder: str,
    size: int,
) -> Upload:
    async with connection.cursor(row_factory=class_row(Upload)) as cursor:
        await cursor.execute(
            f"""insert into upload (id, event_id, account_id, name, folder, size, expires_at)
                select %(id)s, %(event)s, %(account)s, %(name)s, %(folder)s, %(size)s,
                       now() + make_interval(days => %(days)s)
                where (select count(*) from upload
                       where account_id = %(account)s and result is null) < %(most)s
                returning {COLUMNS}""",  # noqa: S608 (a constant of this module)
            {
                "id": uuid4(),
                "event": event_id,
                "account": account_id,
                "name": name,
                "folder": folder,
                "size": size,
                "days": KEPT_DAYS,
                "most": MOST_UNFINISHED,
            },
        )
        made = await cursor.fetchone()
    if made is None:
        raise Conflict(
            f"{MOST_UNFINISHED} uploads of yours are unfinished. Go on with them first: "
            "choose the same folder again."
        )
    return made


async def _find(
    connection: AsyncConnection, event_id: int, account_id: UUID, upload_id: UUID
) -> Upload:
    async with connection.cursor(row_factory=class_row(Upload)) as cursor:
        await cursor.execute(
            f"""select {COLUMNS} from upload
                where id = %s and event_id = %s and account_id = %s and expires_at > now()""",  # noqa: S608
            [upload_id, event_id, account_id],
        )
        found = await cursor.fetchone()
    if found is None:
        raise NotFound("There is no such upload.")
    return found


async def _reload(connection: AsyncConnection, upload_id: UUID) -> Upload:
    async with connection.cursor(row_factory=class_row(Upload)) as cursor:
        await cursor.execute(f"select {COLUMNS} from upload where id = %s", [upload_id])  # noqa: S608
        found = await cursor.fetchone()
    if found is None:
        raise NotFound("There is no such upload.")
    return found
