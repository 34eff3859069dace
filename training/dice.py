"""Chance for drawing: shares, lengths and colours, the same for the same seed."""

from __future__ import annotations

from typing import TypeVar

import cv2
import numpy as np

from fotofinish.arrays import Floats

T = TypeVar("T")
Colour = tuple[int, int, int]

# skin from light to dark, RGB
SKIN: tuple[Colour, ...] = (
    (243, 214, 194),
    (232, 196, 170),
    (222, 178, 148),
    (205, 155, 120),
    (180, 125, 90),
    (140, 92, 64),
    (96, 62, 44),
    (70, 46, 34),
)


class Dice:
    """Everything that is drawn at random."""

    def __init__(self, seed: int) -> None:
        self._chance = np.random.default_rng(seed)

    def between(self, least: float, most: float) -> float:
        """Any number between the two."""
        return float(self._chance.uniform(least, most))

    def whole(self, least: int, most: int) -> int:
        """An integer from `least` to below `most`."""
        return int(self._chance.integers(least, most))

    def about(self, deviation: float) -> float:
        """A number near 0."""
        return float(self._chance.normal(0, deviation))

    def happens(self, share: float) -> bool:
        """Whether something does that happens in this share of all cases."""
        return bool(self._chance.random() < share)

    def one_of(self, values: list[T] | tuple[T, ...], shares: list[float] | None = None) -> T:
        """One of the values, in these shares."""
        return values[int(self._chance.choice(len(values), p=shares))]

    def text(self, signs: str, length: int) -> str:
        """So many of the signs."""
        return "".join(self._chance.choice(list(signs), length))

    def colour(self) -> Colour:
        """Any colour, greys and dull ones more often than glaring ones."""
        if self.happens(0.25):
            grey = self.between(0, 255)
            return self._clipped([grey + self.about(6) for _ in range(3)])
        hsv = [self.between(0, 180), 255 * self._chance.beta(1.3, 1.5), 255 * self.between(0.1, 1)]
        red, green, blue = cv2.cvtColor(np.array([[hsv]], np.uint8), cv2.COLOR_HSV2RGB)[0, 0]
        return int(red), int(green), int(blue)

    def pale(self) -> Colour:
        """The colour of white paper in some light."""
        return self._clipped([self.between(205, 256) for _ in range(3)])

    def dark(self) -> Colour:
        """The colour of black ink or cloth in some light."""
        return self._clipped([self.between(0, 70) for _ in range(3)])

    def skin(self) -> Colour:
        """The colour of an arm in some light."""
        light = self.between(0.75, 1.15)
        return self._clipped([tone * light + self.about(8) for tone in self.one_of(SKIN)])

    def near(self, colour: Colour) -> Colour:
        """A colour that is hardly told from the given one."""
        return self._clipped([tone + self.about(12) for tone in colour])

    def unevenness(self, width: int, height: int, cells: int, strength: float) -> Floats:
        """Smooth noise (HxWx1) with so many cells across: folds, or texture."""
        rows = max(2, cells * height // width)
        coarse = self._chance.normal(0, strength, (rows, max(2, cells))).astype(np.float32)
        smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        return np.asarray(smooth[..., None], dtype=np.float32)

    def noise(self, shape: tuple[int, ...], strength: float) -> Floats:
        """What a camera's sensor adds to every pixel."""
        return self._chance.normal(0, strength, shape).astype(np.float32)

    def _clipped(self, tones: list[float]) -> Colour:
        red, green, blue = (int(min(max(tone, 0), 255)) for tone in tones)
        return red, green, blue
