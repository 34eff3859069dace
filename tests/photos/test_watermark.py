"""The mark on previews: where it lies, how strong it is, and that nothing else changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from fotofinish.errors import InvalidValue
from fotofinish.photos.decoding import Decoded
from fotofinish.photos.marking import apply_watermark, sample_with
from fotofinish.photos.previews import render_previews
from fotofinish.photos.watermark import POSITIONS, Watermark, checked
from tests.photos.pictures import encoded

TEXT = Watermark(kind="text", text="Harbour Run", size=0.3, opacity=1.0)


def grey(width: int = 900, height: int = 600, shade: int = 128) -> np.ndarray:
    return np.full((height, width, 3), shade, np.uint8)


def touched(before: np.ndarray, after: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what differs."""
    rows, columns = np.nonzero((before != after).any(axis=2))
    return columns.min(), rows.min(), columns.max(), rows.max()


@pytest.mark.parametrize("position", POSITIONS)
def test_the_mark_lies_where_it_should(position: str) -> None:
    photo = grey()
    left, top, right, bottom = touched(
        photo, apply_watermark(photo, replace(TEXT, position=position))
    )
    assert 0.2 * 900 < right - left <= 0.31 * 900
    across = "left" if left < 60 else "right" if right > 840 else ""
    down = "top" if top < 60 else "bottom" if bottom > 540 else ""
    assert position == ("-".join(part for part in (down, across) if part) or "middle")


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_it_is_seen_on_light_and_dark(shade: int) -> None:
    photo = grey(shade=shade)
    change = np.abs(apply_watermark(photo, TEXT).astype(int) - photo).max()
    assert change > 60


@pytest.mark.parametrize("text", ["äöüß", "Łódź", "Straße", "Řím", "Ελλάδα", "Москва", "© ™"])
def test_the_letters_of_europe_are_drawn_each_as_its_own(text: str) -> None:
    assert checked(replace(TEXT, text=text)).text == text
    drawn = {
        apply_watermark(grey(), replace(TEXT, text=sign)).tobytes() for sign in text if sign != " "
    }
    assert len(drawn) == len(set(text) - {" "})


def test_signs_that_cannot_be_drawn_are_named() -> None:
    with pytest.raises(InvalidValue, match="cannot be written with “跑😀”"):
        checked(replace(TEXT, text="Run 跑跑 😀"))
    assert checked(replace(TEXT, kind="none", text="跑")).kind == "none"


def test_opacity_is_how_much_changes() -> None:
    photo = grey(shade=60)
    strong = apply_watermark(photo, TEXT).astype(int) - photo
    weak = apply_watermark(photo, replace(TEXT, opacity=0.2)).astype(int) - photo
    assert weak.max() == pytest.approx(strong.max() * 0.2, abs=2)


def test_a_tiled_mark_covers_the_whole_photo() -> None:
    photo = grey()
    marked = apply_watermark(photo, replace(TEXT, tiled=True, size=0.2))
    for rows in np.array_split(np.arange(600), 3):
        for columns in np.array_split(np.arange(900), 3):
            part = np.ix_(rows, columns)
            assert (photo[part] != marked[part]).any()


@pytest.mark.parametrize(("width", "height"), [(20, 20), (3000, 40), (40, 3000), (1600, 1067)])
def test_photos_of_any_shape_take_a_mark(width: int, height: int) -> None:
    for mark in (TEXT, replace(TEXT, tiled=True), replace(TEXT, size=1.0, text="W" * 60)):
        assert apply_watermark(grey(width, height), mark).shape == (height, width, 3)


@pytest.mark.parametrize("tiled", [False, True])
def test_a_white_logo_leaves_no_dark_seam(tiled: bool) -> None:
    stripes = np.zeros((400, 400, 4), np.uint8)  # what is invisible is black
    stripes[:, ::16] = stripes[:, 1::16] = stripes[:, 2::16] = 255
    logo = encoded(Image.fromarray(stripes), "PNG")
    mark = Watermark(kind="logo", logo=logo, size=0.3, opacity=1.0, tiled=tiled)
    assert apply_watermark(grey(shade=255), mark).min() >= 254
    marked = apply_watermark(grey(), mark)
    assert marked.min() == 128
    assert marked.max() > 160


def test_no_mark_leaves_the_pixels_alone() -> None:
    photo = grey()
    assert apply_watermark(photo, Watermark()) is photo
    assert apply_watermark(photo, Watermark(kind="logo")) is photo


def test_every_size_of_previews_carries_it() -> None:
    photo = Decoded(grey(2400, 1600), 2400, 1600)
    plain, marked = render_previews(photo), render_previews(photo, TEXT)
    assert plain.medium != marked.medium
    assert plain.dense != marked.dense
    assert plain.small != marked.small
    assert (photo.pixels == 128).all()


def test_a_sample_shows_it() -> None:
    assert sample_with(TEXT).startswith(b"\xff\xd8\xff")
    assert sample_with(TEXT) != sample_with(replace(TEXT, position="top"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "picture"},
        {"position": "somewhere"},
        {"text": ""},
        {"text": "x" * 61},
        {"size": 0.0},
        {"size": 1.5},
        {"opacity": 0.01},
    ],
)
def test_values_that_do_not_do_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidValue):
        checked(replace(TEXT, **wrong))  # type: ignore[arg-type]
