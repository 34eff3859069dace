"""Previews: the right size and colours, and nothing in them but pixels."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from fotofinish.photos.decoding import Decoded, decode
from fotofinish.photos.formats import JPEG, sniff
from fotofinish.photos.previews import Previews, render_previews
from tests.photos.pictures import cmyk_profile, encoded, gradient, grey_profile, opened


def _previews(data: bytes) -> Previews:
    return render_previews(decode(data, sniff(data), max_pixels=10**7, target_long_side=3200))


@pytest.mark.parametrize(("width", "height"), [(3000, 2000), (3333, 2001), (1701, 2999)])
def test_previews_have_their_sizes_and_show_the_photo(width: int, height: int) -> None:
    photo = gradient(width, height)
    previews = _previews(encoded(photo, "JPEG"))
    sizes = ((previews.medium, 1600), (previews.dense, 640), (previews.small, 400))
    for webp, long_side in sizes:
        image = opened(webp)
        assert image.format == "WEBP"
        assert max(image.size) == long_side
        assert image.width / image.height == pytest.approx(width / height, rel=0.01)
        expected = np.asarray(photo.resize(image.size)).astype(int)
        assert np.abs(np.asarray(image).astype(int) - expected).mean() < 3


def test_previews_have_no_metadata() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Camera"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encoded(
        gradient(1800, 1200), "JPEG", exif=exif.tobytes(), comment=b"serial 1234",
        icc_profile=profile,
    )  # fmt: skip
    previews = _previews(data)
    for webp in (previews.medium, previews.dense, previews.small):
        image = opened(webp)
        assert not image.getexif()
        assert set(image.info) <= {"loop", "background", "timestamp", "duration"}
        assert webp[12:16] == b"VP8 "  # a picture alone: no chunks for metadata, profile or XMP
        assert b"serial" not in webp


def test_a_small_photo_is_never_enlarged() -> None:
    assert opened(_previews(encoded(gradient(300, 200), "JPEG")).medium).size == (300, 200)


def test_a_panorama_keeps_at_least_a_line() -> None:
    photo = Decoded(np.full((16, 9000, 3), 90, np.uint8), 9000, 16)
    assert opened(render_previews(photo).small).size[0] == 400


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "HEIC"])
def test_colours_of_another_profile_become_srgb(kind: str) -> None:
    # with this profile the numbers mean another white, so that converting shows
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = _with_red_and_blue_swapped(lab)
    red = Image.new("RGB", (64, 64), (230, 30, 30))
    shown = opened(_previews(encoded(red, kind, icc_profile=swapped)).medium).getpixel((32, 32))
    assert shown[2] > 150 > shown[0]


def test_a_profile_is_taken_for_srgb_by_its_colours_not_by_its_name() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    curve = b"para" + struct.pack(">4xHxxi", 3, round(2.4 * 65536))
    linear = srgb.replace(curve, b"para" + struct.pack(">4xHxxi", 0, 65536))
    assert linear != srgb
    assert "sRGB".encode("utf-16-be") in linear
    grey = Image.new("RGB", (64, 64), (55, 55, 55))
    shown = opened(_previews(encoded(grey, "PNG", icc_profile=linear)).medium).getpixel((32, 32))
    assert shown == pytest.approx((128, 128, 128), abs=3)


def test_a_photo_in_srgb_is_shown_as_it_is() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert _previews(encoded(gradient(), "PNG", icc_profile=srgb)) == _previews(
        encoded(gradient(), "PNG")
    )


@pytest.mark.parametrize(
    ("space", "index", "srgb"),
    [
        (65535, "R03", (113, 161, 92)),
        (65535, "R98", (128, 160, 96)),
        (1, "R03", (128, 160, 96)),
    ],
)
def test_adobe_rgb_that_a_camera_names_without_a_profile_becomes_srgb(
    space: int, index: str, srgb: tuple[int, int, int]
) -> None:
    exif = Image.Exif()
    details = exif.get_ifd(ExifTags.IFD.Exif)
    details[ExifTags.Base.ColorSpace] = space
    details[ExifTags.IFD.Interop] = {ExifTags.Interop.InteropIndex: index}
    green = Image.new("RGB", (64, 64), (128, 160, 96))
    data = encoded(green, "JPEG", exif=exif.tobytes(), quality=95)
    assert opened(_previews(data).medium).getpixel((32, 32)) == pytest.approx(srgb, abs=4)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "HEIC"])
def test_greys_of_another_profile_become_srgb(kind: str) -> None:
    grey = Image.new("L", (64, 64), 55)
    data = encoded(grey, kind, icc_profile=grey_profile(1.0))
    shown = opened(_previews(data).medium).getpixel((32, 32))
    assert shown == pytest.approx((128, 128, 128), abs=4)


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_inks_of_a_profile_are_shown_as_they_print(kind: str) -> None:
    cyan = Image.new("CMYK", (64, 64), (255, 0, 0, 0))
    data = encoded(cyan, kind, icc_profile=cmyk_profile(cyan=(54, 81, 70)))  # a bright red
    red, green, blue = opened(_previews(data).medium).getpixel((32, 32))
    assert red > 220
    assert max(green, blue) < 50


@pytest.mark.parametrize(
    "profile", [b"rubbish" * 40, b"\0" * 16 + b"RGB " + b"\0" * 300, grey_profile(1.0)]
)
def test_a_profile_that_makes_no_sense_changes_nothing(profile: bytes) -> None:
    red = Image.new("RGB", (64, 64), (230, 30, 30))
    data = encoded(red, "JPEG", icc_profile=profile)
    shown = opened(render_previews(decode(data, JPEG, max_pixels=10**7)).medium)
    assert shown.getpixel((32, 32)) == pytest.approx((230, 30, 30), abs=4)


def _with_red_and_blue_swapped(profile: bytes) -> bytes:
    """The profile with its red and blue primaries exchanged, under another name."""
    return (
        profile.replace(b"rXYZ", b"tXYZ")
        .replace(b"bXYZ", b"rXYZ")
        .replace(b"tXYZ", b"bXYZ")
        .replace(b"sRGB", b"sBGR")
        .replace("sRGB".encode("utf-16-be"), "sBGR".encode("utf-16-be"))
    )
