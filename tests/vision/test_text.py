"""Text is found and read where it stands: drawn bibs, large, small and turned."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from fotofinish.arrays import Pixels
from fotofinish.bibs.plausibility import bibs_from
from fotofinish.vision.networks import Networks, fast_precisions
from fotofinish.vision.text import TextReader, TextReading


@pytest.fixture(scope="module", params=dict.fromkeys((*fast_precisions(), "int8")))
def reader(request: pytest.FixtureRequest) -> TextReader:
    return TextReader(Networks(request.param))


def a_photo_of(
    text: str, *, size: tuple[int, int] = (900, 600), high: int = 60, turned: float = 0.0
) -> Pixels:
    """A white bib with black digits in the middle of a green photo."""
    font = ImageFont.load_default(size=high)
    bib = Image.new("RGB", (int(0.6 * high * len(text)) + 2 * high, 2 * high), "white")
    ImageDraw.Draw(bib).text((bib.width / 2, bib.height / 2), text, "black", font, anchor="mm")
    bib = bib.convert("RGBA").rotate(turned, expand=True, resample=Image.Resampling.BICUBIC)
    photo = Image.new("RGB", size, (60, 110, 70))
    photo.paste(bib, ((size[0] - bib.width) // 2, (size[1] - bib.height) // 2), bib)
    return np.ascontiguousarray(np.asarray(photo)[..., ::-1])


def a_bib_whose_one_has_a_bar() -> Pixels:
    """1140, of which the first sign is a stroke below a short bar."""
    photo = Image.new("RGB", (900, 600), (60, 110, 70))
    draw = ImageDraw.Draw(photo)
    font = ImageFont.load_default(size=40)
    left, wide = 400, font.getlength("0")
    top, bottom = 285, 285 - font.getbbox("1", anchor="ls")[1]
    draw.rectangle([left - 40, top - 40, left + 5 * wide, bottom + 40], fill="white")
    draw.rectangle([left + wide / 2 - 2, top, left + wide / 2 + 2, bottom], fill="black")
    draw.rectangle([left + wide / 2 - 6, top, left + wide / 2 + 6, top + 4], fill="black")
    draw.text((left + wide, bottom), "140", "black", font, anchor="ls")
    photo = photo.filter(ImageFilter.GaussianBlur(0.8))
    return np.ascontiguousarray(np.asarray(photo)[..., ::-1])


@pytest.mark.parametrize("text", ["7314", "20461", "358", "007"])
@pytest.mark.parametrize("high", [24, 60, 150])
def test_a_drawn_bib_is_read(reader: TextReader, text: str, high: int) -> None:
    readings = reader.read(a_photo_of(text, high=high))
    (reading,) = [reading for reading in readings if reading.text == text]
    assert reading.confidence > 0.9
    assert len(reading.sign_confidences) == len(text)


@pytest.mark.parametrize("turned", [-20, 10, 20])
def test_a_turned_bib_is_read(reader: TextReader, turned: float) -> None:
    assert [reading.text for reading in reader.read(a_photo_of("7314", turned=turned))] == ["7314"]


def test_a_readings_corners_lie_around_the_text(reader: TextReader) -> None:
    (reading,) = reader.read(a_photo_of("7314", size=(1800, 1200), high=120))
    left, top = reading.quad.min(axis=0)
    right, bottom = reading.quad.max(axis=0)
    assert 600 < left < 800 < 1000 < right < 1200
    assert 480 < top < 560 < 640 < bottom < 720


def test_letters_apart_from_digits_are_read_as_one_line(reader: TextReader) -> None:
    assert [reading.text for reading in reader.read(a_photo_of("B 30483"))] == ["B 30483"]


def test_a_one_that_some_looks_take_for_a_t_is_a_one(reader: TextReader) -> None:
    photo = a_bib_whose_one_has_a_bar()
    (reading,) = (reader.read_again(photo, reading) for reading in reader.read(photo))
    assert reading.text == "1140"
    assert min(reading.sign_confidences) > 0.55


def test_an_empty_photo_says_nothing(reader: TextReader) -> None:
    assert reader.read(np.full((600, 900, 3), 128, dtype=np.uint8)) == []


def test_a_tiny_photo_is_no_error(reader: TextReader) -> None:
    assert reader.read(np.zeros((1, 1, 3), dtype=np.uint8)) == []


def test_small_text_is_read_in_a_close_up_in_the_photos_own_pixels(reader: TextReader) -> None:
    photo = a_photo_of("7314", size=(3000, 2000), high=20)
    box = (1500 - 100.0, 1000 - 125.0, 200.0, 250.0)
    (reading,) = reader.read_close_up(photo, [box])
    assert reading.text == "7314"
    assert reading.quad.mean(axis=0) == pytest.approx((1500, 1000), abs=12)


def test_a_close_up_may_reach_out_of_the_photo(reader: TextReader) -> None:
    photo = a_photo_of("7314")
    readings = reader.read_close_up(photo, [(300.0, 100.0, 400.0, 600.0), (-300, -300, 100, 125)])
    assert [reading.text for reading in readings] == ["7314"]


def test_a_second_reading_mends_what_was_misread(reader: TextReader) -> None:
    photo = a_photo_of("7314")
    (right,) = reader.read(photo)
    misread = TextReading("7374", 0.5, right.quad, (0.5, 0.5, 0.5, 0.5))
    again = reader.read_again(photo, misread)
    assert again.text == "7314"
    assert 0.4 < again.confidence <= 0.5


def test_two_readings_that_agree_are_as_sure_as_they_are_in_the_mean(reader: TextReader) -> None:
    photo = a_photo_of("7314")
    (right,) = reader.read(photo)
    unsure = TextReading("7314", 0.9, right.quad, (1.0, 1.0, 1.0, 0.6))
    again = reader.read_again(photo, unsure)
    assert again.text == "7314"
    assert again.sign_confidences == pytest.approx((1.0, 1.0, 1.0, 0.8), abs=0.02)
    assert again.quad is right.quad


def test_where_the_second_reader_sees_nothing_the_first_is_half_as_sure(
    reader: TextReader,
) -> None:
    grey = np.full((600, 900, 3), 128, dtype=np.uint8)
    quad = np.array([[100, 100], [300, 100], [300, 180], [100, 180]], dtype=np.float32)
    again = reader.read_again(grey, TextReading("123", 0.9, quad, (0.9, 0.9, 0.9)))
    assert again.text == "123"
    assert again.sign_confidences == pytest.approx((0.45, 0.45, 0.45))


@pytest.mark.parametrize("cut", ["left", "right"])
def test_a_digit_that_the_detector_left_out_is_found_by_looking_around(
    reader: TextReader, cut: str
) -> None:
    photo = a_photo_of("82007")
    whole = next(reading for reading in reader.read(photo) if reading.text == "82007")
    left, right = (0.21, 1.0) if cut == "left" else (0.0, 0.79)
    along = whole.quad[1] - whole.quad[0]
    quad = whole.quad[[0, 0, 3, 3]] + np.array([[left], [right], [right], [left]]) * along
    text = "2007" if cut == "left" else "8200"
    part = TextReading(text, 1.0, np.asarray(quad, dtype=np.float32), (1.0,) * 4)
    (around,) = reader.look_around(photo, [part])
    assert around.text == "82007"
    assert around.quad == pytest.approx(whole.quad, abs=15)


def test_a_whole_number_stays_as_it_is_and_has_paper_beside_it(reader: TextReader) -> None:
    photo = a_photo_of("33", high=40)
    (reading,) = reader.read(photo)
    (around,) = reader.look_around(photo, [reading])
    assert around.text == "33"
    assert around.quad is reading.quad
    assert around.paper is around.hidden is None
    seen = reader.look_at_ends(photo, around)
    assert seen.paper is not None
    assert seen.paper > 0.4
    assert seen.hidden is not None
    assert seen.hidden < 0.2


def test_a_number_of_which_a_part_is_hidden_has_no_paper_there(reader: TextReader) -> None:
    photo = a_photo_of("3384", high=60)
    (whole,) = reader.read(photo)
    middle = int(whole.quad[:, 0].mean())
    photo[:, middle:] = (90, 120, 170)  # an arm
    (part,) = reader.look_around(photo, reader.read(photo))
    assert part.text == "33"
    seen = reader.look_at_ends(photo, part)
    assert seen.paper is not None
    assert seen.paper < 0.15
    assert seen.hidden is not None
    assert seen.hidden > 0.4


def test_a_number_without_any_contrast_has_no_paper_and_is_no_error(reader: TextReader) -> None:
    grey = np.full((600, 900, 3), 128, dtype=np.uint8)
    quad = np.array([[100, 100], [300, 100], [300, 180], [100, 180]], dtype=np.float32)
    (around,) = reader.look_around(grey, [TextReading("123", 1.0, quad, (1.0, 1.0, 1.0))])
    assert around.text == "123"
    assert reader.look_at_ends(grey, around).paper == 0
    nothing = reader.look_at_ends(grey, TextReading("7", 1.0, quad * 0 + 5, (1.0,)))
    assert nothing.paper is nothing.hidden is None


def test_a_drawn_bib_becomes_a_bib(reader: TextReader) -> None:
    readings = reader.read(a_photo_of("7314"))
    assert [bib.bib for bib in bibs_from(readings, [], 900, 600, None)] == ["7314"]
