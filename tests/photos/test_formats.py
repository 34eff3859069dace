"""A file's kind is told by its content, and what we do not take is named."""

from __future__ import annotations

import pytest
from PIL import ExifTags, Image

from fotofinish.errors import UnsupportedFormat
from fotofinish.photos.formats import sniff
from tests.photos.pictures import encoded, gradient, tiff

SHORT, LONG, ASCII, BYTE = 3, 4, 2, 1


@pytest.mark.parametrize(
    ("kind", "content_type", "extension"),
    [
        ("JPEG", "image/jpeg", "jpg"),
        ("PNG", "image/png", "png"),
        ("WEBP", "image/webp", "webp"),
        ("HEIC", "image/heic", "heic"),
        ("TIFF", "image/tiff", "tif"),
    ],
)
def test_takes_photos_whatever_their_name(kind: str, content_type: str, extension: str) -> None:
    found = sniff(encoded(gradient(), kind)[:4096])
    assert (found.content_type, found.extension) == (content_type, extension)


def test_takes_heic_by_a_compatible_brand() -> None:
    assert sniff(b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic").content_type == "image/heic"


@pytest.mark.parametrize("maker", ["NIKON CORPORATION", "Canon", "SONY"])
def test_takes_a_tiff_that_an_editor_exported_from_a_cameras_photo(maker: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = maker
    assert sniff(encoded(gradient(), "TIFF", exif=exif)).name == "TIFF"


@pytest.mark.parametrize(
    ("head", "named"),
    [
        (b"", "an empty file"),
        (b"\0" * 4096, "zeros"),
        (b"GIF89a\1\0\1\0", "a GIF"),
        (b"BM\x36\0\0\0\0\0\0\0\x36", "a BMP"),
        (b"%PDF-1.7", "a PDF"),
        (b"PK\x03\x04rest", "a ZIP archive; unpack it"),
        (b"8BPS\0\1", "a Photoshop document"),
        (b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", "an AVIF"),
        (b"\0\0\0\x18ftypisom\0\0\0\0mp42isom", "a video"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "a video"),
        (b"\0\0\0\x08wide\0\1\2\3mdat", "a video"),
        (b"RIFF\0\0\1\0AVI LIST", "a video"),
        (b"\0\0\0\x18ftypcrx \0\0\0\0crx isom", "a Canon raw file"),
        (b"II*\0\x10\0\0\0CR\2\0", "a Canon raw file"),
        (b"FUJIFILMCCD-RAW 0201", "a Fujifilm raw file"),
        (b"IIU\0\x18\0\0\0", "a Panasonic raw file"),
        (b"IIRO\x08\0\0\0", "an Olympus raw file"),
        (b"II+\0\x08\0\0\0", "a BigTIFF"),
        (b"<html><body>login", "a web page"),
        (b"\xef\xbb\xbf<!DOCTYPE html>", "a web page"),
        (b"<svg xmlns=", "a drawing"),
        (b"<x:xmpmeta xmlns:x=", "a sidecar file"),
        (b"\0\5\x16\7\0\2\0\0Mac OS X", "a companion file that macOS makes"),
        (b"random bytes", "no photo of a kind we know"),
    ],
)
def test_names_what_it_does_not_take(head: bytes, named: str) -> None:
    with pytest.raises(UnsupportedFormat, match=f"^This is .*{named}.*Fotofinish takes JPEG, PNG"):
        sniff(head)


@pytest.mark.parametrize(
    ("tags", "maker", "named"),
    [
        ({0xFE: (LONG, 1, 1)}, b"NIKON CORPORATION", "a Nikon raw file"),
        ({0xFE: (LONG, 1, 1), 0x103: (SHORT, 1, 6)}, b"SONY", "a Sony raw file"),
        ({0x103: (SHORT, 1, 65535)}, b"PENTAX", "a Pentax raw file"),
        ({0x106: (SHORT, 1, 32803)}, b"OLYMPUS", "an Olympus raw file"),
        ({0xC612: (BYTE, 4, 0x00000401)}, b"Leica", "a DNG raw file"),
        ({0xFE: (LONG, 1, 1)}, b"\xff\xfe?", "a camera's raw file"),
    ],
)
def test_tells_a_cameras_raw_file_from_a_tiff(
    tags: dict[int, tuple[int, int, int]], maker: bytes, named: str
) -> None:
    place = 14 + 12 * (len(tags) + 1)
    head = tiff({**tags, 0x10F: (ASCII, len(maker) + 1, place)}, maker + b"\0")
    with pytest.raises(UnsupportedFormat, match=named):
        sniff(head)


@pytest.mark.parametrize("head", [b"II*\0", b"MM\0*\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff\1"])
def test_a_directory_out_of_reach_leaves_it_a_tiff(head: bytes) -> None:
    assert sniff(head).name == "TIFF"
