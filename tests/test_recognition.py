"""What a photo as a whole says of the numbers on it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from fotofinish.arrays import Pixels
from fotofinish.recognition import Recogniser
from tests.fonts import BOLD

WIDTH, HEIGHT = 1000, 600
LONGER, BEHIND = "71652", "30483"


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    return Recogniser()


def two_bibs(arm: int | None = None) -> Pixels:
    """Two bibs beside each other; with an arm in front of the second from column `arm` on."""
    photo = Image.new("RGB", (WIDTH, HEIGHT), (70, 100, 80))
    draw = ImageDraw.Draw(photo)
    font = ImageFont.truetype(str(BOLD), 64)
    for text, middle in ((LONGER, 250), (BEHIND, 700)):
        draw.rectangle((middle - 140, 240, middle + 140, 360), fill=(240, 240, 240))
        draw.text((middle, 300), text, (20, 20, 20), font, anchor="mm")
    pixels = np.asarray(photo)[..., ::-1].astype(np.float32)
    if arm is not None:
        limb = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
        cv2.line(limb, (arm + 55, 120), (arm + 35, 330), 255, 70)
        cv2.line(limb, (arm + 35, 330), (arm - 55, 520), 255, 60)
        share = cv2.GaussianBlur(limb, (0, 0), 2)[..., None] / 255
        skin = np.array([110, 140, 190]) * (0.8 + 0.2 * np.sin(np.arange(WIDTH) / 30))[:, None]
        pixels = pixels * (1 - share) + skin * share
    return np.ascontiguousarray(pixels.clip(0, 255).astype(np.uint8))


def test_two_whole_numbers_are_two_bibs(recogniser: Recogniser) -> None:
    reading = recogniser.read(two_bibs(), WIDTH, HEIGHT)
    assert {bib.bib for bib in reading.bibs} == {LONGER, BEHIND}


def test_what_an_arm_leaves_of_a_number_is_read_but_is_no_bib(recogniser: Recogniser) -> None:
    pixels = two_bibs(arm=725)
    texts, _ = recogniser.look(pixels)
    assert max(text.confidence for text in texts if text.text == BEHIND[:-1]) > 0.95
    reading = recogniser.read(pixels, WIDTH, HEIGHT)
    assert {bib.bib for bib in reading.bibs} == {LONGER}
