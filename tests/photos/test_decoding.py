"""Upright pixels from every kind of photo, and a reason in plain words where there are none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from fotofinish.errors import UndecodablePhoto
from fotofinish.photos.decoding import Decoded, decode
from fotofinish.photos.formats import PNG, sniff
from tests.photos.pictures import encoded, gradient, png_header

LIMIT = 10_000_000


def _decode(data: bytes, target: int | None = None) -> Decoded:
    return decode(data, sniff(data), max_pixels=LIMIT, target_long_side=target)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_every_exif_orientation_comes_out_upright(kind: str, orientation: int) -> None:
    upright = gradient(160, 120)
    undo = {
        1: [], 2: [Image.Transpose.FLIP_LEFT_RIGHT], 3: [Image.Transpose.ROTATE_180],
        4: [Image.Transpose.FLIP_TOP_BOTTOM], 5: [Image.Transpose.TRANSPOSE],
        6: [Image.Transpose.ROTATE_90], 7: [Image.Transpose.TRANSVERSE],
        8: [Image.Transpose.ROTATE_270],
    }[orientation]  # fmt: skip
    stored = upright
    for turn in undo:
        stored = stored.transpose(turn)
    exif = Image.Exif()
    exif[274] = orientation
    decoded = _decode(encoded(stored, kind, exif=exif.tobytes()))
    assert (decoded.width, decoded.height) == (160, 120)
    expected = np.asarray(upright)[:, :, ::-1]
    assert np.abs(decoded.pixels.astype(int) - expected).mean() < 6


def test_decodes_no_larger_than_needed_and_knows_the_full_size() -> None:
    decoded = _decode(encoded(gradient(1600, 1200), "JPEG"), target=400)
    assert max(decoded.pixels.shape) == 400
    assert (decoded.width, decoded.height) == (1600, 1200)


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("CMYK", "JPEG"),
        ("L", "JPEG"),
        ("I;16", "TIFF"),
        ("I;16", "PNG"),
        ("P", "PNG"),
        ("1", "PNG"),
    ],
)
def test_decodes_unusual_colour_modes(mode: str, kind: str) -> None:
    if mode == "I;16":
        wide = np.tile(np.linspace(0, 65535, 160, dtype=np.uint16), (120, 1))
        image = Image.fromarray(wide)
    else:
        image = gradient().convert(mode)
    decoded = _decode(encoded(image, kind))
    assert decoded.pixels.shape == (120, 160, 3)
    assert decoded.pixels.max() > 150


def test_transparent_parts_are_white() -> None:
    clear = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
    assert _decode(encoded(clear, "PNG")).pixels.min() == 255


def test_a_decompression_bomb_is_refused_by_its_header() -> None:
    with pytest.raises(UndecodablePhoto, match="million"):
        decode(png_header(30_000, 30_000), PNG, max_pixels=LIMIT)


def test_a_photo_cut_off_near_its_end_is_still_shown() -> None:
    data = encoded(gradient(640, 480), "JPEG")
    decoded = _decode(data[: int(len(data) * 0.9)])
    assert (decoded.width, decoded.height) == (640, 480)


def test_a_photo_cut_off_near_its_beginning_says_so() -> None:
    data = encoded(gradient(640, 480), "JPEG")
    with pytest.raises(UndecodablePhoto, match=r"ends too early|damaged"):
        _decode(data[: int(len(data) * 0.12)])


def test_a_picture_of_a_few_pixels_says_so() -> None:
    with pytest.raises(UndecodablePhoto, match="too small"):
        _decode(encoded(gradient(8, 8), "PNG"))


def test_pixels_are_bgr_as_opencv_takes_them() -> None:
    data = encoded(Image.new("RGB", (32, 32), (250, 10, 20)), "PNG")
    ok, _ = cv2.imencode(".png", _decode(data).pixels)
    assert ok
    assert _decode(data).pixels[0, 0].tolist() == [20, 10, 250]
