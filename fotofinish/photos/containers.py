"""Where each kind of file keeps its EXIF and colour profile; finds them without decoding a pixel.

Reads bytes alone, so it costs next to nothing and no claimed size can hurt it. What the EXIF says
is in `exif.py`.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import pillow_heif
from PIL import Image

from fotofinish.photos.formats import HEIC, JPEG, PNG, TIFF, PhotoFormat

ICC_TAG = 34675  # InterColorProfile, TIFF/EP
LARGEST_PROFILE = 4 * 1024**2
EXIF_OPENINGS = (b"Exif\0\0", b"Exif\0\xff")
ICC_OPENING = b"ICC_PROFILE\0"
SCAN, END = 0xDA, 0xD9
BARE_MARKERS = {0x01, 0xD8}
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
PROGRESSIVE = {0xC2, 0xCA}
# no stuffed zero, restart marker or fill byte
NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


@dataclass(frozen=True, slots=True)
class Metadata:
    """What lies beside the pixels: `exif` as a TIFF block, `profile` as ICC.

    Of a JPEG also `frame`, its kind of coding (the number of its SOF marker, ITU-T T.81 table
    B.1), `depth`, its bits a channel, and `scans`, how often a decoder goes over it.
    """

    exif: bytes | None = None
    profile: bytes | None = None
    frame: int | None = None
    depth: int | None = None
    scans: int = 0


def find_metadata(data: bytes, photo_format: PhotoFormat) -> Metadata:
    """The metadata of a photo; what is damaged is left out.

    Raises whatever the HEIC reader raises on a file that is none.
    """
    if photo_format == JPEG:
        return _of_jpeg(data)
    if photo_format == HEIC:
        info = pillow_heif.open_heif(data).info
        return Metadata(info.get("exif"), info.get("icc_profile"))
    if photo_format == TIFF:
        return Metadata(data, _profile_of_tiff(data))
    chunks = _png_chunks(data) if photo_format == PNG else _webp_chunks(data)
    packed = chunks.get(b"iCCP")
    profile = chunks.get(b"ICCP") if packed is None else _unpacked(packed)
    return Metadata(chunks.get(b"eXIf", chunks.get(b"EXIF")), profile)


def _of_jpeg(data: bytes) -> Metadata:
    exif: bytes | None = None
    profile: dict[int, bytes] = {}
    frame = depth = None
    components = scans = 0
    for marker, body in _jpeg_segments(data):
        if marker == 0xE1 and body.startswith(EXIF_OPENINGS) and exif is None:
            exif = body[6:]
        elif marker == 0xE2 and body.startswith(ICC_OPENING) and len(body) > 14:
            profile[body[12]] = body[14:]
        elif marker in FRAMES and len(body) > 5:
            frame, depth, components = marker, body[0], body[5]
        elif marker == SCAN:
            scans += 1
            if frame not in PROGRESSIVE and body[:1] == bytes([components]):
                break  # all there is, in one scan: what follows is not looked at
    joined = b"".join(profile[number] for number in sorted(profile))
    return Metadata(exif, joined or None, frame, depth, scans)


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Each segment's marker and body, over all scans, until the photo's end.

    Skips what stands between segments, as decoders do.
    """
    at = 2
    while found := NEXT_MARKER.search(data, at):
        at, marker = found.end(), data[found.end() - 1]
        if marker in BARE_MARKERS:
            continue
        if marker == END:
            return
        length = max(2, int.from_bytes(data[at : at + 2], "big"))
        yield marker, data[at + 2 : at + length]
        at += length


def _png_chunks(data: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    at = 8
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        if name in (b"eXIf", b"iCCP"):
            found.setdefault(name, data[at + 8 : at + 8 + length])
        at += 12 + length
    return found


def _webp_chunks(data: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    at = 12
    while at + 8 <= len(data):
        name, length = struct.unpack_from("<4sI", data, at)
        if name in (b"EXIF", b"ICCP"):
            found.setdefault(name, data[at + 8 : at + 8 + length])
        at += 8 + length + length % 2
    return found


def _unpacked(chunk: bytes) -> bytes | None:
    """The profile in a PNG's iCCP chunk (name, NUL, method, zlib stream)."""
    _, _, packed = chunk.partition(b"\0")
    try:
        return zlib.decompressobj().decompress(packed[1:], LARGEST_PROFILE) or None
    except zlib.error:
        return None


def _profile_of_tiff(data: bytes) -> bytes | None:
    tags = Image.Exif()
    try:
        tags.load(data)
        profile = tags.get(ICC_TAG)
    except Exception:  # Pillow breaks in every way on hostile directories
        return None
    return profile if isinstance(profile, bytes) else None
