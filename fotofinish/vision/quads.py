"""Rotated rectangles around text: out of a detector's map, and the pixels inside one.

A quad is 4x2 float32, clockwise from the text's own upper left corner. Steps after Differentiable
Binarization (Liao et al., AAAI 2020); which network gave the map is `fotofinish/vision/text.py`'s.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from fotofinish.arrays import Floats, Pixels, as_pixels

# from the paper: what counts as text, how sure a whole line must be
MASK_LEVEL = 0.3
LEAST_SCORE = 0.5
# the networks learn text shrunken by this much of area by circumference, so it is grown back
GROWTH = 1.6
LEAST_SIDE = 3.0


def quads_from(heat: Floats) -> list[Floats]:
    """The lines of text in a map of the probability of text (HxW, 0 to 1), in its pixels."""
    mask = (heat > MASK_LEVEL).astype(np.uint8)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    quads = []
    for contour in contours:
        centre, (width, height), angle = cv2.minAreaRect(contour)
        if min(width, height) < LEAST_SIDE:
            continue
        if _score(heat, cv2.boxPoints((centre, (width, height), angle))) < LEAST_SCORE:
            continue
        growth = GROWTH * width * height / (width + height)
        quads.append(_rectangle(centre, width + growth, height + growth, angle))
    return quads


def stretched(quad: Floats, ends: float, edges: float) -> Floats:
    """The quad with its ends, and its upper and lower edge, moved out by shares of its height."""
    high = side(quad, 0, 3)
    along = (quad[1] - quad[0]) / max(side(quad, 0, 1), 1e-6) * high * ends
    down = (quad[3] - quad[0]) * edges
    moves = np.array([-along - down, along - down, along + down, down - along])
    return np.asarray(quad + moves, dtype=np.float32)


def straightened(pixels: Pixels, quad: Floats, height: int, most_width: int) -> Pixels:
    """The quad's pixels, upright, `height` high and at most `most_width` wide."""
    long, high = side(quad, 0, 1), max(side(quad, 0, 3), 1.0)
    width = min(most_width, max(8, math.ceil(height * long / high)))
    # large text is straightened at its own size first: warping alone would skip pixels
    factor = max(1.0, high / height)
    size = (round(width * factor), round(height * factor))
    target = np.array([[0, 0], [size[0], 0], size, [0, size[1]]], dtype=np.float32)
    straight = cv2.warpPerspective(
        pixels,
        cv2.getPerspectiveTransform(quad, target),
        size,
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    if factor > 1.0:
        straight = cv2.resize(straight, (width, height), interpolation=cv2.INTER_AREA)
    return as_pixels(straight)


def side(quad: Floats, start: int, end: int) -> float:
    """The distance of two corners."""
    return float(np.linalg.norm(quad[end] - quad[start]))


def _score(heat: Floats, corners: Floats) -> float:
    """The mean of the map inside the corners."""
    x, y, width, height = cv2.boundingRect(corners)
    x, y = max(x, 0), max(y, 0)
    part = heat[y : y + height, x : x + width]
    inside = np.zeros(part.shape, dtype=np.uint8)
    cv2.fillPoly(inside, [np.round(corners - (x, y)).astype(np.int32)], 1)
    return float(cv2.mean(part, inside)[0])


def _rectangle(centre: tuple[float, float], width: float, height: float, angle: float) -> Floats:
    """The corners, with the angle (degrees) turned so that the text stands as upright as it can."""
    while angle > 45:
        angle, width, height = angle - 90, height, width
    while angle <= -45:
        angle, width, height = angle + 90, height, width
    along = np.array([math.cos(math.radians(angle)), math.sin(math.radians(angle))])
    right, below = along * width / 2, np.array([-along[1], along[0]]) * height / 2
    corners = [-right - below, right - below, right + below, below - right]
    return np.asarray(np.array(corners) + centre, dtype=np.float32)
