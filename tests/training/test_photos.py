"""What the network of hidden digits is trained on: drawn, labelled right, always the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fotofinish.vision.hidden import COLUMNS, ROWS
from training.dice import Dice
from training.photos import draw, windows

FOLDER = Path("/usr/share/fonts/truetype/dejavu")
FONTS = [FOLDER / "DejaVuSans-Bold.ttf", FOLDER / "DejaVuSans.ttf"]


@pytest.fixture(autouse=True)
def fonts_are_there() -> None:
    if not all(font.is_file() for font in FONTS):
        pytest.skip("fonts-dejavu-core is not installed (make test installs it)")


def test_each_scene_is_shown_from_both_ends_in_two_photos() -> None:
    shown = list(windows(7, 3, FONTS))
    assert len(shown) == 3 * 2 * 2
    assert {(window.shape, window.dtype.name) for window, _ in shown} == {
        ((ROWS, COLUMNS, 3), "uint8")
    }


def test_the_same_seed_draws_the_same() -> None:
    one, other = (list(windows(7, 2, FONTS)) for _ in range(2))
    assert all(np.array_equal(a, b) and x == y for (a, x), (b, y) in zip(one, other, strict=True))


def test_digits_are_hidden_in_some_scenes_and_not_in_others() -> None:
    dice = Dice(3)
    shown = [draw(dice, FONTS).hidden for _ in range(60)]
    assert any(left for left, _ in shown)
    assert any(right for _, right in shown)
    assert sum(not any(ends) for ends in shown) > 20
