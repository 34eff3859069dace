"""What the network of hidden digits is trained on: drawn, labelled right, always the same."""

from __future__ import annotations

import numpy as np
import pytest

from fotofinish.vision.hidden import COLUMNS, ROWS
from tests.fonts import BOLD
from training.dice import Dice
from training.photos import Shown, draw, photographed, windows
from training.scenes import DIGIT, HEIGHT, WIDTH

FONTS = [BOLD]


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


@pytest.mark.parametrize("hidden", [(True, False), (False, True)])
def test_a_window_shows_the_end_that_its_label_is_of(hidden: tuple[bool, bool]) -> None:
    pixels = np.full((HEIGHT, WIDTH, 3), 220, dtype=np.float32)
    middle, half = WIDTH / 2, 1.5 * DIGIT
    # something dark stands over one end of what is left of the number
    dark = slice(0, round(middle - half)) if hidden[0] else slice(round(middle + half), WIDTH)
    pixels[:, dark] = 0
    upper, lower = HEIGHT / 2 - DIGIT, HEIGHT / 2 + DIGIT
    left, right = middle - half, middle + half
    quad = np.array([(left, upper), (right, upper), (right, lower), (left, lower)], np.float32)
    seen = photographed(Dice(1), Shown(pixels, quad, hidden, (0, WIDTH)))
    assert [label for _, label in seen] == list(hidden)
    starts = [window[:, : COLUMNS // 6].mean() for window, _ in seen]
    assert np.argmin(starts) == hidden.index(True)
    assert abs(starts[0] - starts[1]) > 60
