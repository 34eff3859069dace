"""Runners, drawn from the front: limbs with soft shading, a singlet, and a bib pinned to it.

All lengths are in heads (the height of the head, chin to crown); the origin is the chin, x to the
right and y down.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from fotofinish.arrays import Floats, Pixels
from fotofinish.demo.portrait import Head

Colour = tuple[float, float, float]

SIZE = (4.6, 9.0)  # the canvas of one runner
CHIN = (2.3, 1.35)  # where the chin lies on it
BIB_SIZE = (1.34, 1.0)
BIB_CENTRE = (0.0, 1.66)
SKINS: tuple[Colour, ...] = ((122, 158, 208), (84, 120, 176), (60, 86, 132), (140, 176, 222))
HAIRS: tuple[Colour, ...] = ((24, 28, 40), (38, 60, 96), (70, 120, 170), (20, 20, 22))


@dataclass(frozen=True, slots=True)
class Look:
    """What tells one runner from another; colours are BGR."""

    bib: str | None
    singlet: Colour
    shorts: Colour
    portrait: bool
    person: int


def draw_runner(
    look: Look, head: Head, unit: float, event: str, chance: random.Random
) -> tuple[Pixels, Floats]:
    """A runner whose head is `unit` pixels high: BGR pixels and alpha (0 to 1)."""
    canvas = _Canvas(unit)
    skin = head.skin if look.portrait else SKINS[look.person % len(SKINS)]
    left = chance.random() < 0.5
    side = 1 if left else -1
    shoe = (60, 60, 230) if look.person % 2 else (230, 160, 40)
    _leg(canvas, skin, shoe, -side, lifted=True)
    _leg(canvas, skin, shoe, side, lifted=False)
    _arm(canvas, skin, -side, ((-0.86, 0.62), (-1.32, 1.75), (-1.22, 2.75)))
    canvas.polygon(
        [(-0.72, 3.25), (0.72, 3.25), (0.86, 4.3), (0.08, 4.3), (0, 3.95), (-0.08, 4.3),
         (-0.86, 4.3)], look.shorts,
    )  # fmt: skip
    canvas.polygon([(-0.26, -0.1), (0.26, -0.1), (0.32, 0.5), (-0.32, 0.5)], skin)
    canvas.polygon(
        [(-0.5, 0.24), (-0.98, 0.52), (-0.86, 1.3), (-0.72, 3.4), (0.72, 3.4), (0.86, 1.3),
         (0.98, 0.52), (0.5, 0.24), (0.24, 0.62), (-0.24, 0.62)], look.singlet,
    )  # fmt: skip
    trim = tuple(min(255.0, channel * 1.25 + 40) for channel in look.singlet)
    canvas.line([(-0.5, 0.24), (-0.24, 0.62), (0.24, 0.62), (0.5, 0.24)], 0.07, trim)
    if look.bib is not None:
        canvas.paste_bib(draw_bib(look.bib, event, chance), chance.uniform(-4, 4))
    _arm(canvas, skin, side, ((-0.86, 0.62), (-1.3, 1.7), (-1.02, 0.72)))
    if look.portrait:
        canvas.paste_head(head, chance.uniform(-6, 6))
    else:
        _drawn_head(canvas, skin, look.person)
    return canvas.pixels.astype(np.uint8), canvas.alpha


def draw_bib(number: str, event: str, chance: random.Random) -> Image.Image:
    """The card: a colour band with the event's name, the number, and a line below."""
    width, height = 536, 400
    card = Image.new("RGB", (width, height), (250, 250, 247))
    draw = ImageDraw.Draw(card)
    draw.rectangle((0, 0, width, 84), fill=(196, 38, 52))
    draw.text((width / 2, 42), event.upper(), (255, 255, 255), ImageFont.load_default(42), "mm")
    size = 190 if len(number) <= 4 else 150
    draw.text(
        (width / 2, 226), number, (18, 18, 24), ImageFont.load_default(size), "mm", stroke_width=7
    )
    draw.text((width / 2, 362), "10 K", (110, 110, 116), ImageFont.load_default(34), "mm")
    for x in (26, width - 26):
        for y in (26, height - 26):
            draw.ellipse((x - 7, y - 7, x + 7, y + 7), fill=(120, 120, 126))
    crease = chance.randint(140, 400)
    shade = Image.new("L", (width, height), 255)
    ImageDraw.Draw(shade).polygon(
        [(crease, 0), (width, 0), (width, height), (crease - 50, height)], fill=232
    )
    return Image.composite(card, Image.new("RGB", card.size, (150, 150, 160)), shade)


def _leg(canvas: _Canvas, skin: Colour, shoe: Colour, side: int, *, lifted: bool) -> None:
    dim = 0.72 if lifted else 1.0
    tone = tuple(channel * dim for channel in skin)
    knee, ankle = ((0.46, 4.9), (0.42, 5.7)) if lifted else ((0.46, 5.2), (0.34, 6.75))
    points = [(side * x, y) for x, y in ((0.38, 3.5), knee, ankle)]
    canvas.limb(points[:2], 0.44, 0.34, tone)
    canvas.limb(points[1:], 0.33, 0.2, tone)
    x, y = points[2]
    foot = [(x - 0.2, y), (x + 0.2, y), (x + 0.25, y + 0.42), (x - 0.25, y + 0.42)]
    canvas.polygon(foot, tuple(channel * dim for channel in shoe))


def _arm(canvas: _Canvas, skin: Colour, side: int, points: tuple[tuple[float, float], ...]) -> None:
    shoulder, elbow, hand = ((-side * x, y) for x, y in points)
    canvas.limb([shoulder, elbow], 0.27, 0.21, skin)
    canvas.limb([elbow, hand], 0.21, 0.15, skin)
    canvas.limb([hand, (hand[0], hand[1] - 0.06)], 0.2, 0.17, skin)


def _drawn_head(canvas: _Canvas, skin: Colour, person: int) -> None:
    """A head seen from behind or under a cap: nobody's face."""
    hair = HAIRS[person % len(HAIRS)]
    canvas.ellipse((0, -0.36), (0.41, 0.54), skin)
    canvas.ellipse((0, -0.46), (0.44, 0.5), hair)
    if person % 2:
        cap = ((200, 120, 30), (60, 60, 200), (70, 160, 60))[person % 3]
        canvas.ellipse((0, -0.62), (0.46, 0.38), cap)
        canvas.polygon([(-0.43, -0.58), (0.43, -0.58), (0.37, -0.4), (-0.37, -0.4)], cap)


class _Canvas:
    """BGR and alpha that parts are painted on, each lit from the upper left."""

    def __init__(self, unit: float) -> None:
        self.unit = unit
        shape = (int(SIZE[1] * unit), int(SIZE[0] * unit))
        self.pixels: Floats = np.zeros((*shape, 3), dtype=np.float32)
        self.alpha: Floats = np.zeros(shape, dtype=np.float32)

    def place(self, points: list[tuple[float, float]]) -> npt.NDArray[np.int32]:
        """Heads to pixels, in sixteenths for OpenCV's `shift`."""
        array = (np.array(points, dtype=np.float32) + CHIN) * self.unit * 16
        return np.round(array).astype(np.int32)

    def polygon(
        self, points: list[tuple[float, float]], colour: Colour | tuple[float, ...]
    ) -> None:
        """A filled polygon with slightly rounded corners."""
        mask = self._mask()
        cv2.fillPoly(mask, [self.place(points)], 255, cv2.LINE_AA, shift=4)
        radius = max(1.0, self.unit * 0.04)
        rounded = cv2.GaussianBlur(mask, (0, 0), radius).astype(np.float32)
        crisp = np.clip((rounded - 127) * 4 + 127, 0, 255) / 255
        self._paint(np.asarray(crisp, dtype=np.float32), colour)

    def limb(
        self, points: list[tuple[float, float]], start: float, end: float, colour: tuple[float, ...]
    ) -> None:
        """A limb that tapers from one radius to another."""
        mask = self._mask()
        (x0, y0), (x1, y1) = points
        for step in np.linspace(0, 1, 24):
            centre = self.place([(x0 + (x1 - x0) * step, y0 + (y1 - y0) * step)])[0]
            radius = round((start + (end - start) * step) / 1.6 * self.unit * 16)
            cv2.circle(mask, tuple(map(int, centre)), radius, 255, -1, cv2.LINE_AA, shift=4)
        self._paint(np.asarray(mask / 255, dtype=np.float32), colour)

    def ellipse(
        self, centre: tuple[float, float], radii: tuple[float, float], colour: tuple[float, ...]
    ) -> None:
        """An upright ellipse."""
        mask = self._mask()
        axes = tuple(round(radius * self.unit * 16) for radius in radii)
        middle = tuple(map(int, self.place([centre])[0]))
        cv2.ellipse(mask, middle, axes, 0, 0, 360, 255, -1, cv2.LINE_AA, shift=4)
        self._paint(np.asarray(mask / 255, dtype=np.float32), colour)

    def line(
        self, points: list[tuple[float, float]], width: float, colour: tuple[float, ...]
    ) -> None:
        """A stripe along points."""
        mask = self._mask()
        thickness = max(1, round(width * self.unit))
        cv2.polylines(mask, [self.place(points)], False, 255, thickness, cv2.LINE_AA, shift=4)
        self._paint(np.asarray(mask / 255, dtype=np.float32), colour)

    def paste_bib(self, card: Image.Image, degrees: float) -> None:
        """Pin the card to the chest, turned a little."""
        pixels = np.asarray(card, dtype=np.uint8)[:, :, ::-1]
        scale = BIB_SIZE[0] * self.unit / pixels.shape[1]
        centre = (pixels.shape[1] / 2, pixels.shape[0] / 2)
        self._warp(
            pixels, np.ones(pixels.shape[:2], np.float32), centre, BIB_CENTRE, scale, degrees
        )

    def paste_head(self, head: Head, degrees: float) -> None:
        """Put the portrait's head on the neck."""
        self._warp(
            head.pixels, head.alpha, head.chin, (0.0, 0.16), 1.1 * self.unit / head.height, degrees
        )

    def _warp(
        self,
        pixels: Pixels,
        alpha: Floats,
        anchor: tuple[float, float],
        target: tuple[float, float],
        scale: float,
        degrees: float,
    ) -> None:
        matrix = cv2.getRotationMatrix2D(anchor, degrees, scale)
        place = (np.array(target) + CHIN) * self.unit
        matrix[:, 2] += place - anchor
        size = (self.alpha.shape[1], self.alpha.shape[0])
        if scale < 0.7:  # shrink by area first: thin strokes would be lost otherwise
            factor = 2 * scale
            smaller = (round(pixels.shape[1] * factor), round(pixels.shape[0] * factor))
            pixels = np.asarray(cv2.resize(pixels, smaller, interpolation=cv2.INTER_AREA))
            alpha = np.asarray(cv2.resize(alpha, smaller))
            matrix[:, :2] /= factor
        warped = cv2.warpAffine(pixels, matrix, size, borderMode=cv2.BORDER_REPLICATE)
        cover = cv2.warpAffine(alpha, matrix, size)
        everywhere = (slice(None), slice(None))
        self._blend(
            np.asarray(warped, dtype=np.float32), np.asarray(cover, dtype=np.float32), everywhere
        )

    def _mask(self) -> Pixels:
        return np.zeros(self.alpha.shape, dtype=np.uint8)

    def _paint(self, cover: Floats, colour: tuple[float, ...]) -> None:
        x, y, width, height = cv2.boundingRect((cover > 0).astype(np.uint8))
        part = cover[y : y + height, x : x + width]
        # the light is smooth: a quarter of the size is enough for it, and 16 times as quick
        radius = self.unit * 0.16 / 4
        small = cv2.resize(part, (max(1, width // 4), max(1, height // 4)))
        small = cv2.GaussianBlur(small, (0, 0), radius, borderType=cv2.BORDER_CONSTANT)
        shift = np.array([[1, 0, radius * 0.9], [0, 1, radius * 0.7]], dtype=np.float32)
        small = cv2.warpAffine(small, shift, (small.shape[1], small.shape[0]))
        lit = cv2.resize(small, (width, height))
        light = np.clip(0.62 + 0.52 * lit, 0, 1.1)[..., None]
        layer = np.clip(light * np.array(colour, dtype=np.float32), 0, 255)
        self._blend(layer, part, (slice(y, y + height), slice(x, x + width)))

    def _blend(self, layer: Floats, cover: Floats, where: tuple[slice, slice]) -> None:
        self.pixels[where] += (layer - self.pixels[where]) * cover[..., None]
        self.alpha[where] = np.maximum(self.alpha[where], cover)
