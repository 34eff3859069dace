"""Taking originals in: checked, stored durably, then row and job committed together.

Nothing is decoded here. A file whose first bytes are no photo is refused at once; whatever only
decoding can tell is found out by a worker and ends as "failed" with a reason.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from procrastinate import App
from psycopg import AsyncConnection

from fotofinish import jobs
from fotofinish.database.connection import Pool
from fotofinish.errors import FotofinishError, TooLarge, UnsupportedFormat
from fotofinish.photos.deleting import keep
from fotofinish.photos.formats import PhotoFormat, sniff
from fotofinish.photos.keys import image_id, original_key
from fotofinish.photos.photos import NewPhoto, insert_photos, known_sha256
from fotofinish.storage.stores import Store

HEAD_BYTES = 4096
READ_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Incoming:
    """A file to take in. `name` is what the photographer calls it, the path's own unless given;
    `folder` where it lay among the others, for the photographer to find it by."""

    path: Path
    name: str = ""
    folder: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file on disk that looks like a photo; `sha256` is that of its bytes."""

    path: Path
    name: str
    folder: str
    format: PhotoFormat
    size: int
    sha256: bytes


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
    size = path.stat().st_size
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
    return Candidate(path, name, folder, photo_format, size, digest.digest())


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
    for index, file in enumerate(files):
        try:
            # in a thread, since others wait for this loop while a large file is hashed
            candidates[index] = await asyncio.to_thread(examine, file, max_bytes=max_bytes)
        except FotofinishError as error:
            outcomes[index] = Outcome(file.path, "rejected", error.message)
        except OSError as error:
            outcomes[index] = Outcome(file.path, "rejected", f"Cannot be read: {error.strerror}.")
    async with pool.connection() as connection:
        known = await known_sha256(connection, event_id, [c.sha256 for c in candidates.values()])
    fresh: dict[bytes, Candidate] = {}
    for candidate in candidates.values():
        if candidate.sha256 not in known:
            fresh.setdefault(candidate.sha256, candidate)
    new: set[UUID] = set()
    if fresh:
        async with pool.connection() as connection:
            await keep(connection, [image_id(event_id, digest) for digest in fresh])
        stored = await asyncio.gather(
            *(_store(store, event_id, candidate) for candidate in fresh.values())
        )
        async with pool.connection() as connection:
            new = await commit(connection, queue, stored)
    for index, candidate in candidates.items():
        first = fresh.get(candidate.sha256) is candidate
        is_new = first and image_id(event_id, candidate.sha256) in new
        outcomes[index] = Outcome(candidate.path, "stored" if is_new else "duplicate")
    return [outcomes[index] for index in range(len(files))]


async def commit(connection: AsyncConnection, queue: App, photos: Sequence[NewPhoto]) -> set[UUID]:
    """Commit the rows of stored originals and their jobs in one transaction.

    Returns the ids that were new: the same bytes may have come from elsewhere at the same time.
    """
    async with connection.transaction():
        inserted = await insert_photos(connection, photos)
        await jobs.defer_processing(queue, connection, sorted(inserted))
    return inserted


async def _store(store: Store, event_id: int, candidate: Candidate) -> NewPhoto:
    photo_id = image_id(event_id, candidate.sha256)
    extension = candidate.format.extension
    key = original_key(event_id, photo_id, extension)
    await store.put_async(
        key,
        candidate.path,
        content_type=candidate.format.content_type,
        filename=f"{photo_id}.{extension}",
    )
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
