"""Capture times as cameras write them, and as they should not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from PIL import ExifTags, Image

from fotofinish.photos.exif import Capture, captured_at, read_capture
from fotofinish.photos.formats import JPEG, sniff
from tests.photos.pictures import encoded, gradient

BASE = ExifTags.Base


def _photo(tags: dict[int, str], kind: str = "JPEG", **top: int) -> bytes:
    exif = Image.Exif()
    for name, value in top.items():
        exif[getattr(BASE, name)] = value
    exif.get_ifd(ExifTags.IFD.Exif).update(tags)
    return encoded(gradient(), kind, exif=exif.tobytes())


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "PNG"])
def test_reads_time_with_offset_and_subseconds(kind: str) -> None:
    data = _photo(
        {
            BASE.DateTimeOriginal: "2026:05:17 09:41:07",
            BASE.SubsecTimeOriginal: "25",
            BASE.OffsetTimeOriginal: "+02:00",
        },
        kind,
    )
    capture = read_capture(data, sniff(data))
    assert capture.taken_at == datetime(2026, 5, 17, 9, 41, 7, 250000)
    assert capture.offset_minutes == 120
    assert captured_at(capture, "America/New_York") == datetime(
        2026, 5, 17, 7, 41, 7, 250000, tzinfo=UTC
    )


def test_without_an_offset_the_events_time_zone_holds() -> None:
    capture = Capture(taken_at=datetime(2026, 1, 17, 9, 0))
    assert captured_at(capture, "Europe/Berlin") == datetime(2026, 1, 17, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "0000:00:00 00:00:00",
        "    :  :     :  :  ",
        "2026:13:40 99:99:99",
        "1970:01:01 00:00:00",
        "x",
    ],
)
def test_a_clock_that_was_never_set_gives_no_time(value: str) -> None:
    capture = read_capture(_photo({BASE.DateTimeOriginal: value}), JPEG)
    assert capture.taken_at is None
    assert captured_at(capture, "UTC") is None


def test_reads_the_orientation_and_ignores_an_impossible_one() -> None:
    assert read_capture(_photo({}, Orientation=6), JPEG).orientation == 6
    assert read_capture(_photo({}, Orientation=77), JPEG).orientation == 1


def test_never_raises_on_rubbish() -> None:
    assert read_capture(b"\xff\xd8\xff\xe1\xff\xffExif\0\0rubbish" * 50, JPEG) == Capture()
