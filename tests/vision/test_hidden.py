"""Digits hidden behind something are seen to be missing, on drawn bibs that nothing learnt from."""

from __future__ import annotations

import numpy as np
import pytest

from fotofinish.vision.hidden import HiddenDigits
from fotofinish.vision.networks import Networks
from tests.fonts import BOLD
from training.dice import Dice
from training.photos import draw

# neither the font nor the seed is one that training takes
UNSEEN = 1_000_000


@pytest.fixture(scope="module")
def network() -> HiddenDigits:
    return HiddenDigits(Networks())


def test_numbers_with_hidden_digits_are_told_from_whole_ones(network: HiddenDigits) -> None:
    dice = Dice(UNSEEN)
    chances: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(60):
        shown = draw(dice, [BOLD])
        first, last = shown.columns
        photo = np.ascontiguousarray(shown.pixels[:, first:last, ::-1].astype(np.uint8))
        quad = shown.quad - np.array([first, 0], dtype=np.float32)
        chance = network.chance(photo, quad)
        assert chance is not None
        chances[any(shown.hidden)].append(chance)
    hidden, whole = np.array(chances[True]), np.array(chances[False])
    assert len(hidden) > 15
    assert len(whole) > 25
    in_order = (hidden[:, None] > whole[None]).mean()
    assert in_order > 0.95


@pytest.mark.parametrize("corner", [(5, 5), (-50, -50), (85, 55), (500, 500)])
def test_a_number_at_the_edge_of_the_photo_or_outside_is_no_error(
    network: HiddenDigits, corner: tuple[int, int]
) -> None:
    grey = np.full((60, 90, 3), 128, dtype=np.uint8)
    quad = np.array([[0, 0], [9, 0], [9, 4], [0, 4]], dtype=np.float32) + corner
    chance = network.chance(grey, quad)
    assert chance is not None
    assert 0 <= chance <= 1
    assert network.chance(grey, quad * 0) is None
