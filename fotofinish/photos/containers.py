"""Where each kind of file keeps its EXIF and colour profile; finds them without decoding a pixel.

Reads bytes alone, so it costs next to nothing and no claimed size can hurt it. What the EXIF says
is in `exif.py`.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import pillow_heif
from PIL import Image

from fotofinish.photos.formats import HEIC, JPEG, PNG, TIFF, PhotoFormat

ICC_TAG = 34675  # InterColorProfile, TIFF/EP
LARGEST_PROFILE = 4 * 1024**2
EXIF_OPENINGS = (b"Exif\0\0", b"Exif\0\xff")
ICC_OPENING = b"ICC_PROFILE\0"
SCAN, END = 0xDA, 0xD9
BARE_MARKERS = {0x01, *range(0xD0, 0xD9)}
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class Metadata:
    """What lies beside the pixels: `exif` as a TIFF block, `profile` as ICC.

    Of a JPEG also `frame`, its kind of coding (the number of its SOF marker, ITU-T T.81 table
    B.1), and `depth`, its bits a channel.
    """

    exif: bytes | None = None
    profile: bytes | None = None
    frame: int | None = None
    depth: int | None = None


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
    parts: dict[int, bytes] = {}
    frame = depth = None
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # fill bytes may stand before any marker
            at += 1
            continue
        if marker in BARE_MARKERS:
            at += 2
            continue
        if marker in (SCAN, END):
            break
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        body = data[at + 4 : at + 2 + length]
        if marker == 0xE1 and body.startswith(EXIF_OPENINGS) and exif is None:
            exif = body[6:]
        elif marker == 0xE2 and body.startswith(ICC_OPENING) and len(body) > 14:
            parts[body[12]] = body[14:]
        elif marker in FRAMES and body:
            frame, depth = marker, body[0]
        at += 2 + max(length, 2)
    profile = b"".join(parts[number] for number in sorted(parts)) or None
    return Metadata(exif, profile, frame, depth)


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
