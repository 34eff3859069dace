"""Text in photos: where it is and what it says, on the PP-OCR models.

Knows pixels and signs, nothing of bibs: which text is a number that a person wears is decided in
`fotofinish/bibs/plausibility.py`. It reads single lines of up to about ten signs, as bibs have
them; long lines (addresses, slogans) are passed over.

Detection is Differentiable Binarization (Liao et al., AAAI 2020), by PP-OCRv5 and v6; the steps
around it are our own. What a line says is `fotofinish/vision/lines.py`'s.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from fotofinish.arrays import Box, Floats, Pixels, as_pixels
from fotofinish.vision.hidden import HiddenDigits
from fotofinish.vision.lines import (
    GREY,
    LINE_HEIGHT,
    READER,
    SECOND_READER,
    Line,
    LineReader,
    voted,
)
from fotofinish.vision.networks import ByShape, Networks
from fotofinish.vision.paper import paper_beside
from fotofinish.vision.quads import quads_from, side, straightened, stretched
from fotofinish.vision.scaling import STEP, on_canvas, resized

# two detectors, because each finds text that the other does not: together they miss half as much
DETECTOR, CLOSE_DETECTOR = "ppocrv6-det", "ppocrv5-det"
# v6 at 1280 finds what v5 finds at 1600, in 0.8 of its time; 800 where that is enough. Photos that
# have the pixels are looked at larger, if there are people so small: the back rows of crowds are
# legible at 1600
LONG_SIDES = (800, 1280, 1600)
ENLARGED_LONG_SIDE = 1280
# small photos are looked at enlarged: digits of 10 pixels are below what the detector was taught
MOST_ENLARGED = 3.0
# of so many shapes (three sizes, upright or not) those used last: 30 MB each
MOST_DETECTORS = 3
CLOSE_UP = (256, 320)
# shorter than this nothing is legible, wider than this (by height) it is no number
LEAST_HEIGHT = 7.0
LEAST_ASPECT, MOST_ASPECT = 0.4, 8.0
# how much of its height a quad is lengthened at its ends and heightened before it is read: the
# detector cuts first and last signs tight. A number of which a sign is unsure is looked at in
# other cuts too: a right reading stays the same, a guess does not
FIRST_LOOK = (0.2, 0.0)
MORE_LOOKS = ((0.0, 0.0), (0.1, -0.08), (0.4, 0.0))
SURE_SIGN = 0.95
# the detector may leave out a whole digit at an end: a number is looked at a digit wider, and what
# that adds is believed when every sign of it is sure and a still wider look sees it too
WIDE_LOOK, WIDER_LOOK = (0.7, 0.0), (1.2, 0.0)
MOST_DIGITS = 6
# a quad is by so much of its height larger than its text, on each side
QUAD_MARGIN = 0.25
# the detector was trained with ImageNet's mean and deviation, in its publisher's BGR order
DETECTOR_MEAN, DETECTOR_DEVIATION = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]


@dataclass(frozen=True, slots=True)
class TextReading:
    """One line of text.

    `quad` is 4x2 float32, clockwise from the text's own upper left corner, in pixels of what was
    read. `confidence` is the mean of `sign_confidences`, one per sign of `text`. Once looked for:
    `paper` is how far the paper reaches beside it where it reaches less, in heights of the quad,
    `hidden` how likely (0 to 1) something in front of it hides more of it.
    """

    text: str
    confidence: float
    quad: Floats
    sign_confidences: tuple[float, ...]
    paper: float | None = None
    hidden: float | None = None


class TextReader:
    """Detector and recogniser, loaded once.

    Raises ModelError when a model is missing or another than we know.
    """

    def __init__(self, networks: Networks | None = None) -> None:
        networks = networks or Networks()
        detector, close_detector = (
            networks.read_for_pixels(name, DETECTOR_MEAN, DETECTOR_DEVIATION)
            for name in (DETECTOR, CLOSE_DETECTOR)
        )
        self._detector = ByShape(networks, detector, MOST_DETECTORS)
        close_detector.reshape([1, *CLOSE_UP[::-1], 3])
        self._close_detector = networks.compile(close_detector)
        self._first = LineReader(networks, READER)
        self._second = LineReader(networks, SECOND_READER)
        self._hidden = HiddenDigits(networks)

    def read(self, pixels: Pixels, enough: float | None = None) -> list[TextReading]:
        """The lines of text of an upright BGR photo (uint8, HxWx3), looked at as a whole.

        `enough`: the scale at which all that matters is large enough, if that is known.
        """
        height, width = pixels.shape[:2]
        columns, rows = _looked_at(width, height, enough)
        looked_at = on_canvas(resized(pixels, columns, rows), LONG_SIDES, GREY)
        heat = self._detector(looked_at)[0][0, 0]
        factors = np.array([width / columns, height / rows], dtype=np.float32)
        return self._recognise(pixels, [quad * factors for quad in quads_from(heat)])

    def read_close_up(self, pixels: Pixels, boxes: Sequence[Box]) -> list[TextReading]:
        """The lines of text inside boxes (x, y, w, h; 4 to 5) of the photo, each looked at alone.

        Finds text that is too small in the whole photo. Quads are in pixels of the photo.
        """
        quads: list[Floats] = []
        for box in boxes:
            factor = box[2] / CLOSE_UP[0]
            corner = np.array(box[:2], dtype=np.float32)
            heat = self._close_detector(_cut(pixels, box)[None])[0][0, 0]
            quads.extend(quad * factor + corner for quad in quads_from(heat))
        return self._recognise(pixels, quads)

    def read_again(self, pixels: Pixels, reading: TextReading) -> TextReading:
        """The reading after another network has read the same, with half of the say each.

        What both read alike is as sure as they are in the mean; of two texts the surer stays, half
        as sure.
        """
        looks = [(reading.quad, look) for look in (FIRST_LOOK, *MORE_LOOKS)]
        first = Line(reading.text, reading.sign_confidences)
        second = voted(_read(self._second, pixels, looks))
        return _reading(reading.quad, voted([first, second]))

    def look_around(self, pixels: Pixels, readings: Sequence[TextReading]) -> list[TextReading]:
        """The readings with digits that the detector left out at their ends."""
        whole = list(readings)
        numbers = [
            index
            for index, reading in enumerate(readings)
            if reading.text.isdecimal() and len(reading.text) < MOST_DIGITS
        ]
        wide = _read(self._first, pixels, [(readings[i].quad, WIDE_LOOK) for i in numbers])
        longer = [
            (index, line)
            for index, line in zip(numbers, wide, strict=True)
            if _adds_digits(readings[index].text, line)
        ]
        wider = _read(self._first, pixels, [(readings[i].quad, WIDER_LOOK) for i, _ in longer])
        for (index, line), wide_line in zip(longer, wider, strict=True):
            if line.text in wide_line.text:
                quad = _around(readings[index].quad, readings[index].text, line.text)
                whole[index] = _reading(quad, line)
        return whole

    def look_at_ends(self, pixels: Pixels, reading: TextReading) -> TextReading:
        """The reading with what is beside it: paper, or something that hides more of it."""
        return replace(
            reading,
            paper=paper_beside(pixels, reading.quad),
            hidden=self._hidden.chance(pixels, reading.quad),
        )

    def _recognise(self, pixels: Pixels, quads: Sequence[Floats]) -> list[TextReading]:
        """What the quads of a number's form say; unsure ones are looked at several times."""
        quads = [quad for quad in quads if _legible(quad)]
        first = _read(self._first, pixels, [(quad, FIRST_LOOK) for quad in quads])
        unsure = [index for index, line in enumerate(first) if _worth_more_looks(line)]
        again = _read(
            self._first, pixels, [(quads[index], look) for index in unsure for look in MORE_LOOKS]
        )
        for place, index in enumerate(unsure):
            looks = again[place * len(MORE_LOOKS) : (place + 1) * len(MORE_LOOKS)]
            first[index] = voted([first[index], *looks])
        return [_reading(quad, line) for quad, line in zip(quads, first, strict=True) if line.text]


def _looked_at(width: int, height: int, enough: float | None) -> tuple[int, int]:
    """How large a photo is looked at."""
    long = max(width, height)
    most = LONG_SIDES[-1] if long > ENLARGED_LONG_SIDE else ENLARGED_LONG_SIDE
    wanted = most if enough is None else min(most, enough * long)
    scale = min(next(side for side in LONG_SIDES if side >= wanted) / long, MOST_ENLARGED)
    columns, rows = (max(STEP, round(edge * scale / STEP) * STEP) for edge in (width, height))
    return columns, rows


def _cut(pixels: Pixels, box: Box) -> Pixels:
    """The box's pixels at the size of a close-up; grey where it reaches out of the photo."""
    x, y, w, h = box
    # warping alone would skip pixels when it shrinks: halve first
    while w >= 2 * CLOSE_UP[0]:
        left, top = max(0, int(x)) // 2 * 2, max(0, int(y)) // 2 * 2
        part = pixels[top : math.ceil(y + h) + 2, left : math.ceil(x + w) + 2]
        rows, columns = part.shape[0] // 2, part.shape[1] // 2
        if not rows or not columns:
            break
        pixels = resized(part[: rows * 2, : columns * 2], columns, rows)
        x, y, w, h = (x - left) / 2, (y - top) / 2, w / 2, h / 2
    factor = CLOSE_UP[0] / w
    move = np.array([[factor, 0, -x * factor], [0, factor, -y * factor]])
    part = cv2.warpAffine(
        pixels, move, CLOSE_UP, flags=cv2.INTER_CUBIC, borderValue=(GREY, GREY, GREY)
    )
    return as_pixels(part)


def _legible(quad: Floats) -> bool:
    high = side(quad, 0, 3)
    return high >= LEAST_HEIGHT and LEAST_ASPECT <= side(quad, 0, 1) / high <= MOST_ASPECT


def _read(
    reader: LineReader, pixels: Pixels, looks: Sequence[tuple[Floats, tuple[float, float]]]
) -> list[Line]:
    """What the reader reads in each quad, lengthened and heightened as the look says."""
    lines = [
        straightened(pixels, stretched(quad, *look), LINE_HEIGHT, reader.most_width)
        for quad, look in looks
    ]
    return reader.read(lines)


def _worth_more_looks(line: Line) -> bool:
    return any(sign.isdigit() for sign in line.text) and min(line.confidences) < SURE_SIGN


def _adds_digits(text: str, wide: Line) -> bool:
    """Whether the wider look sees more digits at the ends of the number, all of them sure."""
    longer = wide.text
    if len(longer) <= len(text) or not longer.isdecimal() or text not in longer:
        return False
    start = longer.index(text)
    added = wide.confidences[:start] + wide.confidences[start + len(text) :]
    return min(added) >= SURE_SIGN


def _around(quad: Floats, text: str, longer: str) -> Floats:
    """The quad of `text` lengthened for the digits that `longer` has at either end."""
    start = longer.index(text)
    long, margins = side(quad, 0, 1), QUAD_MARGIN * 2 * side(quad, 0, 3)
    digit = (quad[1] - quad[0]) * max(long - margins, long / 2) / long / len(text)
    left, right = digit * start, digit * (len(longer) - len(text) - start)
    return np.asarray(quad + np.array([-left, right, right, -left]), dtype=np.float32)


def _reading(quad: Floats, line: Line) -> TextReading:
    mean = sum(line.confidences) / len(line.confidences)
    return TextReading(line.text, mean, quad, line.confidences)
