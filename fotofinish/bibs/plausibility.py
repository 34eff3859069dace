"""From text to bibs: which of the texts in a photo are numbers that people wear.

Knows shapes and places, no pixels: what is read is `fotofinish/vision/text.py`'s.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fotofinish.bibs.startlist_mending import agree
from fotofinish.vision.faces import FaceReading
from fotofinish.vision.text import TextReading

Box = tuple[float, float, float, float]

NUMBER = re.compile(r"[A-Z]{0,2}[ -]?\d{1,6}")
LEAST_CONFIDENCE = 0.8
LEAST_SIGN_CONFIDENCE = 0.5
LEAST_CONFIDENCE_ALONE = 0.9


@dataclass(frozen=True, slots=True)
class BibReading:
    """A bib number on a photo; `box` is x, y, w, h in pixels of what was read."""

    bib: str
    confidence: float
    box: Box


def bibs_from(
    readings: Sequence[TextReading],
    faces: Sequence[FaceReading],
    width: int,
    height: int,
    start_list: frozenset[str] | None,
) -> list[BibReading]:
    """The bibs of a photo of `width` by `height` pixels, each number once, surest first."""
    best: dict[str, BibReading] = {}
    for reading in readings:
        bib = _number(reading)
        if bib is None:
            continue
        if reading.confidence < LEAST_CONFIDENCE:
            continue
        if min(reading.sign_confidences) < LEAST_SIGN_CONFIDENCE:
            continue
        if not _on_a_person(reading, faces) and reading.confidence < LEAST_CONFIDENCE_ALONE:
            continue
        if start_list is not None:
            bib = agree(bib, start_list)
            if bib is None:
                continue
        found = BibReading(bib, reading.confidence, _box(reading))
        if bib not in best or best[bib].confidence < found.confidence:
            best[bib] = found
    return sorted(best.values(), key=lambda bib: -bib.confidence)


def _number(reading: TextReading) -> str | None:
    text = reading.text.strip().upper()
    if not NUMBER.fullmatch(text) or len(re.sub(r"\D", "", text)) < 2:
        return None
    return text


def _on_a_person(reading: TextReading, faces: Sequence[FaceReading]) -> bool:
    centre = reading.quad.mean(axis=0)
    tall = float(np.linalg.norm(reading.quad[3] - reading.quad[0]))
    for face in faces:
        x, y, w, h = face.box
        across = (centre[0] - (x + w / 2)) / w
        down = (centre[1] - (y + h / 2)) / h
        if abs(across) <= 1.5 and 0.8 <= down <= 6 and 0.1 <= tall / h <= 1.5:
            return True
    return False


def _box(reading: TextReading) -> Box:
    (left, top), (right, bottom) = reading.quad.min(axis=0), reading.quad.max(axis=0)
    return (float(left), float(top), float(right - left), float(bottom - top))
