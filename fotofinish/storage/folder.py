"""Objects as files in a folder of this machine: durable writes, nothing half-written.

Not through obstore: its LocalStore writes beside the key and never calls fsync (seen with strace
on 0.12.1), so an acknowledged original could be lost with the power.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_ISREG

from fotofinish.errors import ObjectMissing, StorageError
from fotofinish.storage.keys import check_key

INCOMING = ".incoming"
CHUNK = 256 * 1024
LEFTOVER_SECONDS = 24 * 3600


class FolderStore:
    """A store in a folder. Its files may be read by others; only this class writes them.

    A write goes to a temporary file under `.incoming` of the same folder, is flushed to the disk
    and renamed, and the rename is flushed too: under a key there is the whole object or nothing.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.name = "the storage folder"
        self._incoming = self.root / INCOMING
        self._prefix = f"{self.root}{os.sep}"
        with _failures():
            _make_folders(self._incoming)
            self._sweep()

    def path(self, key: str) -> Path:
        """Where the object lies, whether it exists or not."""
        return Path(self._prefix + check_key(key))

    def put(
        self,
        key: str,
        data: bytes | Path,
        *,
        content_type: str,
        filename: str,
        cache_control: str | None = None,
    ) -> None:
        """Store an object, replacing one that is there; durable when it returns.

        A folder keeps no type, no file name and no rules for caches: they come from the key when a
        link is served.
        """
        target = self.path(key)
        temporary = self._incoming / secrets.token_hex(16)
        with _failures():
            try:
                _write(temporary, data)
                _make_folders(target.parent)
                temporary.rename(target)
                _flush(target.parent)
            finally:
                temporary.unlink(missing_ok=True)

    async def put_async(
        self,
        key: str,
        data: bytes | Path,
        *,
        content_type: str,
        filename: str,
        cache_control: str | None = None,
    ) -> None:
        """As `put`; in a thread, since flushing a disk takes long and cannot be awaited."""
        await asyncio.to_thread(
            self.put,
            key,
            data,
            content_type=content_type,
            filename=filename,
            cache_control=cache_control,
        )

    def get(self, key: str) -> bytes:
        """All bytes of an object; ObjectMissing if there is none."""
        with _failures():
            try:
                return self.path(key).read_bytes()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                raise ObjectMissing(f"There is no object {key} in {self.name}.") from None

    async def stream(self, key: str, start: int, stop: int) -> AsyncIterator[bytes]:
        """Bytes `start` to before `stop` of an object, a chunk at a time."""
        with _failures():
            try:
                descriptor = await asyncio.to_thread(os.open, self.path(key), os.O_RDONLY)
            except (FileNotFoundError, NotADirectoryError):
                raise ObjectMissing(f"There is no object {key} in {self.name}.") from None
            try:
                while start < stop:
                    length = min(CHUNK, stop - start)
                    chunk = await asyncio.to_thread(os.pread, descriptor, length, start)
                    if not chunk:
                        raise StorageError(f"{key} is shorter than it was.")
                    start += len(chunk)
                    yield chunk
            finally:
                os.close(descriptor)

    async def exists_many(self, keys: Sequence[str]) -> list[bool | StorageError]:
        """One answer a key, in their order; never raises. One stat each, without a thread."""
        return [self._look(key) for key in keys]

    def delete_many(self, keys: Iterable[str]) -> None:
        """Delete these objects; those that are not there are no error."""
        with _failures():
            for key in keys:
                self.path(key).unlink(missing_ok=True)

    async def delete_many_async(self, keys: Iterable[str]) -> None:
        """As `delete_many`."""
        await asyncio.to_thread(self.delete_many, list(keys))

    def delete_prefix(self, prefix: str) -> None:
        """Delete everything below `prefix`, whole segments: `imgs/4` leaves `imgs/45/…` alone."""
        with _failures():
            shutil.rmtree(self.path(prefix.rstrip("/")), onerror=_unless_gone)

    async def delete_prefix_async(self, prefix: str) -> None:
        """As `delete_prefix`."""
        await asyncio.to_thread(self.delete_prefix, prefix)

    def check(self) -> None:
        """Raise StorageError unless objects can be written and read back."""
        key = f"check/{secrets.token_hex(8)}"
        self.put(key, b"fotofinish", content_type="text/plain", filename="check")
        try:
            if self.get(key) != b"fotofinish":
                raise StorageError("The storage folder gives back other bytes than it was given.")
        finally:
            self.delete_many([key])

    def _look(self, key: str) -> bool | StorageError:
        try:
            # A Path a key would cost twice what its stat does.
            found = os.stat(self._prefix + check_key(key))  # noqa: PTH116
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            return _told(error)
        except StorageError as error:
            return error
        return S_ISREG(found.st_mode)

    def _sweep(self) -> None:
        """Remove what writers that were killed have left behind."""
        oldest = time.time() - LEFTOVER_SECONDS
        for leftover in self._incoming.iterdir():
            with suppress(FileNotFoundError):
                if leftover.stat().st_mtime < oldest:
                    leftover.unlink()


def _write(path: Path, data: bytes | Path) -> None:
    if isinstance(data, Path):
        shutil.copyfile(data, path)
    else:
        path.write_bytes(data)
    _flush(path, os.O_RDWR)


def _make_folders(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folders(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o750)
    _flush(folder.parent)


def _flush(path: Path, how: int = os.O_RDONLY) -> None:
    """Wait until the file's bytes, or the folder's entries, are on the disk."""
    descriptor = os.open(path, how | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unless_gone(_: object, __: str, failure: tuple[type, BaseException, object]) -> None:
    """Raise what kept `rmtree` from deleting, unless it is gone: somebody else was faster."""
    if not isinstance(failure[1], FileNotFoundError | NotADirectoryError):
        raise failure[1]


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _told(error) from None


def _told(error: OSError) -> StorageError:
    return StorageError(f"The storage folder failed: {error.strerror or 'no reason given'}.")
