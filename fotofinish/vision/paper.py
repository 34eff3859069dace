"""How far the paper of a bib reaches beyond the ends of its number, in a photo's pixels.

A number is printed in the middle of its bib: where an arm or another runner hides a part, the paper
ends right beside what is left of it. What follows from that is `fotofinish/bibs/`'s.
"""

from __future__ import annotations

import cv2
import numpy as np

from fotofinish.arrays import Floats, Pixels
from fotofinish.vision.quads import straightened, stretched

# pixels that a quad is made high, and how far beyond its ends is looked, in heights
HEIGHT, REACH = 32, 1.5
MOST_WIDTH = 1000
LEAST_WIDTH = 8
# the middle half of the rows has the digits; the first and last eighth the paper above and below
MIDDLE, EDGE = slice(HEIGHT // 4, -HEIGHT // 4), HEIGHT // 8
# a pixel is paper (or ink) when it is nearer to its colour than this share of what they differ by:
# shade and folds are, skin between white and black is not. A column is paper when most of it is,
# and has a digit when a quarter of it is ink
NEAR, MOSTLY_PAPER, SOME_INK = 0.4, 0.6, 0.25
# folds and pins: so many columns may be something else
MOST_GAP = 3


def paper_beside(pixels: Pixels, quad: Floats) -> float | None:
    """Beyond the end where it reaches less, in heights of the quad; None if it is too narrow.

    Colours are told apart by two means (Lloyd, 1982) in CIELAB.
    """
    strip = straightened(pixels, stretched(quad, REACH, 0.0), HEIGHT, MOST_WIDTH)
    start = round(HEIGHT * REACH)
    end = strip.shape[1] - start
    if end - start < LEAST_WIDTH:
        return None
    everything = cv2.cvtColor(strip, cv2.COLOR_BGR2LAB).astype(np.float32)
    paper, ink = _paper_and_ink(everything[:, start:end])
    colours = everything[MIDDLE]
    near = NEAR * float(np.linalg.norm(paper - ink))
    is_paper = _share(colours, paper, near) >= MOSTLY_PAPER
    (digits,) = np.nonzero(_share(colours[:, start:end], ink, near) >= SOME_INK)
    # digits that hardly differ from their paper are not told apart: then the quad is their end
    first, last = (start + digits[0], start + digits[-1]) if len(digits) else (start, end - 1)
    return min(_run(is_paper[:first][::-1]), _run(is_paper[last + 1 :])) / HEIGHT


def _paper_and_ink(colours: Floats) -> tuple[Floats, Floats]:
    """The two colours of a number's pixels (HxWx3): paper is what is above and below the digits."""
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 10, 1.0)
    flat = np.ascontiguousarray(colours[MIDDLE].reshape(-1, 3))
    # begins with light and dark, not with chance: the same answer every time
    between = (flat[:, 0].min() + flat[:, 0].max()) / 2
    labels = (flat[:, 0] > between).astype(np.int32)[:, None]
    _, _, (one, other) = cv2.kmeans(flat, 2, labels, criteria, 1, cv2.KMEANS_USE_INITIAL_LABELS)
    around = np.concatenate([colours[:EDGE], colours[-EDGE:]])
    to_one, to_other = (np.linalg.norm(around - colour, axis=2) for colour in (one, other))
    return (one, other) if (to_one < to_other).mean() >= 0.5 else (other, one)


def _share(colours: Floats, colour: Floats, near: float) -> Floats:
    """What share of each column is near the colour."""
    return np.asarray((np.linalg.norm(colours - colour, axis=2) < near).mean(axis=0))


def _run(is_paper: np.typing.NDArray[np.bool_]) -> int:
    """How many columns are paper before something else begins."""
    count = gap = 0
    for column in is_paper:
        gap = 0 if column else gap + 1
        if gap > MOST_GAP:
            break
        count += bool(column)
    return count
