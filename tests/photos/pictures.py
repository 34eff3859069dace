"""Pictures that tests make: never a photo of anybody."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pillow_heif
from PIL import Image


def gradient(width: int = 160, height: int = 120) -> Image.Image:
    """A picture whose four corners differ, so that every turn and mirror shows."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    red, green = 255 * x / width, 255 * y / height
    blue = np.where((x < width / 4) & (y < height / 4), 255, 40)
    return Image.fromarray(np.stack([red, green, blue], axis=2).astype(np.uint8))


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """The picture as a file of this kind, in Pillow's name for it, or "HEIC"."""
    file = io.BytesIO()
    if kind == "HEIC":
        # an EXIF orientation becomes HEIC's own rotation as well, as phones write it
        quick = {"preset": "ultrafast"}  # as the usual takes ten times as long
        pillow_heif.from_pillow(image).save(file, quality=90, enc_params=quick, **options)
    else:
        image.save(file, kind, **options)
    return file.getvalue()


def opened(file: bytes) -> Image.Image:
    """The picture in a file."""
    return Image.open(io.BytesIO(file))


def png_chunk(name: bytes, body: bytes) -> bytes:
    """A PNG chunk with its length and checksum."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds nearly nothing: a decompression bomb's opening."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + png_chunk(b"IEND", b"")
    )


def webp_header(width: int, height: int) -> bytes:
    """A lossless WebP that claims a size and holds nothing."""
    size = (width - 1) | (height - 1) << 14
    body = b"\x2f" + struct.pack("<I", size) + b"\0" * 11
    return (
        b"RIFF"
        + struct.pack("<I", 12 + len(body))
        + b"WEBPVP8L"
        + struct.pack("<I", len(body))
        + body
    )


def tiff(tags: dict[int, tuple[int, int, int]], after: bytes = b"") -> bytes:
    """A little-endian TIFF of one directory: tag to (type, count, value or place), then `after`,
    which begins at byte 14 + 12 for each tag."""
    entries = b"".join(struct.pack("<HHII", tag, *tags[tag]) for tag in sorted(tags))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + b"\0" * 4 + after


def grey_profile(gamma: float) -> bytes:
    """An ICC profile for grey pixels."""
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    return _profile(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": curve})


def cmyk_profile(cyan: tuple[int, int, int]) -> bytes:
    """An ICC profile for a press whose cyan prints as this Lab colour, and whose magenta and yellow
    do not print at all."""
    black = (0, 0, 0)
    printed = [(100, 0, 0), black] * 4 + [cyan, black] * 4
    colours = bytes(v for tone, a, b in printed for v in (tone * 255 // 100, a + 128, b + 128))
    table = (
        b"mft1\0\0\0\0" + bytes([4, 3, 2, 0])
        + struct.pack(">9i", *(65536 * (n % 4 == 0) for n in range(9)))
        + bytes(range(256)) * 4 + colours + bytes(range(256)) * 3
    )  # fmt: skip
    return _profile(b"prtr", b"CMYK", b"Lab ", {b"A2B0": table})


def _profile(kind: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    """An ICC profile of version 2.4 (ICC.1:2001-04)."""
    white = struct.pack(">3i", 63190, 65536, 54061)  # D50
    tags = {b"wtpt": b"XYZ \0\0\0\0" + white, **tags}
    at, entries = 132 + 12 * len(tags), b""
    for name, body in tags.items():
        entries += name + struct.pack(">II", at, len(body))
        at += len(body)
    head = struct.pack(">I4xI4s4s4s12x4s28x", at, 0x02400000, kind, space, connection, b"acsp")
    head = (head + white).ljust(128, b"\0")
    return head + struct.pack(">I", len(tags)) + entries + b"".join(tags.values())
