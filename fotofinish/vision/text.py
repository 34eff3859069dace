"""Text in photos: where it is and what it says, on the PP-OCR models.

Knows pixels and signs, nothing of bibs: which text is a number that a person wears is decided in
`fotofinish/bibs/plausibility.py`. It reads single lines of up to about ten signs, as bibs have
them; long lines (addresses, slogans) are passed over.

Detection is Differentiable Binarization (Liao et al., AAAI 2020), recognition a network with CTC
output (Graves et al., ICML 2006), from PP-OCRv5 and v6; the steps around them are our own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import openvino as ov
from openvino import opset13
from openvino.preprocess import PrePostProcessor

from fotofinish.vision.paper import paper_beside
from fotofinish.vision.quads import Floats, Pixels, quads_from, side, straightened, stretched
from fotofinish.vision.registry import model_path

Box = tuple[float, float, float, float]
# a text and the confidence of each of its signs
Line = tuple[str, tuple[float, ...]]

# two detectors, because each finds text that the other does not: together they miss half as much
DETECTOR, CLOSE_DETECTOR = "ppocrv6-det", "ppocrv5-det"
# v6 at 1280 finds what v5 finds at 1600, in 0.8 of its time. Photos that have the pixels are looked
# at larger, if there are people so small: the back rows of crowds are legible at 1600
LONG_SIDE, MOST_LONG_SIDE = 1280, 1600
LEAST_LONG_SIDE = 640
# small photos are looked at enlarged: digits of 10 pixels are below what the detector was taught
MOST_ENLARGED = 3.0
SHAPE_STEP = 32
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
LINE_HEIGHT = 48
WIDTH_STEP = 80
LEAST_WIDTH = 160
MOST_WIDTH = 400
BATCH = 8
GREY = 127
# the detector was trained with ImageNet's mean and deviation, in its publisher's BGR order
DETECTOR_MEAN, DETECTOR_DEVIATION = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
LINE_MEAN, LINE_DEVIATION = [127.5] * 3, [127.5] * 3
# of the 18,708 signs that the network knows those that bibs and what is beside them have
SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz:.,-/'°+#%&@()!* "


@dataclass(frozen=True, slots=True)
class TextReading:
    """One line of text.

    `quad` is 4x2 float32, clockwise from the text's own upper left corner, in pixels of what was
    read. `confidence` is the mean of `sign_confidences`, one per sign of `text`. `paper` is how
    far the paper reaches beside it where it reaches less, in heights of the quad, once looked for.
    """

    text: str
    confidence: float
    quad: Floats
    sign_confidences: tuple[float, ...]
    paper: float | None = None


class TextReader:
    """Detector and recogniser, loaded once.

    Raises ModelError when a model is missing or another than we know.
    """

    def __init__(self, threads: int = 1) -> None:
        core = ov.Core()
        settings = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "INFERENCE_PRECISION_HINT": "f32",
        }
        self._detector, self._close_detector = (
            core.compile_model(
                _taking_pixels(
                    core.read_model(model_path(name)), DETECTOR_MEAN, DETECTOR_DEVIATION
                ),
                "CPU",
                settings,
            )
            for name in (DETECTOR, CLOSE_DETECTOR)
        )
        recogniser = core.read_model(model_path("ppocrv6-rec"))
        known = str(recogniser.get_rt_info(["framework", "character"]).value).split("\n")
        recogniser = _taking_pixels(_only(recogniser, known), LINE_MEAN, LINE_DEVIATION)
        self._recogniser = core.compile_model(recogniser, "CPU", settings)

    def read(self, pixels: Pixels, enough: float | None = None) -> list[TextReading]:
        """The lines of text of an upright BGR photo (uint8, HxWx3), looked at as a whole.

        `enough`: the scale at which all that matters is large enough, if that is known.
        """
        height, width = pixels.shape[:2]
        long = max(height, width)
        wanted = LONG_SIDE if enough is None else min(max(LONG_SIDE, long), MOST_LONG_SIDE)
        scale = min(wanted / long, MOST_ENLARGED)
        if enough is not None:
            scale = min(scale, max(enough, LEAST_LONG_SIDE / long))
        rows, columns = (
            max(SHAPE_STEP, round(edge * scale / SHAPE_STEP) * SHAPE_STEP)
            for edge in (height, width)
        )
        kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        looked_at = cv2.resize(pixels, (columns, rows), interpolation=kind)
        factors = np.array([width / columns, height / rows], dtype=np.float32)
        return self._recognise(
            pixels, [quad * factors for quad in _detected(self._detector, looked_at)]
        )

    def read_close_up(self, pixels: Pixels, boxes: Sequence[Box]) -> list[TextReading]:
        """The lines of text inside boxes (x, y, w, h; 4 to 5) of the photo, each looked at alone.

        Finds text that is too small in the whole photo. Quads are in pixels of the photo.
        """
        quads: list[Floats] = []
        for box in boxes:
            factor = box[2] / CLOSE_UP[0]
            corner = np.array(box[:2], dtype=np.float32)
            found = _detected(self._close_detector, _cut(pixels, box))
            quads.extend(quad * factor + corner for quad in found)
        return self._recognise(pixels, quads)

    def look_around(self, pixels: Pixels, readings: Sequence[TextReading]) -> list[TextReading]:
        """The readings with what is beside them: paper, and digits that the detector left out."""
        whole = list(readings)
        numbers = [
            index
            for index, reading in enumerate(readings)
            if reading.text.isdecimal() and len(reading.text) < MOST_DIGITS
        ]
        wide = self._read_lines([_line(pixels, readings[i].quad, WIDE_LOOK) for i in numbers])
        longer = [
            (index, line)
            for index, line in zip(numbers, wide, strict=True)
            if _adds_digits(readings[index].text, line)
        ]
        wider = self._read_lines([_line(pixels, readings[i].quad, WIDER_LOOK) for i, _ in longer])
        for (index, line), (seen, _) in zip(longer, wider, strict=True):
            if line[0] in seen:
                quad = _around(readings[index].quad, readings[index].text, line[0])
                whole[index] = _reading(quad, line)
        return [replace(reading, paper=paper_beside(pixels, reading.quad)) for reading in whole]

    def _recognise(self, pixels: Pixels, quads: Sequence[Floats]) -> list[TextReading]:
        """What the quads of a number's form say; unsure ones are looked at several times."""
        quads = [quad for quad in quads if _legible(quad)]
        first = self._read_lines([_line(pixels, quad, FIRST_LOOK) for quad in quads])
        unsure = [index for index, line in enumerate(first) if _worth_more_looks(line)]
        again = self._read_lines(
            [_line(pixels, quads[index], look) for index in unsure for look in MORE_LOOKS]
        )
        for place, index in enumerate(unsure):
            looks = again[place * len(MORE_LOOKS) : (place + 1) * len(MORE_LOOKS)]
            first[index] = _voted([first[index], *looks])
        return [_reading(quad, line) for quad, line in zip(quads, first, strict=True) if line[0]]

    def _read_lines(self, lines: Sequence[Pixels]) -> list[Line]:
        """The text of each line; wide ones are computed together with wide ones."""
        order = sorted(range(len(lines)), key=lambda index: lines[index].shape[1])
        read: list[Line] = [("", ())] * len(lines)
        for start in range(0, len(order), BATCH):
            part = order[start : start + BATCH]
            outputs = self._recogniser(_batch([lines[index] for index in part]))[0]
            for index, steps in zip(part, outputs, strict=True):
                read[index] = _decoded(steps)
        return read


def _taking_pixels(model: ov.Model, mean: list[float], deviation: list[float]) -> ov.Model:
    """The network with its normalisation built in: it takes uint8 NxHxWx3."""
    steps = PrePostProcessor(model)
    steps.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    steps.input().model().set_layout(ov.Layout("NCHW"))
    steps.input().preprocess().convert_element_type(ov.Type.f32).mean(mean).scale(deviation)
    return steps.build()


def _detected(detector: ov.CompiledModel, pixels: Pixels) -> list[Floats]:
    return quads_from(detector(pixels[None])[0][0, 0])


def _only(recogniser: ov.Model, known: Sequence[str]) -> ov.Model:
    """The recogniser with the probabilities of CTC's blank and of `SIGNS` alone as its output.

    They are still shares of all signs: what looks like no sign of ours gets a low confidence.
    """
    classes = ["", *known, " "]
    columns = np.array([0, *(classes.index(sign) for sign in SIGNS)])
    shares = recogniser.output(0).get_node().input_value(0)
    return ov.Model([opset13.gather(shares, columns, 2)], recogniser.get_parameters())


def _cut(pixels: Pixels, box: Box) -> Pixels:
    """The box's pixels at the size of a close-up; grey where it reaches out of the photo."""
    x, y, w, _ = box
    factor = CLOSE_UP[0] / w
    # warping alone would skip pixels when it shrinks: shrink by area first
    if factor < 0.5:
        pixels = np.asarray(
            cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA),
            dtype=np.uint8,
        )
        x, y, factor = x * factor, y * factor, 1.0
    move = np.array([[factor, 0, -x * factor], [0, factor, -y * factor]])
    part = cv2.warpAffine(
        pixels, move, CLOSE_UP, flags=cv2.INTER_CUBIC, borderValue=(GREY, GREY, GREY)
    )
    return np.asarray(part, dtype=np.uint8)


def _legible(quad: Floats) -> bool:
    high = side(quad, 0, 3)
    return high >= LEAST_HEIGHT and LEAST_ASPECT <= side(quad, 0, 1) / high <= MOST_ASPECT


def _line(pixels: Pixels, quad: Floats, look: tuple[float, float]) -> Pixels:
    return straightened(pixels, stretched(quad, *look), LINE_HEIGHT, MOST_WIDTH)


def _worth_more_looks(line: Line) -> bool:
    text, confidences = line
    return any(sign.isdigit() for sign in text) and min(confidences) < SURE_SIGN


def _adds_digits(text: str, wide: Line) -> bool:
    """Whether the wider look sees more digits at the ends of the number, all of them sure."""
    longer, confidences = wide
    if len(longer) <= len(text) or not longer.isdecimal() or text not in longer:
        return False
    start = longer.index(text)
    added = confidences[:start] + confidences[start + len(text) :]
    return min(added) >= SURE_SIGN


def _around(quad: Floats, text: str, longer: str) -> Floats:
    """The quad of `text` lengthened for the digits that `longer` has at either end."""
    start = longer.index(text)
    long, margins = side(quad, 0, 1), QUAD_MARGIN * 2 * side(quad, 0, 3)
    digit = (quad[1] - quad[0]) * max(long - margins, long / 2) / long / len(text)
    left, right = digit * start, digit * (len(longer) - len(text) - start)
    return np.asarray(quad + np.array([-left, right, right, -left]), dtype=np.float32)


def _reading(quad: Floats, line: Line) -> TextReading:
    text, confidences = line
    return TextReading(text, sum(confidences) / len(confidences), quad, confidences)


def _voted(looks: Sequence[Line]) -> Line:
    """The text with the most confidence in all; each look that read another lowers it."""
    totals: dict[str, float] = {}
    for text, confidences in looks:
        totals[text] = totals.get(text, 0.0) + sum(confidences) / max(len(confidences), 1)
    best = max(totals, key=lambda text: totals[text])
    agreeing = [confidences for text, confidences in looks if text == best]
    return best, tuple(sum(signs) / len(looks) for signs in zip(*agreeing, strict=True))


def _batch(lines: Sequence[Pixels]) -> Pixels:
    """Lines side by side in one array, grey behind the shorter ones, of one of a few widths."""
    widest = max(LEAST_WIDTH, *(line.shape[1] for line in lines))
    width = math.ceil(widest / WIDTH_STEP) * WIDTH_STEP
    batch = np.full((len(lines), LINE_HEIGHT, width, 3), GREY, dtype=np.uint8)
    for row, line in enumerate(lines):
        batch[row, :, : line.shape[1]] = line
    return batch


def _decoded(steps: Floats) -> Line:
    """Best path of CTC (steps x signs); a sign's confidence is that of its surest step."""
    best = steps.argmax(axis=1)
    text: list[str] = []
    confidences: list[float] = []
    before = 0
    for step, sign in enumerate(best):
        if sign and sign != before:
            text.append(SIGNS[sign - 1])
            confidences.append(float(steps[step, sign]))
        elif sign:
            confidences[-1] = max(confidences[-1], float(steps[step, sign]))
        before = sign
    return "".join(text), tuple(confidences)
