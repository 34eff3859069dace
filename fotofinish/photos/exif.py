"""When and how a photo was taken, from its EXIF; never raises on what it finds there.

Tags by their numbers in Exif 2.32 (CIPA DC-008), read by Pillow.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pillow_heif
from PIL import ExifTags, Image

from fotofinish.photos.formats import HEIC, PhotoFormat

ORIENTATION = ExifTags.Base.Orientation
EXIF_IFD = ExifTags.IFD.Exif
# (date and time, sub-seconds, offset), best first: the shutter, then the digitisation
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


@dataclass(frozen=True, slots=True)
class Capture:
    """The camera's word: wall clock (naive, with sub-seconds), its offset from UTC in minutes
    if it knew it, and the EXIF orientation (1 to 8)."""

    taken_at: datetime | None = None
    offset_minutes: int | None = None
    orientation: int = 1


def read_capture(data: bytes, photo_format: PhotoFormat) -> Capture:
    """The capture data of a photo; empty where there is none or it makes no sense."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tags = _load(data, photo_format)
            details = tags.get_ifd(EXIF_IFD)
            return _capture(tags, details)
    except Exception:  # hostile EXIF breaks parsers in every way; the photo itself may be fine
        return Capture()


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


def _load(data: bytes, photo_format: PhotoFormat) -> Image.Exif:
    if photo_format == HEIC:
        tags = Image.Exif()
        raw = pillow_heif.open_heif(data, convert_hdr_to_8bit=False).info.get("exif")
        if raw:
            tags.load(raw)
        return tags
    with Image.open(io.BytesIO(data), formats=[_pillow_name(photo_format)]) as image:
        return image.getexif()


def _pillow_name(photo_format: PhotoFormat) -> str:
    return photo_format.name.upper()


def _capture(tags: Mapping[int, object], details: Mapping[int, object]) -> Capture:
    found = tags.get(ORIENTATION)
    orientation = found if isinstance(found, int) and 1 <= found <= 8 else 1
    for time_tag, subsec_tag, offset_tag in TIME_TAGS:
        taken = _wall_clock(details.get(time_tag), details.get(subsec_tag))
        if taken is not None:
            return Capture(taken, _offset(details.get(offset_tag)), orientation)
    return Capture(orientation=orientation)


def _wall_clock(value: object, subseconds: object) -> datetime | None:
    text = value if isinstance(value, str) else ""
    match = re.match(r"\s*(\d{4})[:/-](\d\d)[:/-](\d\d)[ T](\d\d):(\d\d):(\d\d)", text)
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
    match = re.match(r"\s*([+-])(\d\d):(\d\d)", value) if isinstance(value, str) else None
    if match is None:
        return 0 if isinstance(value, str) and value.strip("\0 ") == "Z" else None
    minutes = int(match[2]) * 60 + int(match[3])
    if minutes > MAX_OFFSET or int(match[3]) > 59:
        return None
    return -minutes if match[1] == "-" else minutes
