"""A file's kind is told by its content, and what we do not take is named."""

from __future__ import annotations

import pytest

from fotofinish.errors import UnsupportedFormat
from fotofinish.photos.formats import sniff
from tests.photos.pictures import encoded, gradient


@pytest.mark.parametrize(
    ("kind", "content_type", "extension"),
    [
        ("JPEG", "image/jpeg", "jpg"),
        ("PNG", "image/png", "png"),
        ("WEBP", "image/webp", "webp"),
        ("TIFF", "image/tiff", "tif"),
    ],
)
def test_takes_photos_whatever_their_name(kind: str, content_type: str, extension: str) -> None:
    found = sniff(encoded(gradient(), kind))
    assert (found.content_type, found.extension) == (content_type, extension)


def test_takes_heic_by_its_brand() -> None:
    assert sniff(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic").content_type == "image/heic"


@pytest.mark.parametrize(
    ("head", "named"),
    [
        (b"", "empty"),
        (b"GIF89a\1\0\1\0", "GIF"),
        (b"%PDF-1.7", "PDF"),
        (b"PK\x03\x04rest", "ZIP"),
        (b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", "AVIF"),
        (b"\0\0\0\x18ftypisom\0\0\0\0mp42isom", "video"),
        (b"\0\0\0\x18ftypcrx \0\0\0\0crx isom", "raw"),
        (b"II*\0\x10\0\0\0CR\2\0", "raw"),
        (b"<html><body>login", "web page"),
        (b"random bytes", "no photo"),
    ],
)
def test_names_what_it_does_not_take(head: bytes, named: str) -> None:
    with pytest.raises(UnsupportedFormat, match=named):
        sniff(head)
