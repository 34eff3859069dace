"""When and how a photo was taken, from its EXIF; never raises on what it finds there.

Tags by their numbers in Exif 2.32 (CIPA DC-008), read by Pillow.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from PIL import ExifTags, Image

from fotofinish.photos.containers import find_metadata
from fotofinish.photos.formats import PhotoFormat

EXIF_IFD = ExifTags.IFD.Exif
UNCALIBRATED, ADOBE_RGB = 65535, "R03"  # DCF 2.0 (CIPA DC-009) names its optional colours so
# (date and time, sub-seconds, offset), best first: the shutter, then the digitisation. The plain
# DateTime is left out: editors set it to the time of export, and no time is better than a wrong one
TIME_TAGS = (
    (
        ExifTags.Base.DateTimeOriginal,
        ExifTags.Base.SubsecTimeOriginal,
        ExifTags.Base.OffsetTimeOriginal,
    ),
    (
        ExifTags.Base.DateTimeDigitized,
        ExifTags.Base.SubsecTimeDigitized,
        ExifTags.Base.OffsetTimeDigitized,
    ),
)
EARLIEST_YEAR = 1990  # before the first digital cameras: a clock that was never set
MAX_OFFSET = 14 * 60
LONGEST_NAME = 80
# some cameras pad with spaces where the standard wants zeros
WALL_CLOCK = re.compile(
    r"\s*([0-9]{4})[:/.-]([0-9 ][0-9])[:/.-]([0-9 ][0-9])"
    r"[ T]([0-9 ][0-9]):([0-9 ][0-9]):([0-9 ][0-9])"
)
OFFSET = re.compile(r"\s*([+-])([0-9]{2}):?([0-5][0-9])")


@dataclass(frozen=True, slots=True)
class Capture:
    """The camera's word: wall clock (naive, with sub-seconds), its offset from UTC in minutes
    if it knew it, the EXIF orientation (1 to 8), and the camera's make and model."""

    taken_at: datetime | None = None
    offset_minutes: int | None = None
    orientation: int = 1
    camera: str | None = None


def read_capture(data: bytes, photo_format: PhotoFormat) -> Capture:
    """The capture data of a photo; empty where there is none or it makes no sense."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return parse_exif(find_metadata(data, photo_format).exif)
    except Exception:  # a file that is none; its pixels are not our business
        return Capture()


def parse_exif(exif: bytes | None) -> Capture:
    """The capture data in an EXIF block (TIFF structure)."""
    tags = Image.Exif()
    try:
        tags.load(exif or b"")
        return _capture(tags, tags.get_ifd(EXIF_IFD))
    except Exception:  # hostile EXIF breaks parsers in every way; the photo itself may be fine
        return Capture()


def is_adobe_rgb(exif: bytes | None) -> bool:
    """Whether an EXIF block says that the camera's colours are Adobe RGB."""
    if exif is None or ADOBE_RGB.encode() not in exif:
        return False
    tags = Image.Exif()
    try:
        tags.load(exif)
        space = tags.get_ifd(EXIF_IFD).get(ExifTags.Base.ColorSpace)
        index = tags.get_ifd(ExifTags.IFD.Interop).get(ExifTags.Interop.InteropIndex)
    except Exception:  # as above
        return False
    return space == UNCALIBRATED and _text(index) == ADOBE_RGB


def captured_at(capture: Capture, time_zone: str) -> datetime | None:
    """The instant of capture in UTC; without the camera's offset, the event's IANA zone holds."""
    if capture.taken_at is None:
        return None
    try:
        if capture.offset_minutes is not None:
            zone: timezone | ZoneInfo = timezone(timedelta(minutes=capture.offset_minutes))
        else:
            zone = ZoneInfo(time_zone)
        return capture.taken_at.replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _capture(tags: Mapping[int, object], details: Mapping[int, object]) -> Capture:
    orientation, camera = _orientation(tags.get(ExifTags.Base.Orientation)), _camera(tags)
    for time_tag, subsec_tag, offset_tag in TIME_TAGS:
        taken = _wall_clock(details.get(time_tag), details.get(subsec_tag))
        if taken is not None:
            return Capture(taken, _offset(details.get(offset_tag)), orientation, camera)
    return Capture(orientation=orientation, camera=camera)


def _orientation(value: object) -> int:
    if isinstance(value, tuple) and value:
        value = value[0]
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _camera(tags: Mapping[int, object]) -> str | None:
    make, model = (_text(tags.get(tag)) for tag in (ExifTags.Base.Make, ExifTags.Base.Model))
    if make and model.lower().startswith(make.split()[0].lower()):
        make = ""  # Canon, for one, writes its name into both
    return f"{make} {model}".strip()[:LONGEST_NAME] or None


def _text(value: object) -> str:
    if not isinstance(value, str):
        return ""
    return "".join(letter for letter in value.split("\0")[0] if letter.isprintable()).strip()


def _wall_clock(value: object, subseconds: object) -> datetime | None:
    match = WALL_CLOCK.match(value) if isinstance(value, str) else None
    if match is None:
        return None
    digits = subseconds.strip("\0 ") if isinstance(subseconds, str) else ""
    micros = int(digits[:6].ljust(6, "0")) if re.fullmatch(r"[0-9]+", digits) else 0
    try:
        year, month, day, hour, minute, second = map(int, match.groups())
        taken = datetime(year, month, day, hour, minute, second, micros)
    except ValueError:
        return None
    latest = datetime.now(UTC).year + 1
    return taken if EARLIEST_YEAR <= taken.year <= latest else None


def _offset(value: object) -> int | None:
    if not isinstance(value, str):
        return None
    if value.strip("\0 ") == "Z":
        return 0
    match = OFFSET.match(value)
    if match is None:
        return None
    minutes = int(match[2]) * 60 + int(match[3])
    if minutes > MAX_OFFSET:
        return None
    return -minutes if match[1] == "-" else minutes
