"""What kind of file it is, told by its first bytes and never by its name."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from fotofinish.errors import UnsupportedFormat


@dataclass(frozen=True, slots=True)
class PhotoFormat:
    """A kind of photo we take; `extension` without the dot."""

    name: str
    content_type: str
    extension: str


JPEG = PhotoFormat("JPEG", "image/jpeg", "jpg")
PNG = PhotoFormat("PNG", "image/png", "png")
WEBP = PhotoFormat("WebP", "image/webp", "webp")
HEIC = PhotoFormat("HEIC", "image/heic", "heic")
TIFF = PhotoFormat("TIFF", "image/tiff", "tif")

HEAD_BYTES = 4096
ACCEPTED = "JPEG, PNG, WebP, HEIC and TIFF"
# ISO base media brands (registered at mp4ra.org) that hold HEVC stills
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
AVIF_BRANDS = {b"avif", b"avis"}
# what opens a QuickTime film that does not say so with a brand
FILM_ATOMS = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
RIFF_KINDS = {b"AVI ": "a video", b"WAVE": "a sound recording"}
EXPORT = "; export it as JPEG"
KNOWN_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"GIF8", "a GIF, which no camera makes"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive; unpack it and send the photos"),
    (b"Rar!", "a RAR archive; unpack it and send the photos"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it and send the photos"),
    (b"\x1f\x8b", "a compressed archive; unpack it and send the photos"),
    (b"FUJIFILMCCD-RAW", f"a Fujifilm raw file{EXPORT}"),
    (b"FOVb", f"a Sigma raw file{EXPORT}"),
    (b"\0MRM", f"a Minolta raw file{EXPORT}"),
    (b"II\x1a\0\0\0HEAPCCDR", f"a Canon raw file{EXPORT}"),
    (b"IIRO", f"an Olympus raw file{EXPORT}"),
    (b"IIRS", f"an Olympus raw file{EXPORT}"),
    (b"MMOR", f"an Olympus raw file{EXPORT}"),
    (b"IIU\0", f"a Panasonic raw file{EXPORT}"),
    (b"II+\0", "a BigTIFF; save it as TIFF or JPEG"),
    (b"MM\0+", "a BigTIFF; save it as TIFF or JPEG"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
    (b"8BPS", "a Photoshop document; export it as JPEG or TIFF"),
    (b"\x1aE\xdf\xa3", "a video"),
    (b"\0\0\1\xba", "a video"),
    (b"ID3", "a sound recording"),
    (b"\0\5\x16\7", "a companion file that macOS makes beside a photo, not the photo itself"),
    (b"\0\0\0\1Bud1", "a folder's settings file of macOS"),
    (b"\xd0\xcf\x11\xe0", "a document or thumbnail store of Windows"),
)
TEXT_KINDS: tuple[tuple[bytes, str], ...] = (
    (b"<x:xmpmeta", "a sidecar file with settings (XMP), not the photo itself"),
    (b"<?xpacket", "a sidecar file with settings (XMP), not the photo itself"),
    (b"<svg", "a drawing (SVG)"),
    (b"<?xml", "a drawing or document (XML)"),
    (b"<!doctype", "a web page"),
    (b"<html", "a web page"),
)

# TIFF 6.0, TIFF/EP and DNG 1.7 tags by which a camera's raw file shows in its first directory
NEW_SUBFILE_TYPE, COMPRESSION, PHOTOMETRIC, MAKE, DNG_VERSION = 0xFE, 0x103, 0x106, 0x10F, 0xC612
RAW_COMPRESSIONS = {32767, 32769, 34713, 65000, 65535}  # Sony, Epson, Nikon, Kodak, Pentax
RAW_PHOTOMETRICS = {32803, 34892}  # colour filter array, linear raw
MOST_TAGS = 512
LONGEST_MAKE = 40


def sniff(head: bytes) -> PhotoFormat:
    """The format that the first bytes (a few hundred suffice, `HEAD_BYTES` are better) announce.

    Raises UnsupportedFormat, naming the kind of file where it is known.
    """
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    if head[4:8] == b"ftyp":
        return _iso_media(head)
    if head[:4] in (b"II*\0", b"MM\0*"):
        return _tiff(head)
    raise _refusal(_other(head))


def _refusal(kind: str) -> UnsupportedFormat:
    return UnsupportedFormat(f"This is {kind}. Fotofinish takes {ACCEPTED}.")


def _iso_media(head: bytes) -> PhotoFormat:
    size = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, size - 3, 4))}
    if head[8:12] == b"crx ":
        raise _refusal(f"a Canon raw file{EXPORT}")
    if brands & AVIF_BRANDS:
        raise _refusal("an AVIF picture")
    if brands & HEIC_BRANDS:
        return HEIC
    raise _refusal("a sound recording" if head[8:11] == b"M4A" else "a video")


def _tiff(head: bytes) -> PhotoFormat:
    if head[8:10] == b"CR":
        raise _refusal(f"a Canon raw file{EXPORT}")
    tags = _first_directory(head)
    if DNG_VERSION in tags:
        raise _refusal(f"a DNG raw file{EXPORT}")
    # A photo exported by an editor names its camera too: what tells a raw file is that its first
    # picture is a mere thumbnail, or is coded as no editor does.
    if (
        tags.get(NEW_SUBFILE_TYPE, 0) & 1
        or tags.get(COMPRESSION) in RAW_COMPRESSIONS
        or tags.get(PHOTOMETRIC) in RAW_PHOTOMETRICS
    ):
        raise _refusal(f"{_maker(head, tags)} raw file{EXPORT}")
    return TIFF


def _first_directory(head: bytes) -> dict[int, int]:
    """The first directory's tags with their value or where it lies; empty when out of reach."""
    order = "<" if head[:2] == b"II" else ">"
    try:
        (at,) = struct.unpack_from(f"{order}I", head, 4)
        (count,) = struct.unpack_from(f"{order}H", head, at)
    except struct.error:
        return {}
    tags: dict[int, int] = {}
    for entry in range(at + 2, min(at + 2 + 12 * min(count, MOST_TAGS), len(head) - 11), 12):
        tag, kind = struct.unpack_from(f"{order}HH", head, entry)
        (tags[tag],) = struct.unpack_from(f"{order}{'H' if kind == 3 else 'I'}", head, entry + 8)
    return tags


def _maker(head: bytes, tags: dict[int, int]) -> str:
    """The maker with its article, such as "a Nikon"; "a camera's" when it is not to be read."""
    at = tags.get(MAKE, len(head))
    words = head[at : at + LONGEST_MAKE].split(b"\0")[0].decode("ascii", "ignore").split()
    if not words or not words[0].isalnum():
        return "a camera's"
    name = words[0].capitalize()
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"


def _other(head: bytes) -> str:
    if not head:
        return "an empty file"
    if not head.strip(b"\0"):
        return "a file of zeros: copying it must have failed"
    for start, kind in KNOWN_OTHERS:
        if head.startswith(start):
            return kind
    if head[:4] == b"RIFF":
        return RIFF_KINDS.get(head[8:12], "no photo of a kind we know")
    if head[:2] == b"BM" and head[6:10] == b"\0\0\0\0":
        return "a BMP picture"
    if head[4:8] in FILM_ATOMS:
        return "a video"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:16].lower()
    for start, kind in TEXT_KINDS:
        if text.startswith(start):
            return kind
    return "no photo of a kind we know"
