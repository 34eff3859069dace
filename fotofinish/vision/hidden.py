"""Whether something in front of a number hides digits at its ends: an arm, a hand, another runner.

A small network of our own, trained on drawn bibs (`training/hidden_digits.py`), looks at the number
from either end, with what is beside, above and below it. What follows is `fotofinish/bibs/`'s.
"""

from __future__ import annotations

import numpy as np

from fotofinish.arrays import Floats, Pixels
from fotofinish.vision.networks import Networks
from fotofinish.vision.quads import side, straightened, stretched

NETWORK = "hidden-digits"
# how far beside and above the quad is looked, in its heights: over two digits, and what is printed
# next to a number. It then has 25 pixels of height, and its digits about 12, as the smallest that
# are read; as wide as five of them with paper at both ends
BESIDE, ABOVE = 1.0, 0.62
COLUMNS, ROWS = 112, 56
# of pixels as a whole, roughly
MEAN, DEVIATION = [127.5] * 3, [64.0] * 3
# a quad is never quite where another detector would have it: it is looked at as it is, longer and
# shorter, higher and lower (shares of its height), and the verdict is the mean
LOOKS = ((0.0, 0.0), (0.1, 0.0), (-0.06, 0.0), (0.0, 0.08), (0.0, -0.06))


class HiddenDigits:
    """The network, loaded once. Raises ModelError."""

    def __init__(self, networks: Networks) -> None:
        network = networks.read_for_pixels(NETWORK, MEAN, DEVIATION)
        network.reshape([2 * len(LOOKS), ROWS, COLUMNS, 3])
        self._network = networks.compile(network)

    def chance(self, pixels: Pixels, quad: Floats) -> float | None:
        """How likely the number inside the quad goes on behind something, 0 to 1.

        None if the quad has no size.
        """
        if min(side(quad, 0, 1), side(quad, 0, 3)) < 1:
            return None
        seen = [
            seen_from(pixels, stretched(quad, *look), mirrored=mirrored)
            for mirrored in (False, True)
            for look in LOOKS
        ]
        chances = self._network(np.stack(seen))[0].reshape(2, len(LOOKS))
        return float(chances.mean(axis=1).max())


def seen_from(pixels: Pixels, quad: Floats, *, mirrored: bool) -> Pixels:
    """The number from its left end on; `mirrored`: from its right end, which is then the left."""
    wide = stretched(quad, BESIDE, ABOVE)
    if mirrored:
        wide = wide[[1, 0, 3, 2]]
    along = (wide[1] - wide[0]) / side(wide, 0, 1)
    reach = along * side(wide, 0, 3) * COLUMNS / ROWS
    corners = np.array([wide[0], wide[0] + reach, wide[3] + reach, wide[3]], dtype=np.float32)
    return straightened(pixels, corners, ROWS, COLUMNS)
