"""Archives of more than 4 GB, read by Python's own zipfile.

Their bytes are made when they are read, as in the real thing: nothing large is ever stored.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest

from fotofinish.delivery.archives import Archive, Entry
from fotofinish.delivery.ranges import Span
from tests.loops import run

TAKEN = datetime(2026, 5, 9, 9, 30, 2)
CHUNK = 1 << 20


class Sent(io.RawIOBase):
    """An archive as a file of which only what is read is ever made.

    Entry `n` is filled with the byte `n % 256`.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._at = 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + (0, self._at, self._archive.size)[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        span = Span(self._at, min(self._archive.size, self._at + len(view)))
        got = run(self._collect(span)) if span.length > 0 else b""
        view[: len(got)] = got
        self._at += len(got)
        return len(got)

    async def _collect(self, span: Span) -> bytes:
        chunks = [chunk async for chunk in self._archive.send(span, self._read, self._checksum)]
        assert sum(map(len, chunks)) == span.length
        return b"".join(chunks)

    async def _read(self, number: int, start: int, stop: int) -> AsyncIterator[bytes]:
        for at in range(start, stop, CHUNK):
            yield bytes([number % 256]) * (min(stop, at + CHUNK) - at)

    async def _checksum(self, number: int) -> int:
        size = self._archive.entries[number].size
        return zlib.crc32(bytes([number % 256]) * size) if size < CHUNK else 0


def opened(sizes: list[int]) -> zipfile.ZipFile:
    entries = [Entry(f"{number:06d}-ü.jpg", size, TAKEN) for number, size in enumerate(sizes)]
    return zipfile.ZipFile(io.BufferedReader(Sent(Archive(entries))))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "sizes",
    [
        [1000, 5_000_000_000, 2000],  # one file that is too large for the old format
        [300_000_000] * 15 + [5000],  # none, but together
        [0xFFFFFFFE, 0xFFFFFFFF, 7],
        [1, 0],
    ],
)
def test_sizes_and_places_are_right_beyond_four_gigabytes(sizes: list[int]) -> None:
    with opened(sizes) as archive:
        assert [entry.file_size for entry in archive.infolist()] == sizes
        assert archive.infolist()[0].date_time == (2026, 5, 9, 9, 30, 2)
        assert archive.infolist()[0].filename == "000000-ü.jpg"
        for number, entry in enumerate(archive.infolist()):
            if entry.file_size < CHUNK:  # its checksum is compared
                assert archive.read(entry) == bytes([number]) * entry.file_size
                continue
            with archive.open(entry) as file:
                assert file.read(9) == bytes([number]) * 9


def test_every_piece_of_an_archive_is_what_the_whole_has_there() -> None:
    archive = Archive([Entry(f"{number}.jpg", 3 + number, TAKEN) for number in range(3)])
    sent = Sent(archive)
    whole = sent.read()
    assert len(whole) == archive.size
    for start in range(archive.size):
        for length in (1, 2, 40, archive.size):
            sent.seek(start)
            assert sent.read(length) == whole[start : start + length]
