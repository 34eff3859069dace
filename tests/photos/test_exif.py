"""Capture times as cameras write them, and as they should not."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import numpy as np
import pytest
from PIL import ExifTags, Image

from fotofinish.photos.exif import Capture, captured_at, read_capture
from fotofinish.photos.formats import HEIC, JPEG, PNG, TIFF, WEBP, sniff
from tests.photos.pictures import encoded, gradient, png_chunk, png_header

BASE = ExifTags.Base
SHUTTER = {
    BASE.DateTimeOriginal: "2026:05:17 09:41:07",
    BASE.SubsecTimeOriginal: "25",
    BASE.OffsetTimeOriginal: "+02:00",
}


def _exif(tags: dict[int, object], **top: object) -> Image.Exif:
    exif = Image.Exif()
    for name, value in top.items():
        exif[getattr(BASE, name)] = value
    exif.get_ifd(ExifTags.IFD.Exif).update(tags)
    return exif


def _photo(tags: dict[int, object], kind: str = "JPEG", **top: object) -> bytes:
    return encoded(gradient(), kind, exif=_exif(tags, **top).tobytes())


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "PNG", "HEIC", "TIFF"])
def test_reads_time_with_offset_and_subseconds(kind: str) -> None:
    data = _photo(dict(SHUTTER), kind)
    capture = read_capture(data, sniff(data))
    assert capture.taken_at == datetime(2026, 5, 17, 9, 41, 7, 250000)
    assert capture.offset_minutes == 120
    assert captured_at(capture, "America/New_York") == datetime(
        2026, 5, 17, 7, 41, 7, 250000, tzinfo=UTC
    )


def test_without_an_offset_the_events_time_zone_holds() -> None:
    winter = Capture(taken_at=datetime(2026, 1, 17, 9, 0))
    summer = Capture(taken_at=datetime(2026, 7, 17, 9, 0))
    assert captured_at(winter, "Europe/Berlin") == datetime(2026, 1, 17, 8, 0, tzinfo=UTC)
    assert captured_at(summer, "Europe/Berlin") == datetime(2026, 7, 17, 7, 0, tzinfo=UTC)


def test_takes_the_digitisation_where_the_shutter_is_silent() -> None:
    tags = {BASE.DateTimeOriginal: "0000:00:00 00:00:00", BASE.DateTimeDigitized: SHUTTER[
        BASE.DateTimeOriginal], BASE.OffsetTimeDigitized: "-03:30"}  # fmt: skip
    capture = read_capture(_photo(tags), JPEG)
    assert capture.taken_at == datetime(2026, 5, 17, 9, 41, 7)
    assert capture.offset_minutes == -210


def test_an_editors_time_of_export_is_no_capture_time() -> None:
    assert read_capture(_photo({}, DateTime="2026:05:18 20:00:00"), JPEG).taken_at is None


@pytest.mark.parametrize(
    "value",
    [
        "0000:00:00 00:00:00",
        "    :  :     :  :  ",
        "                   ",
        "2026:13:40 99:99:99",
        "2026:05:17 24:00:00",
        "1970:01:01 00:00:00",
        "9999:12:31 23:59:59",
        "2026:05:17",
        "x",
        b"\xff\xfe\0",
    ],
)
def test_a_clock_that_was_never_set_gives_no_time(value: object) -> None:
    capture = read_capture(_photo({BASE.DateTimeOriginal: value}), JPEG)
    assert capture.taken_at is None
    assert captured_at(capture, "UTC") is None


def test_reads_a_clock_padded_with_spaces() -> None:
    capture = read_capture(_photo({BASE.DateTimeOriginal: "2026: 5: 7  9:04:05"}), JPEG)
    assert capture.taken_at == datetime(2026, 5, 7, 9, 4, 5)


@pytest.mark.parametrize(
    ("offset", "minutes"),
    [("Z", 0), ("+05:45", 345), ("-0800", -480), ("+99:00", None), ("+02:77", None), ("?", None)],
)
def test_an_offset_that_makes_no_sense_is_none(offset: str, minutes: int | None) -> None:
    capture = read_capture(_photo({**SHUTTER, BASE.OffsetTimeOriginal: offset}), JPEG)
    assert capture.offset_minutes == minutes


@pytest.mark.parametrize(("subseconds", "micros"), [("1", 100_000), ("0071", 7_100), ("x", 0)])
def test_subseconds_are_a_decimal_fraction(subseconds: str, micros: int) -> None:
    capture = read_capture(_photo({**SHUTTER, BASE.SubsecTimeOriginal: subseconds}), JPEG)
    assert capture.taken_at is not None
    assert capture.taken_at.microsecond == micros


def test_reads_the_orientation_and_ignores_an_impossible_one() -> None:
    assert read_capture(_photo({}, Orientation=6), JPEG).orientation == 6
    assert read_capture(_photo({}, Orientation=77), JPEG).orientation == 1
    assert read_capture(_photo({}, Orientation=0), JPEG).orientation == 1


@pytest.mark.parametrize(
    ("make", "model", "camera"),
    [
        ("Canon", "Canon EOS R6", "Canon EOS R6"),
        ("NIKON CORPORATION", "NIKON Z 9", "NIKON Z 9"),
        ("SONY\0", "ILCE-9M3 ", "SONY ILCE-9M3"),
        ("", "", None),
    ],
)
def test_names_the_camera_once(make: str, model: str, camera: str | None) -> None:
    assert read_capture(_photo({}, Make=make, Model=model), JPEG).camera == camera


def test_a_png_may_carry_its_exif_after_the_pixels() -> None:
    end = png_chunk(b"IEND", b"")
    exif = png_chunk(b"eXIf", _exif(dict(SHUTTER)).tobytes().removeprefix(b"Exif\0\0"))
    data = encoded(gradient(), "PNG").removesuffix(end) + exif + end
    assert read_capture(data, PNG).offset_minutes == 120


def test_decodes_no_pixel_for_it() -> None:
    begin = time.process_time()
    assert read_capture(png_header(100_000, 100_000), PNG) == Capture()
    assert time.process_time() - begin < 0.5


@pytest.mark.parametrize("photo_format", [JPEG, PNG, WEBP, HEIC, TIFF])
def test_never_raises_on_rubbish(photo_format: object) -> None:
    for rubbish in (
        b"",
        b"\xff\xd8\xff\xe1\xff\xffExif\0\0rubbish" * 50,
        b"II*\0\x08\0\0\0\xff\xff",
    ):
        assert read_capture(rubbish, photo_format) == Capture()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "HEIC"])
def test_never_raises_on_damaged_exif(kind: str) -> None:
    data = np.frombuffer(_photo(dict(SHUTTER), kind, Orientation=6, Make="Canon"), np.uint8)
    photo_format = sniff(data.tobytes())
    chance = np.random.default_rng(8)
    for _ in range(150):
        damaged = data.copy()
        places = chance.integers(0, min(len(data), 600), 12)
        damaged[places] = chance.integers(0, 256, 12)
        capture = read_capture(damaged.tobytes(), photo_format)
        assert 1 <= capture.orientation <= 8
        captured_at(capture, "Europe/Berlin")
