"""Upright pixels from every kind of photo, and a reason in plain words where there are none."""

from __future__ import annotations

import struct
import subprocess
import sys

import cv2
import numpy as np
import pytest
from PIL import Image

from fotofinish.errors import UndecodablePhoto, UnsupportedFormat
from fotofinish.photos.decoding import Decoded, decode
from fotofinish.photos.formats import HEIC, JPEG, TIFF, sniff
from tests.photos.pictures import encoded, gradient, png_header, tiff, webp_header

LIMIT = 10_000_000
SHORT, LONG = 3, 4
TURNS = Image.Transpose


def _decode(data: bytes, target: int | None = None) -> Decoded:
    return decode(data, sniff(data), max_pixels=LIMIT, target_long_side=target)


def _difference(decoded: Decoded, expected: Image.Image) -> float:
    """Mean difference from a picture, in tones."""
    rows, columns = decoded.pixels.shape[:2]
    bgr = np.asarray(expected.convert("RGB").resize((columns, rows)))[:, :, ::-1]
    return float(np.abs(decoded.pixels.astype(int) - bgr).mean())


@pytest.mark.parametrize("target", [None, 60])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "HEIC"])
def test_every_exif_orientation_comes_out_upright(
    kind: str, orientation: int, target: int | None
) -> None:
    upright = gradient(160, 120)
    undo = {
        1: [], 2: [TURNS.FLIP_LEFT_RIGHT], 3: [TURNS.ROTATE_180], 4: [TURNS.FLIP_TOP_BOTTOM],
        5: [TURNS.TRANSPOSE], 6: [TURNS.ROTATE_90], 7: [TURNS.TRANSVERSE], 8: [TURNS.ROTATE_270],
    }[orientation]  # fmt: skip
    stored = upright
    for turn in undo:
        stored = stored.transpose(turn)
    exif = Image.Exif()
    exif[274] = orientation
    decoded = _decode(encoded(stored, kind, exif=exif.tobytes()), target)
    assert (decoded.width, decoded.height) == (160, 120)
    assert decoded.pixels.flags.c_contiguous
    assert _difference(decoded, upright) < 6


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "HEIC"])
@pytest.mark.parametrize(("side", "target"), [(1600, 400), (1500, 800), (700, 3200), (1210, 400)])
def test_decodes_about_as_large_as_needed_and_knows_the_full_size(
    kind: str, side: int, target: int
) -> None:
    photo = gradient(side, side * 3 // 4)
    decoded = _decode(encoded(photo, kind), target)
    assert (decoded.width, decoded.height) == photo.size
    assert min(side, 0.9 * target) <= max(decoded.pixels.shape) < 2 * target
    assert _difference(decoded, photo) < 4


def test_a_panorama_keeps_its_lines() -> None:
    assert _decode(encoded(gradient(9000, 20), "PNG"), target=400).pixels.shape[1] == 450


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("CMYK", "JPEG"),
        ("CMYK", "TIFF"),
        ("L", "JPEG"),
        ("L", "TIFF"),
        ("P", "PNG"),
        ("1", "PNG"),
        ("LA", "PNG"),
        ("RGBA", "WEBP"),
        ("RGBA", "HEIC"),
    ],
)
def test_decodes_other_colour_modes(mode: str, kind: str) -> None:
    image = gradient(160, 120).convert(mode)
    decoded = _decode(encoded(image, kind))
    assert decoded.pixels.shape == (120, 160, 3)
    assert _difference(decoded, image) < 6


@pytest.mark.parametrize("kind", ["TIFF", "PNG"])
@pytest.mark.parametrize("brightest", [200, 65535])
def test_a_16_bit_photo_keeps_its_brightness(kind: str, brightest: int) -> None:
    deep = np.tile(np.linspace(0, brightest, 160, dtype=np.uint16), (120, 1))
    decoded = _decode(encoded(Image.fromarray(deep), kind))
    assert np.abs(decoded.pixels[0, :, 0].astype(float) - deep[0] / 257).max() <= 1


@pytest.mark.parametrize("kind", ["tif", "png"])
def test_decodes_16_bits_a_colour(kind: str) -> None:
    bgr = np.asarray(gradient())[:, :, ::-1].astype(np.uint16) * 257
    decoded = _decode(cv2.imencode(f".{kind}", bgr)[1].tobytes())
    assert _difference(decoded, gradient()) < 1


def _with_tag(data: bytes, tag: int, value: int) -> bytes:
    """A TIFF in which a tag that is 1 has another value."""
    once = struct.pack("<HHII", tag, SHORT, 1, 1)
    assert data.count(once) == 1
    return data.replace(once, struct.pack("<HHII", tag, SHORT, 1, value))


def test_a_16_bit_grey_whose_white_is_zero_is_no_negative() -> None:
    grey = gradient().convert("L")
    upside_down = 65535 - np.asarray(grey).astype(np.uint16) * 257
    data = encoded(Image.fromarray(upside_down), "TIFF")
    assert _difference(_decode(_with_tag(data, 0x106, 0)), grey) < 1


def test_colours_apart_in_16_bits_are_refused_with_a_remedy() -> None:
    deep = np.asarray(gradient()).astype(np.uint16) * 257
    data = cv2.imencode(".tif", deep, [cv2.IMWRITE_TIFF_COMPRESSION, 1])[1].tobytes()
    with pytest.raises(UndecodablePhoto, match="colour apart in 16 bits"):
        _decode(_with_tag(data, 0x11C, 2))


def test_transparent_parts_are_white() -> None:
    clear = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
    assert _decode(encoded(clear, "PNG")).pixels.min() == 255
    palette = Image.new("P", (32, 32))
    assert _decode(encoded(palette, "PNG", transparency=0)).pixels.min() == 255


@pytest.mark.parametrize("kind", ["WEBP", "PNG"])
def test_shows_the_first_picture_of_an_animation(kind: str) -> None:
    first, second = Image.new("RGB", (64, 64), "red"), Image.new("RGB", (64, 64), "blue")
    data = encoded(first, kind, save_all=True, append_images=[second], duration=50, lossless=True)
    assert _difference(_decode(data), first) < 3


@pytest.mark.parametrize(
    "bomb",
    [
        png_header(100_000, 100_000),
        png_header(30_000, 30_000),
        webp_header(16_000, 16_000),
        webp_header(5_000, 5_000),
        encoded(gradient(), "JPEG").replace(struct.pack(">HH", 120, 160), b"\xff\xdc\xff\xdc", 1),
        encoded(gradient(), "HEIC").replace(
            b"ispe\0\0\0\0" + struct.pack(">II", 160, 120),
            b"ispe\0\0\0\0" + struct.pack(">II", 30_000, 30_000),
        ),
        tiff(
            {0x100: (LONG, 1, 50_000), 0x101: (LONG, 1, 50_000), 0x102: (SHORT, 1, 8),
             0x103: (SHORT, 1, 8), 0x106: (SHORT, 1, 1), 0x111: (LONG, 1, 8),
             0x115: (SHORT, 1, 1), 0x117: (LONG, 1, 100)}
        ),
    ],
    ids=["png", "smaller png", "webp", "smaller webp", "jpeg", "heic", "tiff"],
)  # fmt: skip
def test_a_decompression_bomb_is_refused_by_its_header(bomb: bytes) -> None:
    with pytest.raises(UndecodablePhoto, match="more pixels"):
        _decode(bomb)


def test_a_tiny_webp_of_many_pixels_does_not_fill_the_memory() -> None:
    # 6,400 by 6,250 pixels of one colour; Pillow needs 625 MB for them
    tiny = (
        b"RIFF\x1e\0\0\0WEBPVP8L\x11\0\0\0/\xff\x58\x1a\x06\x07\x50\xb2\x22"
        b"W\xa6\xff\x81\x88\xe8\x7f\0\0"
    )
    script = (
        "import resource, sys\n"
        "from fotofinish.photos.decoding import decode\n"
        "from fotofinish.photos.formats import WEBP\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before, data = peak(), sys.stdin.buffer.read()\n"
        "decoded = decode(data, WEBP, max_pixels=40_000_000, target_long_side=1600)\n"
        "print(decoded.pixels.shape[1], decoded.width, (peak() - before) // 1024)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], input=tiny, stdout=subprocess.PIPE)
    long_side, width, megabytes = map(int, done.stdout.split())
    assert (long_side, width) == (1600, 6400)
    assert megabytes < 300


def test_a_jpeg_of_endless_scans_is_refused() -> None:
    data = encoded(gradient(), "JPEG", progressive=True)
    last = data[data.rfind(b"\xff\xda") : -2]
    with pytest.raises(UndecodablePhoto, match="extremely long"):
        _decode(data[:-2] + last * 200 + data[-2:])


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 2}])
@pytest.mark.parametrize("mode", ["RGB", "CMYK", "L"])
def test_a_photo_cut_off_near_its_end_is_still_shown(mode: str, options: dict[str, object]) -> None:
    photo = gradient(640, 480).convert(mode)
    data = encoded(photo, "JPEG", **options)
    decoded = _decode(data[: int(len(data) * 0.9)])
    assert (decoded.width, decoded.height) == (640, 480)
    whole, cut = photo.convert("RGB"), Image.fromarray(decoded.pixels[:, :, ::-1])
    top = (0, 0, 640, 300)
    assert np.abs(np.asarray(whole.crop(top)).astype(int) - np.asarray(cut.crop(top))).mean() < 6


def test_a_png_cut_off_near_its_end_is_still_shown() -> None:
    data = encoded(gradient(640, 480), "PNG")
    assert _decode(data[: int(len(data) * 0.9)]).width == 640


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_photo_cut_off_near_its_beginning_says_how_much_is_there(kind: str) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    with pytest.raises(UndecodablePhoto, match=r"ends too early: only (1|2)\d% of the photo"):
        _decode(data[: len(data) // 5])


@pytest.mark.parametrize("kind", ["WEBP", "TIFF", "HEIC"])
def test_other_kinds_cut_off_say_that_they_are_damaged(kind: str) -> None:
    data = encoded(gradient(640, 480), kind)
    with pytest.raises(UndecodablePhoto, match="damaged"):
        _decode(data[: len(data) // 3])


@pytest.mark.parametrize(
    ("frame", "depth", "named"), [(0xC3, 14, "lossless"), (0xC1, 12, "of 12 bits")]
)
def test_a_jpeg_of_a_rare_kind_is_named(frame: int, depth: int, named: str) -> None:
    data = encoded(gradient(), "JPEG")
    usual = b"\xff\xc0\0\x11\x08"
    assert usual in data
    with pytest.raises(UndecodablePhoto, match=named):
        _decode(data.replace(usual, bytes([0xFF, frame, 0, 0x11, depth])))


def test_a_raw_file_with_its_directory_at_its_end_is_refused_as_raw() -> None:
    head = tiff({0xFE: (LONG, 1, 1)})
    late = b"II*\0" + struct.pack("<I", 8192) + b"\0" * 8184 + head[8:]
    assert sniff(late[:4096]) == TIFF
    with pytest.raises(UnsupportedFormat, match="raw"):
        decode(late, TIFF, max_pixels=LIMIT)


def test_a_picture_of_a_few_pixels_says_so() -> None:
    with pytest.raises(UndecodablePhoto, match="too small"):
        _decode(encoded(gradient(8, 8), "PNG"))


@pytest.mark.parametrize("photo_format", [JPEG, HEIC, TIFF])
def test_rubbish_is_damaged(photo_format: object) -> None:
    with pytest.raises(UndecodablePhoto, match="damaged"):
        decode(b"\xff\xd8\xff\xe0rubbish" * 99, photo_format, max_pixels=LIMIT)


def test_pixels_are_bgr_as_opencv_takes_them() -> None:
    data = encoded(Image.new("RGB", (32, 32), (250, 10, 20)), "PNG")
    assert _decode(data).pixels[0, 0].tolist() == [20, 10, 250]
