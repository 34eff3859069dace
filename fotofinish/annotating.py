"""What the machine saw, drawn into the photo: for people who tune an event or look for an error.

Draws and saves; what there is to draw comes from `fotofinish/recognition.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fotofinish.arrays import Box
from fotofinish.errors import InvalidValue
from fotofinish.photos.decoding import Decoded
from fotofinish.recognition import PhotoReading
from fotofinish.vision.faces import FaceReading

# small photos are drawn enlarged to this long side: labels would cover what they are about
LEAST_LONG_SIDE = 1200
# shares of the long side: a label of a 1,600-pixel preview is 24 pixels high, a line 4 thick
LABEL, LINE = 1 / 66, 1 / 400
FACE_LABEL = 0.7  # there are more of them, and they matter less
# in a crowd a label is so many of its heights away at most; then it covers something
MOST_STEPS = 6
# what one of these heights is worth, as a share of a box or label that would be covered
STEP_COST = 0.05
QUALITY = 88
INK = (17, 17, 17)
Colour = tuple[int, int, int]
BIB, FACE, POOR_FACE = (255, 214, 10), (100, 210, 255), (200, 200, 205)


class Annotator:
    """A folder of annotated photos; a file of the photos that are read is never written over."""

    def __init__(self, folder: Path, photos: Iterable[Path]) -> None:
        """Make the folder; raises InvalidValue when that is not possible."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidValue(f"{folder} cannot be made: {error.strerror}.") from None
        self._folder = folder
        self._taken = {photo.resolve() for photo in photos}

    def save(self, photo: Path, decoded: Decoded, reading: PhotoReading) -> Path:
        """Write the photo with what was read of it; returns the file, named after the photo.

        Raises InvalidValue when it cannot be written.
        """
        path = self._free_name(photo.stem)
        try:
            annotated(decoded, reading).save(
                path, "JPEG", quality=QUALITY, icc_profile=decoded.profile
            )
        except OSError as error:
            raise InvalidValue(f"{path} cannot be written: {error.strerror}.") from None
        return path

    def _free_name(self, stem: str) -> Path:
        """A name that no photo of this run has, the same again in the next run."""
        number = 1
        while True:
            suffix = "" if number == 1 else f"-{number}"
            path = (self._folder / f"{stem}{suffix}.jpg").resolve()
            if path not in self._taken:
                self._taken.add(path)
                return path
            number += 1


def annotated(decoded: Decoded, reading: PhotoReading) -> Image.Image:
    """The upright photo with boxes: bibs with number and confidence, faces with score and quality.

    Grey faces are too small, turned or unsure to be matched. Percents throughout.
    """
    image = Image.fromarray(np.ascontiguousarray(decoded.pixels[:, :, ::-1]))
    enlarged = max(1.0, LEAST_LONG_SIDE / max(image.size))
    if enlarged > 1:
        size = (round(image.width * enlarged), round(image.height * enlarged))
        image = image.resize(size, Image.Resampling.BICUBIC)
    across, down = image.width / reading.width, image.height / reading.height
    marks = [
        (_scaled(bib.box, across, down), f"{bib.bib} {bib.confidence:.0%}", BIB)
        for bib in reading.bibs
    ]
    marks += [
        (_scaled(face.box, across, down), _about(face), FACE if _usable(face) else POOR_FACE)
        for face in reading.faces
    ]
    pen = ImageDraw.Draw(image)
    for box, _, colour in marks:
        _frame(pen, max(image.size), box, colour)
    labels: list[Box] = []
    boxes = [box for box, _, _ in marks]
    for box, text, colour in marks:
        labels.append(_label(pen, image.size, box, boxes, labels, text, colour))
    return image


def _usable(face: FaceReading) -> bool:
    return face.embedding is not None


def _about(face: FaceReading) -> str:
    return f"{face.score:.0%} q{face.quality:.0%}"


def _frame(pen: ImageDraw.ImageDraw, long_side: int, box: Box, colour: Colour) -> None:
    """The box with a dark edge around it, so that it shows on every ground."""
    line = max(2, round(long_side * LINE))
    left, top, right, bottom = box
    pen.rectangle((left - 2 * line, top - 2 * line, right + 2 * line, bottom + 2 * line), None, INK)
    pen.rectangle((left - line, top - line, right + line, bottom + line), None, colour, line)


def _label(
    pen: ImageDraw.ImageDraw,
    size: tuple[int, int],
    box: Box,
    boxes: Sequence[Box],
    labels: Sequence[Box],
    text: str,
    colour: Colour,
) -> Box:
    """The text near the box, where it covers least of the boxes and other labels; above, if free.

    A line leads to it where it does not touch its box.
    """
    line = max(2, round(max(size) * LINE))
    font = ImageFont.load_default(max(size) * LABEL * (1.0 if colour == BIB else FACE_LABEL))
    _, _, wide, high = pen.textbbox((0, 0), text, font)
    wide, high = wide + 4 * line, high + 3 * line
    near = (box[0] - 2 * line, box[1] - 2 * line, box[2] + 2 * line, box[3] + 2 * line)
    best, least = (0.0, 0.0, wide, high), math.inf
    for step in range(MOST_STEPS):
        for x, y in _places(near, wide, high, step):
            left = min(max(0.0, x), max(0.0, size[0] - wide))
            place = (left, y, left + wide, y + high)
            if not 0 <= y <= size[1] - high:
                continue
            covered = sum(_covered(place, other) for other in (*boxes, *labels))
            cost = covered + STEP_COST * step
            if cost < least:
                best, least = place, cost
    if _apart(best, near) > 0:
        nearest = [min(max(best[side], near[side]), near[side + 2]) for side in (0, 1)]
        middle = ((best[0] + best[2]) / 2, (best[1] + best[3]) / 2)
        pen.line((*middle, *nearest), INK, 2 * line)
        pen.line((*middle, *nearest), colour, line)
    pen.rectangle(best, colour)
    pen.text((best[0] + 2 * line, best[1] + line), text, INK, font)
    return best


def _places(near: Box, wide: float, high: float, step: int) -> list[tuple[float, float]]:
    """Where a label's corner may be, `step` labels further away: above, below, to the sides."""
    away = high * step
    return [
        *((x, near[1] - high - away) for x in (near[0], near[2] - wide)),
        *((x, near[3] + away) for x in (near[0], near[2] - wide)),
        *(
            (x, y)
            for x in (near[2] + away, near[0] - wide - away)
            for y in (near[1], near[3] - high)
        ),
    ]


def _covered(place: Box, other: Box) -> float:
    """The share of the other one that lies under the place."""
    across = min(place[2], other[2]) - max(place[0], other[0])
    down = min(place[3], other[3]) - max(place[1], other[1])
    area = max(1.0, (other[2] - other[0]) * (other[3] - other[1]))
    return max(0.0, across) * max(0.0, down) / area


def _apart(one: Box, other: Box) -> float:
    """How far apart they are, along the axis on which they are further."""
    across = max(one[0], other[0]) - min(one[2], other[2])
    down = max(one[1], other[1]) - min(one[3], other[3])
    return max(across, down)


def _scaled(box: Box, across: float, down: float) -> Box:
    """x, y, w, h of the original as left, top, right, bottom of the drawing."""
    x, y, w, h = box
    return (x * across, y * down, (x + w) * across, (y + h) * down)
