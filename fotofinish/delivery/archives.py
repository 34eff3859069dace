"""ZIP archives that are sent while they are read: no temporary file, nothing held in memory.

Photos do not shrink, so they are stored as they are. Where each byte lies follows from names and
sizes alone: the length is known before the first byte, and any range can be sent, as the checksum
of every photo is kept with its row (or computed when it is needed first). ZIP64 where it is needed.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from fotofinish.delivery.ranges import Span

VERSION, VERSION_ZIP64 = 20, 45
UTF8_NAMES = 0x0800
MADE_ON_UNIX = 3 << 8
PLAIN_FILE = 0o100644 << 16
LIMIT = 0xFFFFFFFF
LOCAL = struct.Struct("<4s5H3L2H")
CENTRAL = struct.Struct("<4s6H3L5H2L")
END = struct.Struct("<4s4H2LH")
END_ZIP64 = struct.Struct("<4sQ2H2L4Q")
LOCATOR_ZIP64 = struct.Struct("<4sLQL")

Read = Callable[[int, int, int], AsyncIterator[bytes]]
"""Bytes of an entry, by its number, from a start to before a stop."""
Checksum = Callable[[int], Awaitable[int]]
"""The CRC-32 of an entry, by its number."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in the archive; `modified` is a wall clock."""

    name: str
    size: int
    modified: datetime


class Archive:
    """The layout of an archive of fewer than 65,535 entries; their bytes are read when they are
    sent."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = entries
        self.offsets = []
        at = 0
        for entry in entries:
            self.offsets.append(at)
            at += len(_local(entry, 0)) + entry.size
        self.directory_at = at
        self.size = at + len(self._directory([0] * len(entries)))

    async def send(self, span: Span, read: Read, checksum: Checksum) -> AsyncIterator[bytes]:
        """The bytes of this span of the archive."""
        for number, entry in enumerate(self.entries):
            head_at = self.offsets[number]
            data_at = head_at + len(_local(entry, 0))
            end = data_at + entry.size
            if end <= span.start or head_at >= span.stop:
                continue
            if span.start < data_at:
                head = _local(entry, await checksum(number))
                yield _cut(head, head_at, span)
            start, stop = max(span.start, data_at), min(span.stop, end)
            if start < stop:
                async for chunk in read(number, start - data_at, stop - data_at):
                    yield chunk
        if span.stop > self.directory_at:
            checksums = [await checksum(number) for number in range(len(self.entries))]
            yield _cut(self._directory(checksums), self.directory_at, span)

    def _directory(self, checksums: Sequence[int]) -> bytes:
        """The central directory and what ends the archive."""
        records = b"".join(
            _central(entry, offset, crc)
            for entry, offset, crc in zip(self.entries, self.offsets, checksums, strict=True)
        )
        count, size, at = len(self.entries), len(records), self.directory_at
        tail = b""
        if size >= LIMIT or at >= LIMIT:
            made_by = MADE_ON_UNIX | VERSION_ZIP64
            tail = END_ZIP64.pack(
                b"PK\6\6", END_ZIP64.size - 12, made_by, VERSION_ZIP64, 0, 0, count, count, size, at
            ) + LOCATOR_ZIP64.pack(b"PK\6\7", 0, at + size, 1)
        end = END.pack(b"PK\5\6", 0, 0, count, count, min(size, LIMIT), min(at, LIMIT), 0)
        return records + tail + end


async def checksum_of(chunks: AsyncIterator[bytes]) -> int:
    """The CRC-32 of these bytes."""
    crc = 0
    async for chunk in chunks:
        crc = zlib.crc32(chunk, crc)
    return crc


def _local(entry: Entry, crc: int) -> bytes:
    name = entry.name.encode()
    large = entry.size >= LIMIT
    extra = struct.pack("<2H2Q", 1, 16, entry.size, entry.size) if large else b""
    size = min(entry.size, LIMIT)
    day, clock = _dos_time(entry.modified)
    head = LOCAL.pack(
        b"PK\3\4", VERSION_ZIP64 if large else VERSION, UTF8_NAMES, 0, clock, day, crc, size, size,
        len(name), len(extra),
    )  # fmt: skip
    return head + name + extra


def _central(entry: Entry, offset: int, crc: int) -> bytes:
    name = entry.name.encode()
    wide = [value for value in (entry.size, entry.size, offset) if value >= LIMIT]
    extra = struct.pack(f"<2H{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
    needed = VERSION_ZIP64 if wide else VERSION
    size = min(entry.size, LIMIT)
    day, clock = _dos_time(entry.modified)
    head = CENTRAL.pack(
        b"PK\1\2", MADE_ON_UNIX | needed, needed, UTF8_NAMES, 0, clock, day, crc, size, size,
        len(name), len(extra), 0, 0, 0, PLAIN_FILE, min(offset, LIMIT),
    )  # fmt: skip
    return head + name + extra


def _dos_time(at: datetime) -> tuple[int, int]:
    """The date and time as ZIP writes them; its calendar begins in 1980."""
    year = min(max(at.year, 1980), 2107)
    return (year - 1980) << 9 | at.month << 5 | at.day, at.hour << 11 | at.minute << 5 | (
        at.second // 2
    )


def _cut(piece: bytes, at: int, span: Span) -> bytes:
    """What of a piece that begins at `at` lies in the span."""
    return piece[max(0, span.start - at) : max(0, span.stop - at)]
