"""Taking originals in: checked, stored durably, then row and job committed together.

Nothing is decoded here. A file whose first bytes are no photo is refused at once; whatever only
decoding can tell is found out by a worker and ends as "failed" with a reason.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from uuid import UUID

from procrastinate import App
from psycopg import AsyncConnection
from psycopg.errors import ForeignKeyViolation

from fotofinish.database.connection import Pool
from fotofinish.errors import (
    FotofinishError,
    NotFound,
    StorageError,
    TooLarge,
    UnsupportedFormat,
)
from fotofinish.photos.deleting import keep
from fotofinish.photos.formats import HEAD_BYTES, PhotoFormat, sniff
from fotofinish.photos.keys import image_id, original_key
from fotofinish.photos.photos import NewPhoto, insert_photos, known_sha256
from fotofinish.queue import defer_processing
from fotofinish.storage.stores import Store

READ_BYTES = 1024 * 1024
EXAMINED_AT_ONCE = 4  # hashing takes a core each; more readers at once only make a disk seek
CHANGED = "The file changed or went away while it was read. Import it again."


@dataclass(frozen=True, slots=True)
class Incoming:
    """A file to take in. `name` is what the photographer calls it, the path's own unless given;
    `folder` where it lay among the others, for the photographer to find it by; `refusal` says why
    it cannot be read, where that is known already."""

    path: Path
    name: str = ""
    folder: str = ""
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file on disk that looks like a photo; `sha256` is that of its bytes.

    `stamp` tells whether they are still those: size and time of the last change.
    """

    path: Path
    name: str
    folder: str
    format: PhotoFormat
    size: int
    sha256: bytes
    stamp: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: "stored", "duplicate", or "rejected" with the reason."""

    path: Path
    result: str
    reason: str | None = None


def examine(file: Incoming, *, max_bytes: int) -> Candidate:
    """Look at a file's first bytes and hash it.

    Raises UnsupportedFormat or TooLarge with a message for the photographer, OSError when the
    file cannot be read.
    """
    path = file.path
    found = path.stat()
    if not S_ISREG(found.st_mode):
        raise UnsupportedFormat("This is not an ordinary file.")
    stamp = size, _ = _stamp(found)
    if size == 0:
        raise UnsupportedFormat("The file is empty.")
    if size > max_bytes:
        raise TooLarge(
            f"The file has {size / 1e6:,.0f} MB; the limit is {max_bytes / 1e6:,.0f} MB "
            "(FOTOFINISH_MAX_UPLOAD_BYTES)."
        )
    digest = hashlib.sha256()
    with path.open("rb") as opened:
        head = opened.read(HEAD_BYTES)
        photo_format = sniff(head)
        digest.update(head)
        while chunk := opened.read(READ_BYTES):
            digest.update(chunk)
    name, folder = readable(file.name or path.name), readable(file.folder)
    return Candidate(path, name, folder, photo_format, size, digest.digest(), stamp)


def readable(name: str) -> str:
    """A name from the disk as it can be kept and printed: what is no UTF-8 in it becomes U+FFFD."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


async def take_in(
    pool: Pool,
    store: Store,
    queue: App,
    event_id: int,
    files: Sequence[Incoming],
    *,
    max_bytes: int,
) -> list[Outcome]:
    """Take a batch of files into an event; one outcome a file, in the same order.

    When it returns, every "stored" file is durable and will be processed. One bad file never
    keeps the others out. No connection is held while bytes are read or stored.
    """
    outcomes: dict[int, Outcome] = {}
    candidates: dict[int, Candidate] = {}
    turns = asyncio.Semaphore(EXAMINED_AT_ONCE)
    looks = await asyncio.gather(*(_look(file, max_bytes, turns) for file in files))
    for index, look in enumerate(looks):
        if isinstance(look, Candidate):
            candidates[index] = look
        else:
            outcomes[index] = look
    async with pool.connection() as connection:
        known = await known_sha256(connection, event_id, [c.sha256 for c in candidates.values()])
    fresh: dict[bytes, list[int]] = {}
    for index, candidate in candidates.items():
        outcomes[index] = Outcome(candidate.path, "duplicate")
        if candidate.sha256 not in known:
            fresh.setdefault(candidate.sha256, []).append(index)
    if fresh:
        async with pool.connection() as connection:
            await keep(connection, [image_id(event_id, digest) for digest in fresh])
        stored = await asyncio.gather(
            *(
                _store_first(store, event_id, [candidates[index] for index in copies])
                for copies in fresh.values()
            )
        )
        async with pool.connection() as connection:
            new = await commit(connection, queue, [photo for _, photo in stored if photo])
        for copies, (changed, photo) in zip(fresh.values(), stored, strict=True):
            for index in copies[:changed]:
                outcomes[index] = Outcome(files[index].path, "rejected", CHANGED)
            if photo and photo.id in new:
                outcomes[copies[changed]] = Outcome(files[copies[changed]].path, "stored")
    return [outcomes[index] for index in range(len(files))]


async def _look(file: Incoming, max_bytes: int, turns: asyncio.Semaphore) -> Candidate | Outcome:
    """The file as a candidate, or why it is none."""
    if file.refusal is not None:
        return Outcome(file.path, "rejected", file.refusal)
    try:
        async with turns:
            # in a thread, since others wait for this loop while a large file is hashed
            return await asyncio.to_thread(examine, file, max_bytes=max_bytes)
    except FotofinishError as error:
        return Outcome(file.path, "rejected", error.message)
    except OSError as error:
        return Outcome(file.path, "rejected", f"Cannot be read: {error.strerror}.")


async def commit(connection: AsyncConnection, queue: App, photos: Sequence[NewPhoto]) -> set[UUID]:
    """Commit the rows of stored originals and their jobs in one transaction.

    Returns the ids that were new: the same bytes may have come from elsewhere at the same time.
    Raises NotFound when the event was deleted meanwhile.
    """
    try:
        async with connection.transaction():
            inserted = await insert_photos(connection, photos)
            await defer_processing(queue, connection, sorted(inserted))
    except ForeignKeyViolation:
        raise NotFound("This event was deleted.") from None
    return inserted


async def _store_first(
    store: Store, event_id: int, copies: Sequence[Candidate]
) -> tuple[int, NewPhoto | None]:
    """Store bytes from the first file that still has them; says how many before it had changed."""
    for changed, candidate in enumerate(copies):
        if photo := await _store(store, event_id, candidate):
            return changed, photo
    return len(copies), None


async def _store(store: Store, event_id: int, candidate: Candidate) -> NewPhoto | None:
    """Store a file's bytes, unless it changes or goes away meanwhile.

    What was stored of one that changed stays, without a row: to delete it could take the original
    from another intake that stores the same photo. Whoever brings the right bytes overwrites it.
    """
    photo_id = image_id(event_id, candidate.sha256)
    extension = candidate.format.extension
    if not await _is_unchanged(candidate):
        return None  # nothing put: another intake may have stored the same photo by now
    try:
        await store.put_async(
            original_key(event_id, photo_id, extension),
            candidate.path,
            content_type=candidate.format.content_type,
            filename=f"{photo_id}.{extension}",
        )
    except StorageError:
        if await asyncio.to_thread(_reads_as_before, candidate):
            raise
        return None  # no fault of the store's
    if not await _is_unchanged(candidate):
        return None
    return NewPhoto(
        id=photo_id,
        event_id=event_id,
        sha256=candidate.sha256,
        size=candidate.size,
        content_type=candidate.format.content_type,
        extension=extension,
        name=candidate.name,
        folder=candidate.folder,
    )


async def _is_unchanged(candidate: Candidate) -> bool:
    try:
        return _stamp(await asyncio.to_thread(candidate.path.stat)) == candidate.stamp
    except OSError:
        return False


def _reads_as_before(candidate: Candidate) -> bool:
    try:
        with candidate.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest() == candidate.sha256
    except OSError:
        return False


def _stamp(found: os.stat_result) -> tuple[int, int]:
    return found.st_size, found.st_mtime_ns
