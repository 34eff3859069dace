"""What a line of text says: its pixels, upright and of one height, through a PP-OCR recogniser.

Networks with CTC output (Graves et al., ICML 2006) from PP-OCRv5 and v6; where lines are is
`fotofinish/vision/text.py`'s.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import openvino as ov
from openvino import opset13

from fotofinish.arrays import Floats, Pixels
from fotofinish.vision.networks import ByShape, Networks, taking_pixels
from fotofinish.vision.registry import model_path

READER, SECOND_READER = "ppocrv6-rec", "ppocrv5-rec"
SIGNS_OF = {SECOND_READER: "ppocrv5-signs"}  # v6 has its signs in the network's file
LINE_HEIGHT = 48
# the widths that lines are read at, and how many at once: a third less time a line, but 32 MB and
# 0.2 seconds of compiling for each shape. The second reader gets four looks at one number
BATCHES = {READER: {160: 3, 240: 1, 400: 1}, SECOND_READER: {240: 4}}
GREY = 127
MEAN, DEVIATION = [127.5] * 3, [127.5] * 3
# letters look like digits (T and 1, B and 8): what is less sure than this to be any letter may be
# none
SURE_LETTER = 0.95
# of the 18,708 signs that the networks know those that bibs and what is beside them have
SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz:.,-/'°+#%&@()!* "
# their places in the output; the first is CTC's blank
LETTERS = [place for place, sign in enumerate(SIGNS, 1) if sign.isalpha()]


class Line(NamedTuple):
    """A text, the confidence of each of its signs, and what it is if none is a letter."""

    text: str
    confidences: tuple[float, ...]
    without_letters: Line | None = None


class LineReader:
    """One recogniser, loaded once. Raises ModelError."""

    def __init__(self, networks: Networks, name: str) -> None:
        network = networks.read(name)
        if name in SIGNS_OF:
            known = model_path(SIGNS_OF[name]).read_text("utf-8").split("\n")[:-1]
        else:
            known = str(network.get_rt_info(["framework", "character"]).value).split("\n")
        network = taking_pixels(_only(network, known), MEAN, DEVIATION)
        self._batches = BATCHES[name]
        self.most_width = max(self._batches)
        shapes = sum(1 if size == 1 else 2 for size in self._batches.values())
        self._network = ByShape(networks, network, shapes)

    def read(self, lines: Sequence[Pixels]) -> list[Line]:
        """The text of each line (uint8, BGR, `LINE_HEIGHT` high, at most `most_width` wide)."""
        by_width: defaultdict[int, list[int]] = defaultdict(list)
        for index, line in enumerate(lines):
            width = next(width for width in self._batches if width >= line.shape[1])
            by_width[width].append(index)
        read = [Line("", ())] * len(lines)
        for width, indexes in by_width.items():
            for part in _parts(indexes, self._batches[width]):
                outputs = self._network(_batch([lines[index] for index in part], width))[0]
                for index, steps in zip(part, outputs, strict=True):
                    read[index] = _decoded(steps)
        return read


def voted(looks: Sequence[Line]) -> Line:
    """The text with the most confidence in all; each look that read another lowers it.

    Where one look read digits alone, letters that others read unsurely are none.
    """
    without_letters = [look.without_letters or look for look in looks]
    if any(look.text.isdecimal() for look in looks):
        return _voted(without_letters)
    return _voted(looks)._replace(without_letters=_voted(without_letters))


def _voted(looks: Sequence[Line]) -> Line:
    totals: dict[str, float] = {}
    for text, confidences, _ in looks:
        totals[text] = totals.get(text, 0.0) + sum(confidences) / max(len(confidences), 1)
    best = max(totals, key=lambda text: totals[text])
    agreeing = [look.confidences for look in looks if look.text == best]
    return Line(best, tuple(sum(signs) / len(looks) for signs in zip(*agreeing, strict=True)))


def _only(recogniser: ov.Model, known: Sequence[str]) -> ov.Model:
    """The recogniser with the probabilities of CTC's blank and of `SIGNS` alone as its output.

    They are still shares of all signs: what looks like no sign of ours gets a low confidence.
    """
    classes = ["", *known, " "]
    columns = np.array([0, *(classes.index(sign) for sign in SIGNS)])
    shares = recogniser.output(0).get_node().input_value(0)
    return ov.Model([opset13.gather(shares, columns, 2)], recogniser.get_parameters())


def _parts(indexes: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    """Whole parts of a size, the rest one by one."""
    whole = len(indexes) - len(indexes) % size
    for start in range(0, whole, size):
        yield indexes[start : start + size]
    for index in indexes[whole:]:
        yield [index]


def _batch(lines: Sequence[Pixels], width: int) -> Pixels:
    """Lines in one array, grey behind the shorter ones."""
    batch = np.full((len(lines), LINE_HEIGHT, width, 3), GREY, dtype=np.uint8)
    for row, line in enumerate(lines):
        batch[row, :, : line.shape[1]] = line
    return batch


def _decoded(steps: Floats) -> Line:
    """What the steps (steps x signs) say, and what if no sign is a letter, where that may be."""
    line = _best_path(steps)
    if not any(map(str.isalpha, line.text)):
        return line
    letter = steps[:, LETTERS].sum(axis=1, keepdims=True)
    if letter.max() >= SURE_LETTER:
        return line
    others = steps / (1 - letter)
    others[:, LETTERS] = 0
    return line._replace(without_letters=_best_path(others))


def _best_path(steps: Floats) -> Line:
    """Best path of CTC; a sign's confidence is that of its surest step."""
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
    return Line("".join(text), tuple(confidences))
