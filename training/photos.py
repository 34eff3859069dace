"""Numbers as they are found in photos, drawn: some of their digits hidden, some not.

What is drawn is in `training/bibs.py` and `training/scenes.py`; here it becomes photos, and what
the network is shown of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from fotofinish.arrays import Floats, Pixels
from fotofinish.vision.hidden import seen_from
from training.bibs import Bib, pin_bib
from training.dice import Dice
from training.scenes import DIGIT, HEIGHT, WIDTH, a_cover, a_runner, covered

PHOTOS_A_SCENE = 2
WINDOWS_A_SCENE = 2 * PHOTOS_A_SCENE
# how many things are in front of a bib
COVERS, SHARES = (0, 1, 2, 3), [0.2, 0.5, 0.25, 0.05]
# pixels of a digit in the photo
SMALLEST, LARGEST = 6.0, 32.0


@dataclass(frozen=True, slots=True)
class Shown:
    """A scene, and what a reader makes of it: a quad, and whether digits are hidden at each end.

    `columns`: where the photo begins and ends.
    """

    pixels: Floats
    quad: Floats
    hidden: tuple[bool, bool]
    columns: tuple[int, int]


def windows(seed: int, scenes: int, fonts: list[Path]) -> Iterator[tuple[Pixels, bool]]:
    """What the network is shown of so many scenes, and whether digits are hidden there."""
    dice = Dice(seed)
    for _ in range(scenes):
        shown = draw(dice, fonts)
        for _ in range(PHOTOS_A_SCENE):
            yield from photographed(dice, shown)


def draw(dice: Dice, fonts: list[Path]) -> Shown:
    """A runner with a bib, and perhaps something in front of it."""
    while True:
        scene = a_runner(dice)
        bib = pin_bib(dice, scene, fonts)
        if bib is None:
            continue
        left, right = bib.columns[0][0], bib.columns[-1][1]
        middle = bib.top + DIGIT / 2
        hides = np.zeros((HEIGHT, WIDTH), dtype=np.float32)
        for _ in range(dice.one_of(COVERS, SHARES)):
            cover = a_cover(dice, left, right, middle, bib.paper)
            scene = covered(dice, scene, cover)
            hides = np.maximum(hides, cover.where)
        columns = (0, WIDTH)
        if dice.happens(0.08):
            columns = _photo_ends(dice, left, right)
            hides[:, : columns[0]] = hides[:, columns[1] :] = 1.0
        seen = _seen(dice, bib, hides)
        if seen is not None:
            return _shown(dice, scene, bib, seen, columns)


def photographed(dice: Dice, shown: Shown) -> list[tuple[Pixels, bool]]:
    """The number from both ends in one photo of the scene, and whether digits are hidden there."""
    high = math.exp(dice.between(math.log(SMALLEST), math.log(LARGEST)))
    pixels = cv2.GaussianBlur(shown.pixels, (0, 0), dice.between(0.2, 2.2))
    if dice.happens(0.2):
        pixels = _moved(dice, pixels)
    first, last = shown.columns
    pixels = pixels[:, first:last]
    scale = high / DIGIT
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(HEIGHT * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    pixels = cv2.resize(pixels, size, interpolation=how)
    pixels = 255 * np.clip(pixels / 255, 0, 1) ** dice.between(0.5, 1.5)
    pixels = (pixels - 128) * dice.between(0.6, 1.25) + 128 + dice.between(-30, 40)
    tint = [dice.between(0.88, 1.1) for _ in range(3)]
    shade = np.linspace(dice.between(0.75, 1.1), dice.between(0.75, 1.1), size[0])
    pixels = pixels * tint * shade[None, :, None]
    pixels = pixels + dice.noise(pixels.shape, dice.between(0, 9))
    if dice.happens(0.25):  # sharpened by the camera
        pixels += (pixels - cv2.GaussianBlur(pixels, (0, 0), 1)) * dice.between(0.3, 1.5)
    photo = np.clip(pixels[..., ::-1], 0, 255).astype(np.uint8)
    if dice.happens(0.85):
        _, file = cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, dice.whole(35, 98)])
        photo = cv2.imdecode(file, cv2.IMREAD_COLOR)
    quad = (_found(dice, shown.quad) - np.array([first, 0])) * scale
    quad = quad.astype(np.float32)
    return [
        (seen_from(np.ascontiguousarray(photo), quad, mirrored=mirrored), hidden)
        for mirrored, hidden in zip((False, True), shown.hidden, strict=True)
    ]


def _photo_ends(dice: Dice, left: float, right: float) -> tuple[int, int]:
    """The photo's edge near one end of the number."""
    cut = dice.between(-1.2 * DIGIT, min(right - left, 2.0 * DIGIT))
    return (max(0, round(left + cut)), WIDTH) if dice.happens(0.5) else (0, round(right - cut))


def _seen(dice: Dice, bib: Bib, hides: Floats) -> tuple[int, int] | None:
    """The longest run of signs that a reader sees, first to past the last."""
    most = dice.between(0.12, 0.45)
    hidden = [float((ink * hides).sum() / max(ink.sum(), 1)) > most for ink in bib.ink]
    runs, start = [(0, 0)], 0
    for place, gone in enumerate([*hidden, True]):
        if gone:
            runs.append((start, place))
            start = place + 1
    first, past = max(runs, key=lambda run: run[1] - run[0])
    if past == first or (past - first == 1 < len(bib.ink) and dice.happens(0.8)):
        return None
    return first, past


def _shown(
    dice: Dice, scene: Floats, bib: Bib, seen: tuple[int, int], columns: tuple[int, int]
) -> Shown:
    """With the quad that a detector finds: as high as two digits, more or less."""
    first, past = seen
    hidden = (first > 0, past < len(bib.ink))
    high = dice.between(1.75, 2.3) * DIGIT
    middle = bib.top + DIGIT / 2 + dice.about(0.06) * DIGIT
    margins = [dice.between(0.02 if gone else 0.12, 0.34) * high for gone in hidden]
    left, right = bib.columns[first][0] - margins[0], bib.columns[past - 1][1] + margins[1]
    upper, lower = middle - high / 2, middle + high / 2
    quad = np.array([(left, upper), (right, upper), (right, lower), (left, lower)])
    return Shown(np.clip(scene, 0, 255), quad.astype(np.float32), hidden, columns)


def _found(dice: Dice, quad: Floats) -> Floats:
    """The quad a little turned and slanted, as the text stands in detectors' rectangles."""
    turned = dice.between(-0.12, 0.12) if dice.happens(0.5) else 0.0
    slanted = dice.between(-0.2, 0.2) if dice.happens(0.4) else 0.0
    turn = np.array([[math.cos(turned), math.sin(turned)], [-math.sin(turned), math.cos(turned)]])
    slant = np.array([[1.0, 0.0], [slanted, 1.0]])
    centre = quad.mean(axis=0)
    return np.asarray((quad - centre) @ slant @ turn + centre, dtype=np.float32)


def _moved(dice: Dice, pixels: Floats) -> Floats:
    """Blurred along a line."""
    long = dice.whole(2, 7)
    line = np.zeros((long, long), dtype=np.float32)
    cv2.line(line, (0, dice.whole(0, long)), (long - 1, dice.whole(0, long)), 1.0)
    return np.asarray(cv2.filter2D(pixels, -1, line / line.sum()), dtype=np.float32)
