"""Objects in S3 and its kin, Google Cloud Storage and Azure, through obstore.

What obstore says about a failure may carry addresses and account names, so none of it is passed
on: each kind of failure has a sentence of its own here, with the service's error code at most.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

from fotofinish.errors import ObjectMissing, StorageError, StorageRefused
from fotofinish.storage.disposition import attachment
from fotofinish.storage.keys import check_key
from fotofinish.storage.s3_place import S3Place

if TYPE_CHECKING:
    from obstore import Attributes
    from obstore.store import AzureStore, ClientConfig, GCSStore, RetryConfig, S3Store

PART_BYTES = 16 * 1024 * 1024
PARTS_AT_ONCE = 4
CHUNK = 256 * 1024
LOOK_SECONDS = 3.0
LIST_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to wait for a store, and how often to try again."""

    client: ClientConfig
    retries: RetryConfig


TRANSFERS = Limits(
    {"connect_timeout": "5s", "read_timeout": "30s", "timeout": "5m"},
    {"max_retries": 4, "retry_timeout": timedelta(minutes=1)},
)
LOOKS = Limits(
    {"connect_timeout": "2s", "timeout": f"{LOOK_SECONDS:g}s"},
    {"max_retries": 1, "retry_timeout": timedelta(seconds=LOOK_SECONDS)},
)

SERVICE_CODE = re.compile(r"<Code>([A-Za-z]{1,64})</Code>")
HTTP_STATUS = re.compile(r"status code: (\d{3})")
# with a code of the service: a proxy before a store that is away answers so too, but without
REFUSALS = ("400", "401", "403")


@dataclass(frozen=True, slots=True)
class Opened:
    """An object's size, what S3 calls this very version of it, and its bytes."""

    size: int
    etag: str
    chunks: AsyncIterator[bytes]


class CloudStore:
    """A bucket (or container). One for all workers, threads and tasks of a process.

    `transfers` moves bytes, patiently; `looks` asks whether objects are there, and gives up soon;
    `place` is what links to S3 are made from.
    """

    def __init__(
        self,
        name: str,
        transfers: S3Store | GCSStore | AzureStore,
        looks: S3Store | GCSStore | AzureStore,
        place: S3Place | None = None,
    ) -> None:
        self.name = name
        self.place = place
        self.bucket = transfers
        self._looks = looks

    def put(
        self,
        key: str,
        data: bytes | Path,
        *,
        content_type: str,
        filename: str,
        cache_control: str | None = None,
    ) -> None:
        """Store an object, replacing one that is there; complete when it returns.

        Up to 16 MiB in one request, more in parts of which four are in memory at once.
        """
        with self._failures(key):
            obstore.put(
                self.bucket,
                check_key(key),
                data,
                attributes=attributes(content_type, filename, cache_control),
                chunk_size=PART_BYTES,
                max_concurrency=PARTS_AT_ONCE,
            )

    async def put_async(
        self,
        key: str,
        data: bytes | Path,
        *,
        content_type: str,
        filename: str,
        cache_control: str | None = None,
    ) -> None:
        """As `put`."""
        with self._failures(key):
            await obstore.put_async(
                self.bucket,
                check_key(key),
                data,
                attributes=attributes(content_type, filename, cache_control),
                chunk_size=PART_BYTES,
                max_concurrency=PARTS_AT_ONCE,
            )

    def get(self, key: str) -> bytes:
        """All bytes of an object; ObjectMissing if there is none."""
        with self._failures(key):
            return obstore.get(self.bucket, check_key(key)).bytes().to_bytes()

    async def stream(self, key: str, start: int, stop: int) -> AsyncIterator[bytes]:
        """Bytes `start` to before `stop` of an object, a chunk at a time."""
        if start == stop:
            return
        with self._failures(key):
            result = await obstore.get_async(
                self.bucket, check_key(key), options={"range": (start, stop)}
            )
            async for chunk in result.stream(min_chunk_size=CHUNK):
                yield bytes(chunk)

    @asynccontextmanager
    async def opened(self, key: str) -> AsyncIterator[Opened]:
        """An object as it stands, to be read once from its beginning."""
        with self._failures(key):
            result = await obstore.get_async(self.bucket, check_key(key))
            chunks = (bytes(chunk) async for chunk in result.stream(min_chunk_size=CHUNK))
            yield Opened(result.meta["size"], result.meta["e_tag"] or "", chunks)

    async def exists_many(self, keys: Sequence[str]) -> list[bool | StorageError]:
        """One answer a key, in their order, after 3 s at most; never raises.

        All at once: 60 answers take as long as the slowest. A store that cannot be reached gives
        a StorageError for each key.
        """
        looks = [asyncio.ensure_future(self._look(key)) for key in keys]
        if looks:
            _, late = await asyncio.wait(looks, timeout=LOOK_SECONDS)
            for look in late:
                look.cancel()
        return [self._answer(look) for look in looks]

    def delete_many(self, keys: Iterable[str]) -> None:
        """Delete these objects; those that are not there are no error."""
        listed = [check_key(key) for key in keys]
        with self._failures():
            try:
                obstore.delete(self.bucket, listed)
            except FileNotFoundError:
                self._delete_singly(listed)

    async def delete_many_async(self, keys: Iterable[str]) -> None:
        """As `delete_many`; in a thread, as deleting one after another may be needed."""
        await asyncio.to_thread(self.delete_many, list(keys))

    def delete_prefix(self, prefix: str) -> None:
        """Delete everything below `prefix`, whole segments: `imgs/4` leaves `imgs/45/…` alone."""
        folder = check_key(prefix.rstrip("/"))
        with self._failures():
            for batch in obstore.list(self.bucket, folder, chunk_size=LIST_BATCH):
                self.delete_many([found["path"] for found in batch])

    async def delete_prefix_async(self, prefix: str) -> None:
        """As `delete_prefix`."""
        await asyncio.to_thread(self.delete_prefix, prefix)

    def check(self) -> None:
        """Raise StorageError unless objects can be written and read back."""
        key = f"check/{secrets.token_hex(8)}"
        with self._failures(key):
            obstore.put(self._looks, key, b"fotofinish")
            if obstore.get(self._looks, key).bytes() != b"fotofinish":
                raise StorageError(f"{self.name} gives back other bytes than it was given.")
            obstore.delete(self._looks, key)

    def reach(self) -> None:
        """Raise StorageError unless the bucket answers, StorageRefused when waiting will not mend
        it. Reads only, so a full bucket answers; done within seconds."""
        key = "check/reach"
        with suppress(ObjectMissing), self._failures(key):
            obstore.get(self._looks, key)

    async def _look(self, key: str) -> bool | StorageError:
        try:
            with self._failures(key):
                await obstore.head_async(self._looks, check_key(key))
        except ObjectMissing:
            return False
        except StorageError as error:
            return error
        return True

    def _answer(self, look: asyncio.Future[bool | StorageError]) -> bool | StorageError:
        if not look.done() or look.cancelled():
            return StorageError(f"{self.name} did not answer in time.")
        return look.result()

    def _delete_singly(self, keys: Sequence[str]) -> None:
        for key in keys:
            try:
                obstore.delete(self.bucket, key)
            except FileNotFoundError:
                continue

    @contextmanager
    def _failures(self, key: str | None = None) -> Iterator[None]:
        try:
            yield
        except (BaseError, OSError, ValueError) as error:
            raise self._told(error, key) from None

    def _told(self, error: Exception, key: str | None) -> StorageError:
        text = str(error)
        code = SERVICE_CODE.search(text)
        status = HTTP_STATUS.search(text)
        refused = code and status and status[1] in REFUSALS
        kind = StorageRefused if refused else StorageError
        if code and code[1] in ("NoSuchBucket", "ContainerNotFound"):
            return StorageRefused(f"{self.name} does not exist. Make it, or name another.")
        if status and status[1] == "404":
            return ObjectMissing(f"There is no object {key} in {self.name}.")
        if isinstance(error, PermissionDeniedError | UnauthenticatedError):
            said = f" ({code[1]})" if code else ""
            return kind(
                f"{self.name} refused our credentials{said}. Look at the access key, the secret "
                "key, and what they may do there."
            )
        if status:
            said = f", {code[1]}" if code else ""
            return kind(f"{self.name} answered with an error (HTTP {status[1]}{said}).")
        if isinstance(error, OSError):
            return StorageError(f"A file to be stored cannot be read ({type(error).__name__}).")
        return StorageError(f"{self.name} cannot be reached.")


def attributes(content_type: str, filename: str, cache_control: str | None) -> Attributes:
    """What the object is served with: its type, the name it is saved under, who may keep it."""
    given: Attributes = {"Content-Type": content_type, "Content-Disposition": attachment(filename)}
    return given if cache_control is None else {**given, "Cache-Control": cache_control}
