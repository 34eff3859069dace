"""From bytes to upright pixels, decoded once, at the smallest scale that serves.

Runs in worker processes (and the server's reader process) alone: native decoders meet hostile
files here.
"""

from __future__ import annotations

import io
import math
import warnings
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import pillow_heif
import simplejpeg
from PIL import Image, ImageFile

from fotofinish.errors import UndecodablePhoto
from fotofinish.photos.exif import read_capture
from fotofinish.photos.formats import HEIC, JPEG, TIFF, PhotoFormat

Pixels = npt.NDArray[np.uint8]

MIN_SIDE = 16
DAMAGED = "The file is damaged: it cannot be decoded as a {name} photo."
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


@dataclass(frozen=True, slots=True)
class Decoded:
    """Upright pixels (BGR, uint8, contiguous, maybe smaller than the original) and the upright
    original's `width` and `height` in pixels."""

    pixels: Pixels
    width: int
    height: int


def decode(
    data: bytes,
    photo_format: PhotoFormat,
    *,
    max_pixels: int,
    target_long_side: int | None = None,
) -> Decoded:
    """Decode a photo; with a target, to no more than needed for that long side.

    Raises UndecodablePhoto with a reason for people.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if photo_format == HEIC:
                return _fit(_decode_heic(data, max_pixels), target_long_side)
            if photo_format == JPEG:
                turbo = _decode_jpeg(data, max_pixels, target_long_side)
                if turbo is not None:
                    return _fit(turbo, target_long_side)
            return _fit(_decode_pillow(data, photo_format, max_pixels), target_long_side)
    except UndecodablePhoto:
        raise
    except MemoryError:
        raise UndecodablePhoto("The photo needs more memory than there is.") from None
    except Exception:  # decoders raise anything at all on hostile files
        raise UndecodablePhoto(DAMAGED.format(name=photo_format.name)) from None


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Raise UndecodablePhoto when a photo is too large or too small to be one."""
    if width * height > max_pixels:
        raise UndecodablePhoto(
            f"The photo has {width * height / 1e6:,.0f} million pixels; the limit is "
            f"{max_pixels / 1e6:,.0f} million (FOTOFINISH_MAX_PIXELS)."
        )
    if min(width, height) < MIN_SIDE:
        raise UndecodablePhoto(
            f"The picture is {width}×{height} pixels: too small to show anybody."
        )


def _decode_jpeg(data: bytes, max_pixels: int, target: int | None) -> Decoded | None:
    """By libjpeg-turbo; None when this kind of JPEG (CMYK, damaged, …) is better left to Pillow."""
    try:
        height, width, space, _ = simplejpeg.decode_jpeg_header(data, strict=False)
    except ValueError:
        return None
    check_size(width, height, max_pixels)
    if space not in ("YCbCr", "Gray", "RGB"):
        return None
    scale = 1.0 if target is None else min(1.0, target / max(width, height))
    try:
        pixels = simplejpeg.decode_jpeg(
            data,
            colorspace="BGR",
            min_width=math.ceil(width * scale),
            min_height=math.ceil(height * scale),
            strict=True,
        )
    except ValueError:
        return None
    return _upright(pixels, width, height, read_capture(data, JPEG).orientation)


def _decode_heic(data: bytes, max_pixels: int) -> Decoded:
    heif = pillow_heif.open_heif(data, convert_hdr_to_8bit=True)
    width, height = heif.size  # libheif has turned it upright already
    check_size(width, height, max_pixels)
    image = heif.to_pillow()
    return Decoded(_bgr(image), width, height)


def _decode_pillow(data: bytes, photo_format: PhotoFormat, max_pixels: int) -> Decoded:
    try:
        image: Image.Image = Image.open(io.BytesIO(data), formats=[photo_format.name.upper()])
    except Image.DecompressionBombError:
        raise UndecodablePhoto(
            f"The photo has more pixels than the limit of {max_pixels / 1e6:,.0f} million."
        ) from None
    width, height = image.size
    check_size(width, height, max_pixels)
    try:
        image.load()
    except OSError:
        image = _decode_truncated(data, photo_format)
    if photo_format == TIFF:  # Pillow turns TIFF upright itself, and its size with it
        return Decoded(_bgr(image), *image.size)
    orientation = read_capture(data, photo_format).orientation
    return _upright(_bgr(image), width, height, orientation)


def _decode_truncated(data: bytes, photo_format: PhotoFormat) -> Image.Image:
    """What there is of a file that ends too early; refused when nearly all of it is missing."""
    previous = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        image: Image.Image = Image.open(io.BytesIO(data), formats=[photo_format.name.upper()])
        image.load()
    except Exception:
        raise UndecodablePhoto(DAMAGED.format(name=photo_format.name)) from None
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = previous
    sample = np.asarray(image.convert("L").resize((32, 32)))
    if (sample.std(axis=1) < 1.0).mean() > 0.5:  # most rows are one flat tone: never filled
        raise UndecodablePhoto("The file ends too early: most of the photo is missing.")
    return image


def _bgr(image: Image.Image) -> Pixels:
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        values = np.asarray(image).astype(np.float32)
        top = 65535.0 if values.max() > 255 else 255.0
        grey = np.clip(values * (255.0 / top), 0, 255).astype(np.uint8)
        return np.ascontiguousarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), dtype=np.uint8)
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        layer = image.convert("RGBA")
        paper = Image.new("RGBA", layer.size, "white")
        image = Image.alpha_composite(paper, layer)
    return np.ascontiguousarray(np.asarray(image.convert("RGB"))[:, :, ::-1])


def _upright(pixels: Pixels, width: int, height: int, orientation: int) -> Decoded:
    if orientation in TURNS:
        pixels = np.asarray(cv2.rotate(pixels, TURNS[orientation]), dtype=np.uint8)
    if orientation in MIRRORED:
        pixels = np.asarray(cv2.flip(pixels, 1), dtype=np.uint8)
    if orientation >= 5:
        width, height = height, width
    return Decoded(np.ascontiguousarray(pixels), width, height)


def _fit(decoded: Decoded, target: int | None) -> Decoded:
    """Shrink to the target by area, if it is still larger."""
    tall, wide = decoded.pixels.shape[:2]
    if target is None or max(tall, wide) <= target:
        return decoded
    factor = target / max(tall, wide)
    size = (max(1, round(wide * factor)), max(1, round(tall * factor)))
    small = cv2.resize(decoded.pixels, size, interpolation=cv2.INTER_AREA)
    return Decoded(np.ascontiguousarray(small, dtype=np.uint8), decoded.width, decoded.height)
