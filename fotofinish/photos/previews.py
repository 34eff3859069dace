"""Previews and thumbnails: small JPEGs without any metadata."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import simplejpeg

from fotofinish.photos.decoding import Decoded, Pixels

PREVIEW_LONG_SIDE = 1600
THUMBNAIL_LONG_SIDE = 400
QUALITY = 82


@dataclass(frozen=True, slots=True)
class Previews:
    """Two JPEGs of one photo: nothing but pixels in them, so no GPS and no serial number."""

    preview: bytes
    thumbnail: bytes


def render_previews(decoded: Decoded) -> Previews:
    """Both sizes from pixels that are upright; never larger than the photo itself."""
    preview = _shrink(decoded.pixels, PREVIEW_LONG_SIDE)
    return Previews(_encode(preview), _encode(_shrink(preview, THUMBNAIL_LONG_SIDE)))


def _shrink(pixels: Pixels, long_side: int) -> Pixels:
    height, width = pixels.shape[:2]
    factor = long_side / max(width, height)
    if factor >= 1:
        return pixels
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _encode(pixels: Pixels) -> bytes:
    jpeg: bytes = simplejpeg.encode_jpeg(
        np.ascontiguousarray(pixels), quality=QUALITY, colorspace="BGR", colorsubsampling="420"
    )
    return jpeg
