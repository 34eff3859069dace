"""Previews of a photo in three sizes: WebP in sRGB, without any metadata."""

from __future__ import annotations

import io
from dataclasses import dataclass
from uuid import UUID

import cv2
from PIL import Image

from fotofinish.arrays import Pixels
from fotofinish.photos.colours import in_srgb
from fotofinish.photos.decoding import Decoded
from fotofinish.photos.keys import LONG_SIDES, UNCHANGING, preview_key
from fotofinish.photos.marking import apply_watermark
from fotofinish.photos.watermark import NONE, Watermark
from fotofinish.storage.stores import Store
from fotofinish.vision.scaling import resized

CONTENT_TYPE = "image/webp"
LARGEST = LONG_SIDES["medium"]
# What is kept of 11 real photos against JPEG of quality 82: 0.65 of the bytes of "medium", 0.71,
# and 0.78 of "small". Method 4, Pillow's own choice, gives 0.63, 0.69 and 0.76 in twice the time
QUALITY = 80
METHOD = 2


@dataclass(frozen=True, slots=True)
class Previews:
    """One photo in each size: nothing but pixels in them, so no GPS and no serial number."""

    medium: bytes
    dense: bytes
    small: bytes


def render_previews(decoded: Decoded, mark: Watermark = NONE) -> Previews:
    """Every size from pixels that are upright, with the mark; never larger than the photo."""
    medium = _shrink(decoded.pixels, LARGEST)
    if decoded.profile is not None:
        medium = in_srgb(medium, decoded.profile)
    dense, small = (_shrink(medium, LONG_SIDES[size]) for size in ("dense", "small"))
    return Previews(*(_encode(apply_watermark(size, mark)) for size in (medium, dense, small)))


def store_previews(store: Store, event_id: int, photo_id: UUID, previews: Previews) -> None:
    """Put each size where it is looked for. Raises StorageError."""
    for size in LONG_SIDES:
        store.put(
            preview_key(event_id, photo_id, size),
            getattr(previews, size),
            content_type=CONTENT_TYPE,
            filename=f"{photo_id}.webp",
            cache_control=UNCHANGING,
        )


def _shrink(pixels: Pixels, long_side: int) -> Pixels:
    height, width = pixels.shape[:2]
    factor = long_side / max(width, height)
    if factor >= 1:
        return pixels
    return resized(pixels, max(1, round(width * factor)), max(1, round(height * factor)))


def _encode(pixels: Pixels) -> bytes:
    webp = io.BytesIO()
    image = Image.fromarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))
    image.save(webp, "WEBP", quality=QUALITY, method=METHOD)
    return webp.getvalue()
