"""The course: sky, city, trees, spectators and road, out of focus behind the runners."""

from __future__ import annotations

import random
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fotofinish.arrays import Pixels, as_pixels


@dataclass(frozen=True, slots=True)
class Light:
    """The time of day: sky from top to horizon, and what everything is multiplied with (BGR)."""

    top: tuple[int, int, int]
    horizon: tuple[int, int, int]
    tint: tuple[float, float, float]


LIGHTS = (
    Light((214, 160, 92), (240, 226, 204), (1.0, 1.0, 1.0)),
    Light((176, 150, 138), (214, 208, 200), (0.96, 0.93, 0.9)),
    Light((150, 120, 130), (150, 200, 250), (0.82, 0.95, 1.06)),
    Light((222, 178, 120), (236, 230, 220), (1.02, 1.0, 0.97)),
)


def draw_course(width: int, height: int, light: Light, event: str, chance: random.Random) -> Pixels:
    """An empty course, BGR, with the horizon at two fifths of the height."""
    horizon = int(height * 0.4)
    sky = np.linspace(0, 1, horizon)[:, None, None]
    scene = np.zeros((height, width, 3), dtype=np.float32)
    scene[:horizon] = np.array(light.top) * (1 - sky) + np.array(light.horizon) * sky
    road = np.linspace(0, 1, height - horizon)[:, None, None]
    scene[horizon:] = np.array((124, 122, 120)) * (1 - road) + np.array((92, 90, 90)) * road
    canvas = Image.fromarray(np.ascontiguousarray(scene[:, :, ::-1].astype(np.uint8)))
    draw = ImageDraw.Draw(canvas)
    _skyline(draw, width, horizon, chance)
    _greenery(draw, width, horizon, height, chance)
    if chance.random() < 0.6:
        _gantry(draw, width, horizon, event)
    _road_lines(draw, width, horizon, height)
    _spectators(draw, width, horizon, height, chance)
    pixels = as_pixels(canvas)[:, :, ::-1]
    blurred = cv2.GaussianBlur(np.ascontiguousarray(pixels), (0, 0), width / 260)
    return as_pixels(np.clip(blurred * np.array(light.tint), 0, 255))


def finish(pixels: Pixels, chance: random.Random) -> Pixels:
    """What a lens adds: a vignette and a little grain."""
    height, width = pixels.shape[:2]
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    vignette = (1 - 0.16 * (x**2 + y**2)).astype(np.float32)[..., None]
    grain = np.random.default_rng(chance.getrandbits(32)).normal(0, 3.0, (height, width, 1))
    return as_pixels(np.clip(pixels * vignette + grain, 0, 255))


def _skyline(draw: ImageDraw.ImageDraw, width: int, horizon: int, chance: random.Random) -> None:
    x = 0
    while x < width:
        wide = chance.randint(width // 24, width // 10)
        tall = chance.randint(horizon // 6, int(horizon * 0.55))
        grey = chance.randint(150, 190)
        draw.rectangle((x, horizon - tall, x + wide, horizon), fill=(grey - 6, grey, grey + 10))
        for row in range(horizon - tall + 12, horizon - 10, 26):
            for column in range(x + 8, x + wide - 12, 22):
                tone = grey + chance.choice((-22, 18))
                draw.rectangle((column, row, column + 10, row + 14), fill=(tone, tone, tone + 8))
        x += wide + chance.randint(0, width // 40)


def _greenery(
    draw: ImageDraw.ImageDraw, width: int, horizon: int, height: int, chance: random.Random
) -> None:
    draw.polygon(
        [(0, horizon), (width * 0.34, horizon), (-width * 0.1, height)], fill=(96, 132, 78)
    )
    draw.polygon(
        [(width, horizon), (width * 0.66, horizon), (width * 1.1, height)], fill=(92, 128, 74)
    )
    for _ in range(46):
        x = chance.choice((chance.uniform(-0.05, 0.32), chance.uniform(0.68, 1.05))) * width
        size = chance.uniform(0.05, 0.12) * width
        top = horizon - size * chance.uniform(0.3, 1.0)
        tone = chance.randint(-18, 18)
        draw.ellipse((x - size / 2, top, x + size / 2, top + size), fill=(66, 104 + tone, 58))


def _gantry(draw: ImageDraw.ImageDraw, width: int, horizon: int, event: str) -> None:
    left, right, top = width * 0.2, width * 0.8, horizon * 0.22
    for x in (left, right):
        draw.rectangle((x - width * 0.012, top, x + width * 0.012, horizon * 1.35), (52, 56, 66))
    draw.rectangle((left, top, right, top + horizon * 0.3), fill=(196, 38, 52))
    draw.text(
        (width / 2, top + horizon * 0.15), event.upper(), (255, 255, 255),
        ImageFont.load_default(horizon * 0.15), "mm",
    )  # fmt: skip


def _road_lines(draw: ImageDraw.ImageDraw, width: int, horizon: int, height: int) -> None:
    for near, far in ((-0.02, 0.36), (1.02, 0.64)):
        draw.line([(width * far, horizon), (width * near, height)], (226, 226, 220), width // 150)
    steps = np.linspace(0.05, 1.0, 7) ** 2
    for start, end in zip(steps[:-1:2], steps[1::2], strict=False):
        y0, y1 = horizon + (height - horizon) * start, horizon + (height - horizon) * end
        draw.line(
            [(width / 2, y0), (width / 2, y1)], (220, 216, 200), max(3, int(width / 90 * end))
        )


def _spectators(
    draw: ImageDraw.ImageDraw, width: int, horizon: int, height: int, chance: random.Random
) -> None:
    for _ in range(70):
        depth = chance.random() ** 1.6
        edge = 0.34 - 0.4 * depth
        x = (edge - chance.uniform(0.0, 0.22)) * width
        if chance.random() < 0.5:
            x = width - x
        size = (0.022 + 0.06 * depth) * width
        feet = horizon + (height - horizon) * depth * 0.62 + size * 0.6
        colour = tuple(chance.randint(60, 225) for _ in range(3))
        draw.rounded_rectangle(
            (x - size * 0.3, feet - size * 1.6, x + size * 0.3, feet), size * 0.2, fill=colour
        )
        tone = chance.choice(((222, 180, 150), (176, 128, 96), (120, 84, 62)))
        draw.ellipse(
            (x - size * 0.19, feet - size * 2.05, x + size * 0.19, feet - size * 1.6), tone
        )
