"""What kind of file it is, told by its first bytes and never by its name."""

from __future__ import annotations

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

ACCEPTED = "JPEG, PNG, WebP, HEIC and TIFF"
# ISO base media brands (registered at mp4ra.org) that hold HEVC stills
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
# marks by which camera makers' raw files, TIFF inside, can be told from plain TIFF
RAW_MAKERS = (b"NIKON", b"SONY", b"PENTAX", b"Canon", b"OLYMPUS", b"LEICA", b"Hasselblad")
KNOWN_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"GIF8", "a GIF, which no camera makes"),
    (b"BM", "a BMP picture"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive (unpack it and send the photos)"),
    (b"Rar!", "a RAR archive (unpack it and send the photos)"),
    (b"FUJIFILMCCD-RAW", "a Fujifilm raw file (export it as JPEG)"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"8BPS", "a Photoshop document (export it as JPEG or TIFF)"),
    (b"IIRO", "an Olympus raw file (export it as JPEG)"),
    (b"IIRS", "an Olympus raw file (export it as JPEG)"),
    (b"IIU\x00", "a Panasonic raw file (export it as JPEG)"),
)


def sniff(head: bytes) -> PhotoFormat:
    """The format that the first bytes (a few hundred suffice, 4,096 are better) announce.

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
    if head[:4] in (b"II*\x00", b"MM\x00*"):
        return _tiff(head)
    raise UnsupportedFormat(f"This is {_other(head)}. Photos are taken as {ACCEPTED}.")


def _iso_media(head: bytes) -> PhotoFormat:
    size = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, size - 3, 4))}
    if head[8:12] == b"crx ":
        raise UnsupportedFormat("This is a Canon raw file; export it as JPEG.")
    if b"avif" in brands or b"avis" in brands:
        raise UnsupportedFormat(f"This is an AVIF picture. Photos are taken as {ACCEPTED}.")
    if brands & HEIC_BRANDS:
        return HEIC
    raise UnsupportedFormat(f"This is a video. Photos are taken as {ACCEPTED}.")


def _tiff(head: bytes) -> PhotoFormat:
    if head[8:10] == b"CR":
        raise UnsupportedFormat("This is a Canon raw file; export it as JPEG.")
    if any(maker in head[:1024] for maker in RAW_MAKERS):
        raise UnsupportedFormat("This looks like a camera's raw file; export it as JPEG.")
    return TIFF


def _other(head: bytes) -> str:
    if not head:
        return "an empty file"
    for start, kind in KNOWN_OTHERS:
        if head.startswith(start):
            return kind
    if head[:4] in (b"II+\x00", b"MM\x00+"):
        return "a BigTIFF"
    text = head.lstrip()[:100].lower()
    if text.startswith((b"<svg", b"<?xml", b"<!doctype", b"<html")):
        return "a web page or drawing"
    return "no photo of a kind we know"
