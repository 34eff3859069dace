"""From bytes to upright pixels, decoded once, at the smallest scale that serves.

Runs in worker processes (and the server's reader process) alone: native decoders meet hostile
files here.
"""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import pillow_heif
import simplejpeg
from PIL import Image, ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import (
    BITSPERSAMPLE,
    PHOTOMETRIC_INTERPRETATION,
    PLANAR_CONFIGURATION,
    TiffImageFile,
)
from PIL.WebPImagePlugin import WebPImageFile

from fotofinish.arrays import Pixels, as_pixels
from fotofinish.errors import FotofinishError, UndecodablePhoto
from fotofinish.photos.colours import adobe_rgb, bgr_of_cmyk, is_for
from fotofinish.photos.containers import Metadata, find_metadata
from fotofinish.photos.exif import is_adobe_rgb, parse_exif
from fotofinish.photos.formats import HEIC, JPEG, PNG, TIFF, WEBP, PhotoFormat, sniff

MIN_SIDE = 16
# Decoding may stop a little below the target: for 24 megapixels and 3,200 pixels, half scale
# (3,000) takes 113 ms, five eighths and a shrink to 3,200 take 199
ENOUGH = 0.9
# Every scan of a JPEG goes over the whole photo (0.16 s for 144 megapixels). Encoders make about
# ten; a small file with thousands would keep a decoder busy for an hour
MOST_SCANS = 50
MOST_MISSING = 0.5
BAND_PIXELS = 2_000_000

DAMAGED = "The file is damaged: it does not show a photo."
UNKNOWN = "The file is damaged, or a rare kind of {name}: it cannot be decoded."
CUT_OFF = "The file ends too early: only {share:.0%} of the photo is there."
PLANES = (
    "This TIFF keeps each colour apart in 16 bits and cannot be decoded. Save it with interleaved "
    "channels."
)
TURBO_SPACES = {"YCbCr", "Gray", "RGB"}  # those libjpeg-turbo turns into BGR
START_OF_SCAN, END_OF_JPEG = b"\xff\xda", b"\xff\xd9"
LOSSLESS_FRAMES = {0xC3, 0xC7, 0xCB, 0xCF}
# how each EXIF orientation is made upright
TURNS = {
    3: cv2.ROTATE_180,
    4: cv2.ROTATE_180,
    5: cv2.ROTATE_90_CLOCKWISE,
    6: cv2.ROTATE_90_CLOCKWISE,
    7: cv2.ROTATE_90_COUNTERCLOCKWISE,
    8: cv2.ROTATE_90_COUNTERCLOCKWISE,
}
MIRRORED = {2, 4, 5, 7}
# opened by their classes: Image.open has a limit of its own, and it is the same for every caller
OPENERS: dict[PhotoFormat, Callable[[io.BytesIO], ImageFile.ImageFile]] = {
    JPEG: JpegImageFile,
    PNG: PngImageFile,
    WEBP: WebPImageFile,
    TIFF: TiffImageFile,
}


@dataclass(frozen=True, slots=True)
class Decoded:
    """Upright pixels (BGR, uint8, contiguous, maybe smaller than the original) and the upright
    original's `width` and `height` in pixels. `profile`: the ICC profile the pixels are in, None
    for sRGB; one for grey only where the pixels are grey."""

    pixels: Pixels
    width: int
    height: int
    profile: bytes | None = None


def decode(
    data: bytes,
    photo_format: PhotoFormat,
    *,
    max_pixels: int,
    target_long_side: int | None = None,
) -> Decoded:
    """Decode a photo; with a target, to a long side of about that (from 0.9 to under 2 times it,
    whatever is cheapest), never to more pixels than the original has.

    Raises UndecodablePhoto with a reason for people, UnsupportedFormat for a raw file that its
    first bytes did not give away.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if photo_format == HEIC:
                return _decode_heic(data, max_pixels, target_long_side)
            metadata = find_metadata(data, photo_format)
            if photo_format == JPEG:
                return _decode_jpeg(data, metadata, max_pixels, target_long_side)
            if photo_format == TIFF:
                sniff(data)  # the first directory may lie beyond what was sniffed at
            if photo_format == WEBP:
                return _decode_webp(data, metadata, max_pixels, target_long_side)
            return _decode_pillow(data, photo_format, metadata, max_pixels, target_long_side)
    except FotofinishError:
        raise
    except Image.DecompressionBombError:  # some of Pillow's readers hold to a limit of their own
        raise UndecodablePhoto(
            f"The photo has more pixels than can be decoded of a {photo_format.name}."
        ) from None
    except MemoryError:
        raise UndecodablePhoto("The photo needs more memory than there is.") from None
    except Exception:  # decoders raise anything at all on hostile files
        raise UndecodablePhoto(UNKNOWN.format(name=photo_format.name)) from None


def turn(decoded: Decoded, quarters: int) -> Decoded:
    """The photo turned clockwise by quarters, where its camera did not know what is up."""
    if quarters % 4 == 0:
        return decoded
    width, height = decoded.width, decoded.height
    if quarters % 2:
        width, height = height, width
    pixels = np.ascontiguousarray(np.rot90(decoded.pixels, -quarters))
    return Decoded(pixels, width, height, decoded.profile)


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Raise UndecodablePhoto when a photo is too large or too small to be one."""
    if width * height > max_pixels:
        raise UndecodablePhoto(
            f"The photo has more pixels ({width * height / 1e6:,.0f} million) than the limit of "
            f"{max_pixels / 1e6:,.0f} million (FOTOFINISH_MAX_PIXELS)."
        )
    if min(width, height) < MIN_SIDE:
        raise UndecodablePhoto(
            f"The picture is {width}×{height} pixels: too small to show anybody."
        )


def _decode_jpeg(data: bytes, metadata: Metadata, max_pixels: int, target: int | None) -> Decoded:
    """By libjpeg-turbo; what it does not turn into BGR (CMYK, ...) is left to Pillow."""
    if metadata.frame in LOSSLESS_FRAMES or metadata.depth not in (None, 8):
        kind = (
            "lossless"
            if metadata.frame in LOSSLESS_FRAMES
            else f"of {metadata.depth} bits a colour"
        )
        raise UndecodablePhoto(
            f"This JPEG is {kind} and cannot be decoded. Export it as an ordinary JPEG."
        )
    if metadata.profile is None and is_adobe_rgb(metadata.exif):
        metadata = replace(metadata, profile=adobe_rgb())
    if metadata.scans > MOST_SCANS:
        raise UndecodablePhoto("The file is made so that decoding it takes extremely long.")
    try:
        height, width, space, _ = simplejpeg.decode_jpeg_header(data, strict=False)
    except ValueError:
        return _decode_pillow(data, JPEG, metadata, max_pixels, target, damaged=True)
    check_size(width, height, max_pixels)
    if space not in TURBO_SPACES:
        cut_off = data.rfind(END_OF_JPEG) < data.rfind(START_OF_SCAN)
        return _decode_pillow(data, JPEG, metadata, max_pixels, target, damaged=cut_off)
    enough = 1.0 if target is None else min(1.0, ENOUGH * target / max(width, height))
    pixels = _turbo(data, math.ceil(width * enough), math.ceil(height * enough))
    if pixels is None:
        return _decode_pillow(data, JPEG, metadata, max_pixels, target, damaged=True)
    return _upright(pixels, width, height, metadata, grey=space == "Gray")


def _turbo(data: bytes, min_width: int, min_height: int) -> Pixels | None:
    """At the smallest scale that has this size; None when libjpeg-turbo gives up."""
    for strict in (True, False):
        try:
            pixels: Pixels = simplejpeg.decode_jpeg(
                data, colorspace="BGR", min_width=min_width, min_height=min_height, strict=strict
            )
        except ValueError:
            continue
        if not strict:
            _refuse_mostly_missing(pixels)
        return pixels
    return None


def _decode_heic(data: bytes, max_pixels: int, target: int | None) -> Decoded:
    """By libheif, which turns the photo upright itself: its EXIF orientation is only a memory."""
    heif = pillow_heif.open_heif(data, convert_hdr_to_8bit=True)
    check_size(heif.size[0], heif.size[1], max_pixels)
    image = heif.to_pillow()
    profile = _fitting(heif.info.get("icc_profile"), _is_grey(image))
    return Decoded(_pixels(image, target), image.width, image.height, profile)


def _decode_webp(data: bytes, metadata: Metadata, max_pixels: int, target: int | None) -> Decoded:
    """By OpenCV, in a third of Pillow's memory, which is four times the pixels'."""
    with WebPImageFile(io.BytesIO(data)) as header:
        width, height = header.size
    check_size(width, height, max_pixels)
    whole = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if whole is None:
        raise UndecodablePhoto(UNKNOWN.format(name=WEBP.name))
    pixels = _shrunk(width, height, lambda top, bottom: _opaque(whole[top:bottom]), target)
    return _upright(pixels, width, height, metadata)


def _decode_pillow(
    data: bytes,
    photo_format: PhotoFormat,
    metadata: Metadata,
    max_pixels: int,
    target: int | None,
    *,
    damaged: bool = False,
) -> Decoded:
    # with an end of its own, a JPEG that is cut off shows what there is
    image = OPENERS[photo_format](io.BytesIO(data + END_OF_JPEG if damaged else data))
    width, height = image.size
    check_size(width, height, max_pixels)
    if isinstance(image, JpegImageFile) and target is not None:
        enough = min(1.0, ENOUGH * target / max(width, height))
        image.draft(None, (math.ceil(width * enough), math.ceil(height * enough)))
    negative = False
    if isinstance(image, TiffImageFile):
        _refuse_deep_planes(image)
        negative = image.mode == "I;16" and image.tag_v2.get(PHOTOMETRIC_INTERPRETATION) == 0
    try:
        image.load()
    except OSError:
        if photo_format not in (JPEG, PNG):
            raise
        image.tile = []  # so that Pillow takes what it has for the whole photo
        damaged = True
    pixels = _pixels(image, target, metadata.profile)
    if negative:  # white is 0; of 8 bits Pillow turns it over itself
        pixels = as_pixels(cv2.bitwise_not(pixels))
    grey = _is_grey(image)
    if damaged:
        _refuse_mostly_missing(pixels)
    if photo_format == TIFF:  # Pillow turns TIFF upright itself, and its size with it
        return Decoded(pixels, image.width, image.height, _fitting(metadata.profile, grey))
    return _upright(pixels, width, height, metadata, grey=grey)


def _refuse_deep_planes(image: TiffImageFile) -> None:
    """Refuse what Pillow takes for planes of 8 bits; what is compressed is read by libtiff."""
    tags = image.tag_v2
    bits = tags.get(BITSPERSAMPLE, (1,))
    planes = tags.get(PLANAR_CONFIGURATION) == 2 and len(bits) > 1
    if planes and max(bits) > 8 and image.info.get("compression") == "raw":
        raise UndecodablePhoto(PLANES)


def _refuse_mostly_missing(pixels: Pixels) -> None:
    """Refuse a photo that is cut off too early; rows that were never filled are of one tone."""
    spread = np.ptp(pixels, axis=1).max(axis=1)
    filled = np.flatnonzero(spread > 2)
    there = float(filled[-1] + 1) / len(spread) if len(filled) else 0.0
    if not there:
        raise UndecodablePhoto(DAMAGED)
    if 1 - there > MOST_MISSING:
        raise UndecodablePhoto(CUT_OFF.format(share=there))


def _pixels(image: Image.Image, target: int | None, profile: bytes | None = None) -> Pixels:
    """A Pillow image as BGR, shrunk as `_shrunk` says; the profile is for CMYK alone."""
    to_grey = _grey_scale(image)
    return _shrunk(
        image.width,
        image.height,
        lambda top, bottom: _bgr(image.crop((0, top, image.width, bottom)), to_grey, profile),
        target,
    )


def _shrunk(
    width: int, height: int, rows_between: Callable[[int, int], Pixels], target: int | None
) -> Pixels:
    """A picture shrunk by a whole factor to no less than the target; what is left over at the
    right and bottom (less than the factor) is cut off.

    `rows_between` gives the BGR of some rows: it goes from band to band, so that a large photo is
    never in memory twice.
    """
    factor = 1 if target is None else max(1, max(width, height) // target)
    factor = min(factor, width, height)
    columns, rows = width // factor, height // factor
    pixels = np.empty((rows, columns, 3), np.uint8)
    rows_a_band = max(1, BAND_PIXELS // (width * factor))
    for top in range(0, rows, rows_a_band):
        bottom = min(rows, top + rows_a_band)
        band = rows_between(top * factor, bottom * factor)[:, : columns * factor]
        if factor > 1:
            size = (columns, bottom - top)
            band = as_pixels(cv2.resize(band, size, interpolation=cv2.INTER_AREA))
        pixels[top:bottom] = band
    return pixels


def _grey_scale(image: Image.Image) -> float:
    """What brings an image of one deep channel to 0 to 255."""
    if image.mode.startswith("I;16"):
        return 255.0 / 65535.0
    if image.mode not in ("I", "F"):
        return 1.0
    brightest = float(np.max(image.getextrema()))
    return 255.0 / next((top for top in (1.0, 255.0, 65535.0) if brightest <= top), brightest)


def _bgr(image: Image.Image, to_grey: float, profile: bytes | None = None) -> Pixels:
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        grey = np.asarray(image).astype(np.float32) * to_grey
        return as_pixels(cv2.cvtColor(np.clip(grey, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR))
    if image.mode == "CMYK":
        return bgr_of_cmyk(image, profile)
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return as_pixels(cv2.cvtColor(np.asarray(image.convert("RGB")), cv2.COLOR_RGB2BGR))


def _opaque(pixels: Pixels) -> Pixels:
    """BGR of BGR, or of BGRA on white."""
    if pixels.shape[2] == 3:
        return pixels
    image = Image.fromarray(as_pixels(cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGBA)))
    return _bgr(image, 1.0)


def _upright(
    pixels: Pixels, width: int, height: int, metadata: Metadata, *, grey: bool = False
) -> Decoded:
    orientation = parse_exif(metadata.exif).orientation
    if orientation in TURNS:
        pixels = as_pixels(cv2.rotate(pixels, TURNS[orientation]))
    if orientation in MIRRORED:
        pixels = as_pixels(cv2.flip(pixels, 1))
    if orientation >= 5:
        width, height = height, width
    profile = _fitting(metadata.profile, grey)
    return Decoded(np.ascontiguousarray(pixels), width, height, profile)


def _is_grey(image: Image.Image) -> bool:
    return image.mode in ("1", "L", "LA", "La", "I", "F") or image.mode.startswith("I;16")


def _fitting(profile: bytes | None, grey: bool) -> bytes | None:
    """The profile if it is one for the pixels: they are RGB by now, or as good as grey."""
    return profile if is_for(profile, "RGB") or (grey and is_for(profile, "L")) else None
