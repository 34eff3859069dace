"""What is behind a bib and in front of it: shirts, bodies that end, arms, hands, other runners.

Pixels are RGB float32 (HxWx3), lengths in heights of a digit. What is fixed is what bodies and
clothes are like; everything else is left to the dice.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fotofinish.arrays import Floats, Pixels
from training.dice import Colour, Dice

Mask = npt.NDArray[np.bool_]
Point = npt.NDArray[np.float64]

# pixels: of a digit's height, and of everything that is drawn around a number
DIGIT = 24
WIDTH, HEIGHT = 324, 144


@dataclass(frozen=True, slots=True)
class Cover:
    """Something in front of the bib: where it is (HxW, 0 to 1) and what it looks like."""

    where: Floats
    pixels: Floats


def a_runner(dice: Dice) -> Floats:
    """A shirt, what is beside the body where it ends, and what is below the shirt."""
    pixels = _fabric(dice)
    if dice.happens(0.25):  # shirts are white or black more often than any colour
        colour = dice.pale() if dice.happens(0.6) else dice.dark()
        pixels[:] = _plain(colour) + _folds(dice, 10)
    if dice.happens(0.3):  # a print on the shirt
        _shapes(dice, pixels, dice.whole(2, 7))
    rows, columns = np.arange(HEIGHT)[:, None] - HEIGHT / 2, np.arange(WIDTH)[None]
    for mirrored in (False, True):
        if dice.happens(0.35):
            side = dice.between(0, 0.3) * WIDTH + dice.between(-0.3, 0.3) * rows
            beside = columns < side + dice.between(-15, 15) * (2 * rows / HEIGHT) ** 2
            beside = beside[:, ::-1] if mirrored else beside
            pixels[beside] = _clutter(dice)[beside]
    if dice.happens(0.3):
        hem = round(HEIGHT * dice.between(0.6, 0.95))
        pixels[hem:] = _fabric(dice)[hem:]
    return pixels


def a_cover(dice: Dice, left: float, right: float, middle: float, paper: Colour) -> Cover:
    """Something that reaches towards one end of a number, and sometimes over it.

    The number lies between `left` and `right`, its digits' middle at row `middle`.
    """
    if dice.happens(0.75):
        reach = dice.between(-1.2 * DIGIT, min(right - left, 2.0 * DIGIT))
    else:
        reach = dice.between(-3.0 * DIGIT, -0.3 * DIGIT)
    kind = dice.one_of((_arm, _hand, _forearm, _body, _thing), [0.3, 0.22, 0.14, 0.26, 0.08])
    inside, pixels = kind(dice, left + reach, middle)
    if dice.happens(0.12):
        pixels = pixels * np.float32(0.3) + _plain(dice.near(paper)) * np.float32(0.7)
    pixels = pixels + dice.unevenness(WIDTH, HEIGHT, dice.whole(5, 30), dice.between(0, 10))
    where = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), dice.between(0.4, 1.2))
    pixels = pixels.astype(np.float32)
    if dice.happens(0.5):  # it comes from the other side
        turn = np.array([[-1, 0, left + right], [0, 1, 0]], dtype=np.float32)
        where, pixels = (
            cv2.warpAffine(what, turn, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
            for what in (where, pixels)
        )
    return Cover(where, pixels)


def covered(dice: Dice, pixels: Floats, cover: Cover) -> Floats:
    """The scene with the cover in front, and perhaps its shadow."""
    if dice.happens(0.4):
        pixels = shadowed(dice, pixels, cover.where, moved=6, blur=(1.5, 4.5))
    where = cover.where[..., None]
    return np.asarray(pixels * (1 - where) + cover.pixels * where, dtype=np.float32)


def shadowed(
    dice: Dice, pixels: Floats, where: Floats, *, moved: int, blur: tuple[float, float]
) -> Floats:
    """The scene with the shadow of what is `where` (0 to 1), moved by as many pixels at most."""
    by = (dice.whole(-moved, moved + 1), dice.whole(-moved, moved + 1))
    shadow = cv2.GaussianBlur(np.roll(where, by, (0, 1)), (0, 0), dice.between(*blur))
    shade = 1 - shadow * dice.between(0.1, 0.5)
    return np.asarray(pixels * shade[..., None], dtype=np.float32)


def _plain(colour: Colour) -> Floats:
    return np.full((HEIGHT, WIDTH, 3), colour, dtype=np.float32)


def _folds(dice: Dice, strength: float) -> Floats:
    return dice.unevenness(WIDTH, HEIGHT, dice.whole(3, 14), dice.between(2, strength))


def _fabric(dice: Dice) -> Floats:
    pixels = _plain(dice.colour())
    if dice.happens(0.2):  # stripes
        turned = dice.between(-0.6, 0.6)
        rows, columns = np.arange(HEIGHT)[:, None], np.arange(WIDTH)[None]
        across = columns * np.cos(turned) + rows * np.sin(turned)
        pixels[across % dice.between(15, 110) < dice.between(3, 45)] = dice.colour()
    return pixels + _folds(dice, 22)


def _clutter(dice: Dice) -> Floats:
    """A street, other people, trees: shapes out of focus."""
    pixels = _plain(dice.colour())
    _shapes(dice, pixels, dice.whole(2, 10))
    blurred: Floats = cv2.GaussianBlur(pixels, (0, 0), dice.between(0.4, 4.5))
    return blurred + dice.unevenness(WIDTH, HEIGHT, dice.whole(6, 40), dice.between(2, 20))


def _shapes(dice: Dice, pixels: Floats, count: int) -> None:
    for _ in range(count):
        here, there = ((dice.whole(0, WIDTH), dice.whole(0, HEIGHT)) for _ in range(2))
        match dice.whole(0, 3):
            case 0:
                cv2.rectangle(pixels, here, there, dice.colour(), -1)
            case 1:
                axes = (dice.whole(4, 45), dice.whole(4, 45))
                cv2.ellipse(pixels, here, axes, dice.between(0, 180), 0, 360, dice.colour(), -1)
            case _:
                cv2.line(pixels, here, there, dice.colour(), dice.whole(2, 11))


def _beyond(dice: Dice, edge: float, middle: float, most_tilt: float) -> Floats:
    """How far each pixel lies beyond a slanting, slightly bent edge (pixels; below 0: not)."""
    rows, columns = np.arange(HEIGHT)[:, None] - middle, np.arange(WIDTH)[None]
    tilt, bend = dice.between(-most_tilt, most_tilt), dice.between(-0.005, 0.005)
    return np.asarray(edge + tilt * rows + bend * rows**2 - columns, dtype=np.float32)


def _body(dice: Dice, edge: float, middle: float) -> tuple[Mask, Floats]:
    """Another runner, whose side goes through the picture."""
    pixels = _clutter(dice) if dice.happens(0.3) else _fabric(dice)
    beyond = _beyond(dice, edge, middle, 0.5)
    if dice.happens(0.6):
        rounding = np.clip(beyond / dice.between(4, 45), 0, 1)
        pixels = pixels * (0.55 + 0.45 * rounding)[..., None]
    return beyond > 0, pixels


def _arm(dice: Dice, edge: float, middle: float) -> tuple[Mask, Floats]:
    """A band from above to below, which may end; bare or in a sleeve, perhaps with a watch."""
    beyond = _beyond(dice, edge, middle, 0.9)
    wide = dice.between(0.7, 3.5) * DIGIT
    inside = (beyond > 0) & (beyond < wide)
    pixels = _plain(dice.skin())
    rows = np.arange(HEIGHT)
    if dice.happens(0.35):
        sleeve = rows < middle + dice.between(-60, 60)
        pixels[sleeve if dice.happens(0.5) else ~sleeve] = dice.colour()
    round_it = np.clip(beyond / wide, 0, 1) * 2 - 1
    dim = dice.between(0.1, 0.5) * np.abs(round_it - dice.between(-0.7, 0.7)) ** 1.5
    pixels = pixels * (1.05 - dim)[..., None]
    if dice.happens(0.25):
        watch = np.abs(rows - middle - dice.between(-45, 45)) < dice.between(3, 10)
        pixels[watch] = dice.dark() if dice.happens(0.7) else dice.colour()
    if dice.happens(0.4):
        end = dice.between(-0.2, 2.5) * DIGIT
        there = rows < middle + end if dice.happens(0.5) else rows > middle - end
        inside = inside & there[:, None]
    return inside, pixels


def _forearm(dice: Dice, edge: float, middle: float) -> tuple[Mask, Floats]:
    """An arm that points at the number, with a round end."""
    shape = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    turned, thick = dice.between(-0.9, 0.9), dice.between(0.35, 1.1) * DIGIT
    towards = np.array([-np.cos(turned), np.sin(turned)])
    start = np.array([edge, middle + dice.between(-0.8, 0.8) * DIGIT]) + towards * thick
    _limb(shape, start, start + towards * 2 * WIDTH, 2 * thick)
    return shape > 0, _rounded(dice, shape, dice.skin())


def _hand(dice: Dice, edge: float, middle: float) -> tuple[Mask, Floats]:
    """A fist with fingers, mostly at the end of an arm."""
    shape = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    size = dice.between(0.5, 1.3) * DIGIT
    centre = np.array([edge - size, middle + dice.between(-0.8, 0.8) * DIGIT])
    axes = (round(size), round(size * dice.between(0.6, 1.3)))
    place = (round(centre[0]), round(centre[1]))
    cv2.ellipse(shape, place, axes, dice.between(0, 180), 0, 360, 255, -1)
    for _ in range(dice.whole(1, 5)):
        turned = dice.between(-1.2, 1.2)
        tip = np.array([np.cos(turned), np.sin(turned)]) * size * dice.between(0.8, 1.3)
        _limb(shape, centre, centre + tip, dice.between(0.2, 0.4) * DIGIT)
    if dice.happens(0.8):
        turned = dice.between(-1, 1)
        arm = np.array([-np.cos(turned), np.sin(turned)]) * WIDTH
        _limb(shape, centre, centre + arm, size * dice.between(0.9, 1.6))
    pixels = _rounded(dice, shape, dice.skin() if dice.happens(0.85) else dice.colour())
    return shape > 0, pixels + dice.unevenness(WIDTH, HEIGHT, 40, dice.between(0, 14))


def _thing(dice: Dice, edge: float, middle: float) -> tuple[Mask, Floats]:
    """A bottle, a phone, a strap."""
    shape = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    wide, high = dice.between(0.4, 2) * DIGIT, dice.between(0.4, 3) * DIGIT
    centre = (edge - wide, middle + dice.between(-0.8, 0.8) * DIGIT)
    corners = cv2.boxPoints((centre, (2 * wide, 2 * high), dice.between(-40, 40)))
    cv2.fillPoly(shape, [np.round(corners).astype(np.int32)], 255)
    return shape > 0, _rounded(dice, shape, dice.dark() if dice.happens(0.6) else dice.colour())


def _limb(shape: Pixels, start: Point, end: Point, thick: float) -> None:
    points = [(round(float(x)), round(float(y))) for x, y in (start, end)]
    cv2.line(shape, points[0], points[1], 255, max(2, round(thick)))


def _rounded(dice: Dice, shape: Pixels, colour: Colour) -> Floats:
    """The colour, darker towards the shape's edge."""
    inside = cv2.distanceTransform(shape, cv2.DIST_L2, 3)
    dim = dice.between(0.1, 0.5) * np.exp(-inside / dice.between(1.5, 8))
    return np.asarray(_plain(colour) * (1 - dim)[..., None], dtype=np.float32)
