"""One original on its way to a file: what is there, what is missing, and whether it is right.

No network here. What has arrived stays in `NAME.part` until it is whole; the file appears under its
name only then.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import BinaryIO
from uuid import UUID

import httpx

from fotofinish.client.answers import Original
from fotofinish.client.errors import DownloadFailed
from fotofinish.photos.keys import image_id

SAFE_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}")
BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a download of many stands; `bytes` counts what came over the network."""

    done: int
    total: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Downloaded:
    """What became of one original: its file, or why there is none.

    `verified` says that the bytes' SHA-256 is the one the photo's id was made from; servers that
    make ids in another way leave the size alone to be checked.
    """

    filename: str
    path: Path | None
    size: int = 0
    fresh: bool = False
    verified: bool = False
    error: str | None = None


class LinkExpired(Exception):
    """The link does not serve any more: ask for another one."""


class Interrupted(Exception):
    """The connection or the server failed: try again from where it stopped."""


class Transfer:
    """One original's file. Use: `there`, else `headers`, `begin`, `write` …, `finish`; `close`."""

    def __init__(self, event_id: int, original: Original, folder: Path) -> None:
        if not SAFE_NAME.fullmatch(original.filename):
            raise DownloadFailed(f"The server named a file {original.filename!r}; it is not taken.")
        self._event_id = event_id
        self._original = original
        self.path = folder / original.filename
        self._part = folder / f"{original.filename}.part"
        self._file: BinaryIO | None = None
        self._hash = hashlib.sha256()
        self._size = 0
        self._expected: int | None = None
        self._went_on = False
        self.advanced = False

    def there(self) -> Downloaded | None:
        """The file of an earlier download, when it is the right one."""
        try:
            with self.path.open("rb") as file:
                self._take_in(file)
        except FileNotFoundError:
            return None
        right = self._right()
        return self._done(fresh=False) if right or right is None else None

    def headers(self) -> dict[str, str]:
        """What to ask for: all, or what is missing."""
        self.close()
        self.advanced = False
        self._hash, self._size = hashlib.sha256(), 0
        try:
            with self._part.open("rb") as file:
                self._take_in(file)
        except FileNotFoundError:
            pass
        return {"Range": f"bytes={self._size}-"} if self._size else {}

    def begin(self, answer: httpx.Response) -> None:
        """Look at the answer's head. Raises LinkExpired, Interrupted, DownloadFailed."""
        status = answer.status_code
        if status == 403:
            raise LinkExpired
        if status in (429, 500, 502, 503, 504):
            raise Interrupted
        if status == 416:
            self._begin_again()
            raise Interrupted
        if status not in (200, 206):
            raise DownloadFailed(f"{self._original.filename}: the server answered {status}.")
        if status == 206:
            told = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", answer.headers.get("content-range", ""))
            if told is None or int(told[1]) != self._size:
                self._begin_again()
                raise Interrupted
            self._expected = int(told[2])
            self._file, self._went_on = self._part.open("ab"), True
            return
        self._hash, self._size = hashlib.sha256(), 0
        length = answer.headers.get("content-length", "")
        encoded = "content-encoding" in answer.headers
        self._expected = int(length) if length.isdecimal() and not encoded else None
        self._file, self._went_on = self._part.open("wb"), False

    def write(self, piece: bytes) -> None:
        """The next bytes."""
        assert self._file is not None
        self._file.write(piece)
        self._hash.update(piece)
        self._size += len(piece)
        self.advanced = True

    def finish(self) -> Downloaded:
        """Check what came and give it its name. Raises Interrupted when it is cut short,
        DownloadFailed when it is another file than asked for."""
        assert self._file is not None
        self._file.flush()
        os.fsync(self._file.fileno())
        self.close()
        if self._expected is not None and self._size < self._expected:
            raise Interrupted
        wrong_size = self._expected is not None and self._size != self._expected
        if wrong_size or self._right() is False:
            self._part.unlink()
            if self._went_on:  # the bytes from before may be what is wrong
                raise Interrupted
            raise DownloadFailed(f"{self._original.filename}: what came is not the original.")
        self._part.replace(self.path)
        return self._done(fresh=True)

    def close(self) -> None:
        """Leave the file as it is, to go on another time."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _take_in(self, file: BinaryIO) -> None:
        while block := file.read(BLOCK):
            self._hash.update(block)
            self._size += len(block)

    def _right(self) -> bool | None:
        """Whether these bytes make the photo's id; None when ids are not made from bytes."""
        id = self._original.image_id
        if id is None or id.version != 5:
            return None
        return image_id(self._event_id, self._hash.digest()) == id

    def _begin_again(self) -> None:
        self._part.unlink(missing_ok=True)

    def _done(self, *, fresh: bool) -> Downloaded:
        return Downloaded(
            self._original.filename, self.path, self._size, fresh, verified=bool(self._right())
        )


class Tally:
    """Adds up what is done, from any thread, and tells whoever wants to know."""

    def __init__(self, tell: Callable[[Progress], None] | None, total: int) -> None:
        self._tell = tell
        self._turn = Lock()
        self._total = total
        self._done = 0
        self._bytes = 0

    def add(self, *, done: int = 0, bytes: int = 0) -> None:
        """More of it is done."""
        with self._turn:
            self._done += done
            self._bytes += bytes
            if self._tell is not None:
                self._tell(Progress(self._done, self._total, self._bytes))


def make_folder(folder: Path) -> None:
    """Make the folder that originals go to, unless it is there; raises DownloadFailed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DownloadFailed(f"{folder} cannot be made: {error.strerror}.") from None


def failure(original: Original, error: str) -> Downloaded:
    """An original that could not be had."""
    return Downloaded(original.filename, None, error=error)


def id_for_renewal(original: Original, left: int) -> UUID:
    """The id to ask for a fresh link with; raises DownloadFailed when the name holds none, or no
    renewal is left."""
    if original.image_id is None or left < 0:
        raise DownloadFailed(f"{original.filename}: the link has expired.")
    return original.image_id
