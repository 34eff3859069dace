"""Previews: the right size, and nothing in them but pixels."""

from __future__ import annotations

import io

from PIL import ExifTags, Image

from fotofinish.photos.decoding import decode
from fotofinish.photos.formats import JPEG
from fotofinish.photos.previews import render_previews
from tests.photos.pictures import encoded, gradient


def test_previews_have_their_sizes_and_no_metadata() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Camera"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    data = encoded(gradient(3000, 2000), "JPEG", exif=exif.tobytes(), comment=b"serial 1234")
    previews = render_previews(decode(data, JPEG, max_pixels=10**7))
    for jpeg, long_side in ((previews.preview, 1600), (previews.thumbnail, 400)):
        image = Image.open(io.BytesIO(jpeg))
        assert max(image.size) == long_side
        assert not image.getexif()
        assert b"serial" not in jpeg


def test_a_small_photo_is_never_enlarged() -> None:
    data = encoded(gradient(300, 200), "JPEG")
    previews = render_previews(decode(data, JPEG, max_pixels=10**7))
    assert Image.open(io.BytesIO(previews.preview)).size == (300, 200)
