"""Previews and thumbnails: small JPEGs in sRGB, without any metadata."""

from __future__ import annotations

import io
from dataclasses import dataclass

import cv2
import numpy as np
import simplejpeg
from PIL import Image, ImageCms

from fotofinish.photos.decoding import Decoded, Pixels
from fotofinish.photos.marking import apply_watermark
from fotofinish.photos.watermark import NONE, Watermark

PREVIEW_LONG_SIDE = 1600
THUMBNAIL_LONG_SIDE = 400
QUALITY = 82


@dataclass(frozen=True, slots=True)
class Previews:
    """Two JPEGs of one photo: nothing but pixels in them, so no GPS and no serial number."""

    preview: bytes
    thumbnail: bytes


def render_previews(decoded: Decoded, mark: Watermark = NONE) -> Previews:
    """Both sizes from pixels that are upright, with the mark; never larger than the photo."""
    preview = _shrink(decoded.pixels, PREVIEW_LONG_SIDE)
    if decoded.profile is not None:
        preview = _in_srgb(preview, decoded.profile)
    thumbnail = _shrink(preview, THUMBNAIL_LONG_SIDE)
    return Previews(
        _encode(apply_watermark(preview, mark)), _encode(apply_watermark(thumbnail, mark))
    )


def _shrink(pixels: Pixels, long_side: int) -> Pixels:
    """Halve by area as often as possible, then the rest: both are what OpenCV does fast.

    3,000 to 1,600 pixels takes 5 ms so and 30 ms by area at once; either is as near to Lanczos
    as the other (47 and 48 dB).
    """
    height, width = pixels.shape[:2]
    while max(height, width) >= 2 * long_side and min(height, width) >= 2:
        height, width = height // 2, width // 2
        even = pixels[: height * 2, : width * 2]
        pixels = np.asarray(
            cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8
        )
    factor = long_side / max(width, height)
    if factor >= 1:
        return pixels
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def _in_srgb(pixels: Pixels, profile: bytes) -> Pixels:
    """The pixels converted from their profile; as they are when it is sRGB or makes no sense."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(source):
            return pixels
        srgb = ImageCms.createProfile("sRGB")
        transform = ImageCms.buildTransform(source, srgb, "RGB", "RGB")
        image = Image.fromarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))
        ImageCms.applyTransform(image, transform, inPlace=True)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return pixels
    return np.asarray(cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2BGR), dtype=np.uint8)


def _encode(pixels: Pixels) -> bytes:
    jpeg: bytes = simplejpeg.encode_jpeg(
        np.ascontiguousarray(pixels), quality=QUALITY, colorspace="BGR", colorsubsampling="420"
    )
    return jpeg
