"""Draws an organiser's mark: once for each size of photo, then blended in. Never on originals.

White with a dark rim, so that it is seen on snow and on asphalt. Marks are BGRA with the colours
multiplied by alpha from the first on: what is invisible of a logo has a colour too, most often
black, and would darken its edges when it is shrunk or turned.
"""

from __future__ import annotations

import io
from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np
from PIL import Image, ImageDraw

from fotofinish.arrays import Pixels, as_pixels
from fotofinish.photos.lettering import lettering
from fotofinish.photos.watermark import Watermark

MARGIN = 0.03  # of the photo's short side
FONT_PIXELS = 120
RIM = 5
TILT = 30  # degrees, of tiled marks
SPACING = 1.6  # from one tile to the next, in widths of the mark
SAMPLE = (800, 534)


def apply_watermark(pixels: Pixels, mark: Watermark) -> Pixels:
    """The photo (BGR, uint8) with the mark on it; the same array when there is none."""
    if mark.kind == "none" or (mark.kind == "logo" and mark.logo is None):
        return pixels
    height, width = pixels.shape[:2]
    overlay, left, top = _placed(replace(mark, version=0), width, height)
    marked = pixels.copy()
    rows, columns = overlay.shape[:2]
    under = marked[top : top + rows, left : left + columns].astype(np.float32)
    alpha = overlay[:, :, 3:].astype(np.float32) * (mark.opacity / 255)
    blended = under * (1 - alpha) + overlay[:, :, :3].astype(np.float32) * mark.opacity
    marked[top : top + rows, left : left + columns] = np.rint(blended).astype(np.uint8)
    return marked


@lru_cache(maxsize=16)
def _placed(mark: Watermark, width: int, height: int) -> tuple[Pixels, int, int]:
    """The mark for photos of this size, and where its left top corner lies."""
    drawn = _draw_text(mark.text) if mark.kind == "text" else _open_logo(mark.logo or b"")
    scale = mark.size * width / drawn.shape[1]
    scale = min(scale, 0.9 * height / drawn.shape[0])
    size = (max(1, round(drawn.shape[1] * scale)), max(1, round(drawn.shape[0] * scale)))
    drawn = as_pixels(cv2.resize(drawn, size, interpolation=cv2.INTER_AREA))
    if mark.tiled:
        return _tile(drawn, width, height), 0, 0
    margin = round(MARGIN * min(width, height))
    rows, columns = drawn.shape[:2]
    left, top = (width - columns) // 2, (height - rows) // 2
    if "left" in mark.position:
        left = min(margin, width - columns)
    elif "right" in mark.position:
        left = max(0, width - columns - margin)
    if "top" in mark.position:
        top = min(margin, height - rows)
    elif "bottom" in mark.position:
        top = max(0, height - rows - margin)
    return drawn, left, top


def _draw_text(text: str) -> Pixels:
    font = lettering(FONT_PIXELS)
    left, top, right, bottom = font.getbbox(text, stroke_width=RIM)
    image = Image.new("RGBA", (max(1, round(right - left)), max(1, round(bottom - top))))
    ImageDraw.Draw(image).text(
        (-left, -top), text, font=font, fill="white", stroke_width=RIM, stroke_fill=(0, 0, 0, 150)
    )
    return _bgra(image)


def _open_logo(png: bytes) -> Pixels:
    return _bgra(Image.open(io.BytesIO(png), formats=("PNG",)).convert("RGBA"))


def _bgra(image: Image.Image) -> Pixels:
    # "RGBa" is RGBA multiplied by alpha
    multiplied = np.asarray(image.convert("RGBa"))
    return as_pixels(cv2.cvtColor(multiplied, cv2.COLOR_RGBA2BGRA))


def _tile(drawn: Pixels, width: int, height: int) -> Pixels:
    """The mark again and again, tilted, over the whole photo."""
    reach = int(np.hypot(width, height)) + 1
    rows, columns = drawn.shape[:2]
    across, down = max(columns + 8, round(columns * SPACING)), max(rows + 8, round(rows * 3))
    sheet = np.zeros((reach, reach, 4), np.uint8)
    for line, top in enumerate(range(0, reach - rows, down)):
        for left in range(-(line % 2) * across // 2, reach, across):
            begin, end = max(0, left), min(reach, left + columns)
            if end > begin:
                sheet[top : top + rows, begin:end] = drawn[:, begin - left : end - left]
    turn = cv2.getRotationMatrix2D((reach / 2, reach / 2), TILT, 1.0)
    tilted = cv2.warpAffine(sheet, turn, (reach, reach))
    left, top = (reach - width) // 2, (reach - height) // 2
    return np.ascontiguousarray(tilted[top : top + height, left : left + width], dtype=np.uint8)


def sample_with(mark: Watermark) -> bytes:
    """A JPEG that shows the mark on what photos of races have: sky, crowd, asphalt, a bib."""
    width, height = SAMPLE
    rows = np.linspace(0, 1, height)[:, None]
    sky, road = np.array([235, 205, 170.0]), np.array([70, 66, 64.0])
    shade = np.where(rows < 0.45, 1 - rows * 0.5, 1 - (rows - 0.45) * 0.9)[:, :, None]
    pixels = np.where((rows < 0.45)[:, :, None], sky, road) * np.clip(shade, 0, 1)
    picture = np.ascontiguousarray(np.broadcast_to(pixels, (height, width, 3)).astype(np.uint8))
    for number in range(60):
        at = (number * 137 % width, int(height * (0.42 + (number * 29 % 10) / 120)))
        cv2.circle(picture, at, 14, (60 + number * 3, 90 + number * 37 % 120, 80), -1, cv2.LINE_AA)
    cv2.ellipse(picture, (400, 330), (70, 130), 0, 0, 360, (60, 90, 200), -1, cv2.LINE_AA)
    cv2.circle(picture, (400, 165), 42, (120, 160, 205), -1, cv2.LINE_AA)
    cv2.rectangle(picture, (355, 290), (445, 360), (248, 248, 248), -1, cv2.LINE_AA)
    jpeg = io.BytesIO()
    marked = apply_watermark(picture, mark)
    Image.fromarray(cv2.cvtColor(marked, cv2.COLOR_BGR2RGB)).save(jpeg, "JPEG", quality=85)
    return jpeg.getvalue()
