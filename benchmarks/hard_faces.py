"""Faces made hard: small, turned, blurred, badly compressed, behind sunglasses or under a cap.

Made from photos whose face was found while it was easy, so that it is known where to draw. Every
way is the same for the same dice.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import cv2
import numpy as np

from fotofinish.arrays import Pixels, as_pixels
from fotofinish.vision.faces import FaceReading

FACE_HEIGHT = 36
MOST_TURN = 20.0
BLUR = 0.08  # of the face's height: what a runner (4 m/s) moves in 1/250 s
JPEG_QUALITY = 40
Harden = Callable[[Pixels, FaceReading, random.Random], Pixels]


def small(pixels: Pixels, face: FaceReading, dice: random.Random) -> Pixels:
    """The photo shrunken until the face is 36 pixels high."""
    factor = FACE_HEIGHT / face.box[3]
    kind = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return as_pixels(cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=kind))


def turned(pixels: Pixels, face: FaceReading, dice: random.Random) -> Pixels:
    """Turned about the face by up to 20 degrees either way."""
    x, y, w, h = face.box
    matrix = cv2.getRotationMatrix2D(
        (x + w / 2, y + h / 2), dice.uniform(-MOST_TURN, MOST_TURN), 1.0
    )
    size = (pixels.shape[1], pixels.shape[0])
    return as_pixels(
        cv2.warpAffine(
            pixels, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        )
    )


def blurred(pixels: Pixels, face: FaceReading, dice: random.Random) -> Pixels:
    """Smeared along a line of any direction."""
    length = max(3, round(face.box[3] * BLUR))
    kernel = np.zeros((length, length), dtype=np.float32)
    kernel[length // 2] = 1
    middle = ((length - 1) / 2, (length - 1) / 2)
    turn = cv2.getRotationMatrix2D(middle, dice.uniform(0, 180), 1.0)
    kernel = np.asarray(cv2.warpAffine(kernel, turn, (length, length)))
    return as_pixels(cv2.filter2D(pixels, -1, kernel / kernel.sum()))


def compressed(pixels: Pixels, face: FaceReading, dice: random.Random) -> Pixels:
    """As a JPEG of quality 40."""
    _, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return as_pixels(cv2.imdecode(jpeg, cv2.IMREAD_COLOR))


def behind_sunglasses(pixels: Pixels, face: FaceReading, dice: random.Random) -> Pixels:
    """Two dark glasses and a bridge over the eyes, with a little sky in them."""
    drawn = pixels.copy()
    left, right = face.landmarks[0], face.landmarks[1]
    apart = float(np.linalg.norm(right - left))
    angle = float(np.degrees(np.arctan2(right[1] - left[1], right[0] - left[0])))
    for eye in (left, right):
        centre = (round(float(eye[0])), round(float(eye[1] + 0.06 * apart)))
        axes = (round(0.42 * apart), round(0.3 * apart))
        cv2.ellipse(drawn, centre, axes, angle, 0, 360, (28, 24, 22), -1, cv2.LINE_AA)
        glint = (round(0.2 * apart), round(0.06 * apart))
        above = (centre[0], round(centre[1] - 0.14 * apart))
        cv2.ellipse(drawn, above, glint, angle, 0, 360, (110, 96, 84), -1, cv2.LINE_AA)
    ends = [tuple(map(round, map(float, eye))) for eye in (left, right)]
    cv2.line(drawn, ends[0], ends[1], (28, 24, 22), max(1, round(0.08 * apart)), cv2.LINE_AA)
    return drawn


def under_a_cap(pixels: Pixels, face: FaceReading, dice: random.Random) -> Pixels:
    """A cap down to just above the brows, its peak shading the eyes."""
    left, right = face.landmarks[0], face.landmarks[1]
    apart = max(float(np.linalg.norm(right - left)), 1.0)
    along = (right - left) / apart
    up = np.array([along[1], -along[0]])
    middle = (left + right) / 2 + 0.42 * apart * up
    colour = (dice.randrange(30, 200), dice.randrange(30, 200), dice.randrange(30, 200))
    corners = [
        middle - 1.25 * apart * along,
        middle + 1.25 * apart * along,
        middle + 1.05 * apart * along + 1.5 * apart * up,
        middle - 1.05 * apart * along + 1.5 * apart * up,
    ]
    drawn = pixels.copy()
    cv2.fillPoly(drawn, [np.round(corners).astype(np.int32)], colour, cv2.LINE_AA)
    peak = [
        corners[0] - 0.1 * apart * along, corners[1] + 0.1 * apart * along,
        corners[1] + 0.22 * apart * up, corners[0] + 0.22 * apart * up,
    ]  # fmt: skip
    dark = tuple(channel // 2 for channel in colour)
    cv2.fillPoly(drawn, [np.round(peak).astype(np.int32)], dark, cv2.LINE_AA)
    shade = np.zeros(pixels.shape[:2], dtype=np.uint8)
    below = [corners[0], corners[1], corners[1] - 0.5 * apart * up, corners[0] - 0.5 * apart * up]
    cv2.fillPoly(shade, [np.round(below).astype(np.int32)], 1)
    return as_pixels(np.where(shade[..., None] > 0, drawn * 0.65, drawn))


def all_at_once(pixels: Pixels, face: FaceReading, dice: random.Random) -> Pixels:
    """Glasses or a cap, turned, small, blurred, compressed."""
    pixels = dice.choice((behind_sunglasses, under_a_cap))(pixels, face, dice)
    pixels = small(turned(pixels, face, dice), face, dice)
    length = FACE_HEIGHT * BLUR
    kernel = np.full((1, max(3, round(length))), 1 / max(3, round(length)), dtype=np.float32)
    pixels = as_pixels(cv2.filter2D(pixels, -1, kernel if dice.random() < 0.5 else kernel.T))
    return compressed(pixels, face, dice)


HARD: dict[str, Harden] = {
    "36 pixels high": small,
    "turned by up to 20 degrees": turned,
    "motion blur": blurred,
    "JPEG quality 40": compressed,
    "sunglasses": behind_sunglasses,
    "cap": under_a_cap,
    "all at once": all_at_once,
}
