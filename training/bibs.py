"""Bibs: a number on paper, with what organisers print around it, on a body that is round."""

from __future__ import annotations

import math
import string
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fotofinish.arrays import Floats
from training.dice import Colour, Dice
from training.scenes import DIGIT, HEIGHT, WIDTH, shadowed

# how many numbers of 1 to 5 digits there are
LENGTHS, SHARES = (1, 2, 3, 4, 5), [0.04, 0.11, 0.28, 0.35, 0.22]
# ink and paper differ by so much light (0 to 255), or nobody could read it
LEAST_CONTRAST = 60.0
LIGHT = np.array([0.3, 0.59, 0.11])
# more than this (radians) of a body's side is not seen
MOST_TURNED = 1.4
PAD = 3


@dataclass(frozen=True, slots=True)
class Bib:
    """A bib in a scene: each sign's ink (HxW, 0 to 1), and the columns it lies between.

    `top` is the row of the digits' upper edge, `paper` the colour.
    """

    ink: tuple[Floats, ...]
    columns: tuple[tuple[int, int], ...]
    top: int
    paper: Colour


def pin_bib(dice: Dice, scene: Floats, fonts: list[Path]) -> Bib | None:
    """Draw a bib onto the scene; None when it does not fit or could not be read."""
    text = dice.text(string.digits, dice.one_of(LENGTHS, SHARES))
    if dice.happens(0.04):
        text = dice.text("ABCDEFS", 1) + text
    font_file = dice.one_of(fonts)
    paper, ink = _colours(dice)
    if _contrast(paper, ink) < LEAST_CONTRAST:
        return None
    glyphs, total = _glyphs(dice, text, font_file)
    centre = WIDTH / 2 + dice.between(-8, 8)
    left, top = centre - total / 2, round(HEIGHT / 2 - DIGIT / 2 + dice.between(-5, 5))
    bent = _round_a_body(dice, centre, total)
    placed = [_placed(glyph, left + start, top, bent) for start, glyph in glyphs]
    signs = tuple(sign for sign in placed if sign is not None)
    if len(signs) < len(placed):
        return None
    ends = _paper_ends(dice, left, left + total, len(text))
    above, below = dice.between(0.15, 1.6) * DIGIT, dice.between(0.1, 1.4) * DIGIT
    box = (bent(ends[0]), top - above, bent(ends[1]), top + DIGIT + below)
    pixels = _printed(dice, box, top, paper, ink, font_file, fonts)
    printed = np.max(signs, axis=0)[..., None]
    pixels = pixels * (1 - printed) + np.array(ink, dtype=np.float32) * printed
    _pinned(dice, scene, pixels, box)
    return Bib(signs, tuple(map(_extent, signs)), top, paper)


def _colours(dice: Dice) -> tuple[Colour, Colour]:
    """Of paper and ink: mostly dark on pale, now and then light on dark."""
    if dice.happens(0.07):
        return dice.dark(), dice.pale() if dice.happens(0.6) else dice.colour()
    paper = dice.pale() if dice.happens(0.72) else dice.colour()
    return paper, dice.dark() if dice.happens(0.6) else dice.colour()


def _contrast(one: Colour, other: Colour) -> float:
    return abs(float(np.dot(np.array(one) - np.array(other), LIGHT)))


@lru_cache(maxsize=2000)
def _font(file: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(file, size)


@lru_cache(maxsize=200)
def _size_for(file: Path) -> int:
    """The size at which the font's digits are as high as ours."""
    _, top, _, bottom = _font(file, 200).getbbox("0")
    return round(200 * DIGIT / (bottom - top))


def _glyphs(dice: Dice, text: str, file: Path) -> tuple[list[tuple[float, Floats]], float]:
    """Each sign's start and picture (0 to 1, from the digits' upper edge on), and their length."""
    size = _size_for(file)
    font = _font(file, size)
    _, top, _, _ = font.getbbox("0")
    squeeze, spacing = dice.between(0.75, 1.1), dice.between(-0.02, 0.15) * DIGIT
    glyphs, start = [], 0.0
    for sign in text:
        left, _, right, _ = font.getbbox(sign)
        picture = Image.new("L", (round(right - left) + 2 * PAD, DIGIT + 2 * PAD), 0)
        ImageDraw.Draw(picture).text((PAD - left, PAD - top), sign, 255, font=font)
        wide = max(2, round(picture.width * squeeze))
        narrowed = picture.resize((wide, picture.height), Image.Resampling.BOX)
        ink: Floats = np.asarray(narrowed, np.float32) / np.float32(255)
        glyphs.append((start + (left - PAD) * squeeze, ink))
        start += font.getlength(sign) * squeeze + spacing
    return glyphs, start - spacing


def _round_a_body(dice: Dice, centre: float, total: float) -> Callable[[float], float]:
    """Where a column of flat paper is seen: what is turned away is narrower."""
    if dice.happens(0.4):
        return lambda column: column
    radius, turned = total * dice.between(0.9, 5), dice.between(-0.7, 0.7)

    def bent(column: float) -> float:
        angle = min(max((column - centre) / radius + turned, -MOST_TURNED), MOST_TURNED)
        return centre + radius * (math.sin(angle) - math.sin(turned)) / math.cos(turned)

    return bent


def _placed(glyph: Floats, start: float, top: int, bent: Callable[[float], float]) -> Floats | None:
    """The sign's ink in the scene, None where it does not fit."""
    first, last = bent(start), bent(start + glyph.shape[1])
    narrowed = cv2.resize(
        glyph, (max(2, round(last - first)), glyph.shape[0]), interpolation=cv2.INTER_AREA
    )
    column, row = round(first), top - PAD
    if column < 0 or column + narrowed.shape[1] > WIDTH:
        return None
    ink = np.zeros((HEIGHT, WIDTH), dtype=np.float32)
    ink[row : row + narrowed.shape[0], column : column + narrowed.shape[1]] = narrowed
    return ink


def _extent(ink: Floats) -> tuple[int, int]:
    (columns,) = np.nonzero(ink.max(axis=0) > 0.4)
    return (int(columns[0]), int(columns[-1]) + 1) if len(columns) else (0, 1)


def _paper_ends(dice: Dice, left: float, right: float, digits: int) -> tuple[float, float]:
    """Numbers fill their paper, or nearly, or stand on the paper of longer ones; mostly centred."""
    margin = dice.between(*dice.one_of(((-0.02, 0.15), (0.1, 0.5), (0.05, 2.0))))
    if dice.happens(0.3):
        margin += 0.3 * max(0, LENGTHS[-1] - digits)
    moved = dice.about(0.12) if dice.happens(0.5) else 0.0
    return left - max(margin - moved, -0.02) * DIGIT, right + max(margin + moved, -0.02) * DIGIT


def _printed(
    dice: Dice,
    box: tuple[float, float, float, float],
    top: int,
    paper: Colour,
    ink: Colour,
    font_file: Path,
    fonts: list[Path],
) -> Floats:
    """The paper with a sponsor above, small print below, logos, and a panel behind the number."""
    left, upper, right, lower = box
    page = Image.new("RGB", (WIDTH, HEIGHT), paper)
    draw = ImageDraw.Draw(page)
    if top - upper > 0.45 * DIGIT and dice.happens(0.75):
        high = min(top - upper - 0.1 * DIGIT, dice.between(0.3, 1.1) * DIGIT)
        bar = dice.colour() if dice.happens(0.7) else paper
        draw.rectangle((left, upper, right, upper + high), bar)
        font = _font(
            font_file if dice.happens(0.5) else dice.one_of(fonts),
            max(5, round(high * dice.between(0.5, 0.95))),
        )
        colour = dice.pale() if dice.happens(0.6) else dice.colour()
        draw.text((dice.between(left, (left + right) / 2), upper), _word(dice, 12), colour, font)
    row = top + dice.between(1.08, 1.4) * DIGIT
    if dice.happens(0.35) and lower > row:
        draw.rectangle((left, row, right, lower), dice.colour())
    while row < lower - 3 and dice.happens(0.85):
        font = _font(dice.one_of(fonts), dice.whole(4, DIGIT // 2))
        colour = dice.dark() if dice.happens(0.7) else dice.colour()
        draw.text((dice.between(left, (left + right) / 2), row), _word(dice, 24), colour, font)
        row += 1.2 * font.size
    for _ in range(dice.whole(0, 3)):
        size = dice.between(0.1, 0.35) * DIGIT
        x = dice.between(left, right)
        y = upper if dice.happens(0.5) else top + DIGIT + 2 * size
        draw.ellipse((x - size, y - size, x + size, y + size), dice.colour())
    if dice.happens(0.2):  # a mark or a stripe beside the number
        for column, inwards in ((left, 1), (right, -1)):
            if dice.happens(0.6):
                _mark(dice, draw, column, inwards, top)
    panel = dice.colour()
    if dice.happens(0.15) and _contrast(panel, ink) >= LEAST_CONTRAST:
        more = dice.between(0.05, 0.3) * DIGIT
        draw.rectangle((left, top - more, right, top + DIGIT + more), panel)
    if dice.happens(0.25):
        draw.rectangle(box, outline=dice.colour(), width=dice.whole(1, 4))
    return np.asarray(page, dtype=np.float32)


def _mark(dice: Dice, draw: ImageDraw.ImageDraw, column: float, inwards: int, top: int) -> None:
    """A dot near the paper's end, or a stripe along it; the number is printed over it."""
    wide = dice.between(0.1, 0.5) * DIGIT
    near, far = sorted((column, column + inwards * wide))
    if dice.happens(0.5):
        draw.rectangle((near, 0, far, HEIGHT), dice.colour())
    else:
        upper = top + dice.between(-0.2, 0.8) * DIGIT
        draw.ellipse((near, upper, far, upper + wide), dice.colour())


def _word(dice: Dice, most: int) -> str:
    return dice.text(string.ascii_letters + "   ", dice.whole(3, most))


def _pinned(
    dice: Dice, scene: Floats, pixels: Floats, box: tuple[float, float, float, float]
) -> None:
    """Put the paper onto the scene: not quite square, with folds, a shadow and pins."""
    left, upper, right, lower = box
    corners = np.array([(left, upper), (right, upper), (right, lower), (left, lower)])
    corners += [(dice.about(1.1), dice.about(1.1)) for _ in range(4)]
    shape = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    cv2.fillPoly(shape, [np.round(corners * 8).astype(np.int32)], 255, cv2.LINE_AA, 3)
    if dice.happens(0.3):  # round corners
        shape = np.uint8(255) * (cv2.GaussianBlur(shape, (0, 0), dice.between(1.5, 7)) > 127)
    paper: Floats = shape.astype(np.float32) / np.float32(255)
    shade = dice.unevenness(WIDTH, HEIGHT, dice.whole(3, 12), dice.between(0, 18))
    if dice.happens(0.25):  # a sharp fold
        rows, columns = np.arange(HEIGHT)[:, None] - HEIGHT / 2, np.arange(WIDTH)[None]
        beside = columns - dice.between(left, right) - dice.between(-0.4, 0.4) * rows
        fades = np.exp(-np.abs(beside) / dice.between(2, 22))
        fold = np.sign(beside) * fades * dice.between(-40, 40)
        shade = shade + fold[..., None].astype(np.float32)
    if dice.happens(0.3):
        scene[:] = shadowed(dice, scene, paper, moved=3, blur=(0.8, 3.5))
    where = paper[..., None]
    scene[:] = scene * (1 - where) + (pixels + shade) * where
    for column in (left + 0.2 * DIGIT, right - 0.2 * DIGIT):
        if dice.happens(0.3):
            cv2.circle(scene, (round(column), round(upper + 0.2 * DIGIT)), 1, dice.dark(), -1)
