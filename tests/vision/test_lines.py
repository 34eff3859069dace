"""Several looks at one line are voted: letters that look like digits do not outvote digits."""

from __future__ import annotations

import pytest

from fotofinish.vision.lines import Line, voted

DIGITS = Line("1199", (0.7, 1.0, 1.0, 1.0))
LIKE_A_T = Line("T199", (0.6, 1.0, 1.0, 1.0), Line("1199", (0.9, 1.0, 1.0, 1.0)))
SURELY_A_T = Line("T199", (0.99, 1.0, 1.0, 1.0))


def test_a_letter_that_is_unsure_is_none_where_another_look_read_digits() -> None:
    line = voted([DIGITS, LIKE_A_T, LIKE_A_T, LIKE_A_T])
    assert line.text == "1199"
    assert line.confidences == pytest.approx((0.85, 1.0, 1.0, 1.0))


def test_a_letter_that_is_sure_stays_one() -> None:
    line = voted([DIGITS, SURELY_A_T, SURELY_A_T, SURELY_A_T])
    assert line.text == "T199"
    assert line.confidences == pytest.approx((0.7425, 0.75, 0.75, 0.75))


def test_letters_that_all_looks_read_stay() -> None:
    line = voted([LIKE_A_T, LIKE_A_T])
    assert line.text == "T199"
    assert voted([line, DIGITS]).text == "1199"
