"""Texts that may be bib numbers: of their shape, one a place, with the face they hang under.

Knows shapes and places; whether somebody wears the number is `fotofinish/bibs/plausibility.py`'s.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fotofinish.arrays import Box
from fotofinish.bibs.bodies import off_its_place, place_on_body
from fotofinish.bibs.listed import StartList

if TYPE_CHECKING:  # the web process must not load the models' runtime
    from fotofinish.vision.faces import FaceReading
    from fotofinish.vision.text import TextReading

# One to six digits; a category letter may stand before or behind two or more, apart or not. What
# the start list has is a bib of whatever shape
NUMBER = re.compile(r"\d{1,6}|[A-Z]{1,2}[ -]?\d{2,6}|\d{2,6}[ -]?[A-Z]")
# Distances are printed on bibs and banners
DISTANCE = re.compile(r"\d{1,3}[ -]?K")
# Signs of no meaning at the ends: what folds, pins and borders of a bib are read as
FRINGE = " '°*!#"
# Letters are confused with digits (S and 5, B and 8): only sure ones are believed
LEAST_LETTER_CONFIDENCE = 0.95
# How sure every sign of the longer of two looks must be to hold against the shorter: what is at its
# end is a digit then, be it hidden by half, and without it the number is not whole. Of several
# looks that see nothing there it must have so much of the votes, or it sees the paper's edge
LEAST_END_CONFIDENCE, LEAST_END_VOTES = 0.25, 0.25
# A bib hangs between chest and hip. Face boxes are from brow to chin and as wide as the face:
# measured from the face's centre in widths and heights of it, bibs lie within 1 across and 1.2 to
# 4.5 down when upright; the margin is for bent and twisted bodies
MOST_ACROSS = 1.5
LEAST_DOWN, MOST_DOWN = 1.0, 5.5
# Digits are 5 to 10 cm high, a face 18 to 20
LEAST_HEIGHT, MOST_HEIGHT = 0.18, 1.2
# Digits are half as wide as high; "1" is narrower, the quad's margin makes short numbers wider
LEAST_DIGIT_ASPECT, MOST_DIGIT_ASPECT = 0.25, 1.2
# A quad is a quarter of its height larger than its digits on each side: when it reaches out of the
# photo further than this, digits are cut
MOST_BEYOND_EDGE = 0.15


@dataclass(frozen=True, slots=True)
class Candidate:
    """A text of the shape of a bib number, and the face (its place in the list) above it.

    `confidences` has one for each sign of `bib`; `reading` is the place of the text it was read in;
    `paper` and `hidden` as there.
    """

    bib: str
    confidence: float
    confidences: tuple[float, ...]
    weakest: float
    box: Box
    height: float
    reading: int
    paper: float | None
    hidden: float | None
    face: int | None = None

    @property
    def area(self) -> float:
        """Of its box, in pixels."""
        return self.box[2] * self.box[3]


def candidates_from(
    readings: Sequence[TextReading],
    faces: Sequence[FaceReading],
    width: int,
    height: int,
    start_list: StartList | None = None,
) -> list[Candidate]:
    """The numbers of a photo of `width` by `height` pixels, one a place, with their faces."""
    shaped = shaped_from(readings, width, height, start_list)
    return [placed(candidate, faces) for candidate in _voted(shaped)]


def shaped_from(
    readings: Sequence[TextReading],
    width: int,
    height: int,
    start_list: StartList | None = None,
) -> list[Candidate]:
    """Every text that has the shape of a number; several of one place, if it was read so often."""
    shaped = (
        _shaped(index, reading, width, height, start_list) for index, reading in enumerate(readings)
    )
    return [candidate for candidate in shaped if candidate is not None]


def placed(candidate: Candidate, faces: Sequence[FaceReading]) -> Candidate:
    """The candidate with the face that it hangs under best, if any."""
    best, least = None, float("inf")
    for index, face in enumerate(faces):
        across, down = place_on_body(face.box, candidate.box)
        if not (across <= MOST_ACROSS and LEAST_DOWN <= down <= MOST_DOWN):
            continue
        if not LEAST_HEIGHT <= candidate.height / face.box[3] <= MOST_HEIGHT:
            continue
        distance = off_its_place(across, down)
        if distance < least:
            best, least = index, distance
    return replace(candidate, face=best)


def same_place(one: Box, other: Box) -> bool:
    """Whether two boxes lie on each other for the greater part of the smaller."""
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if across <= 0 or down <= 0:
        return False
    return across * down > 0.5 * min(one[2] * one[3], other[2] * other[3])


def box_of(reading: TextReading) -> Box:
    """The upright rectangle around the text."""
    (left, top), (right, bottom) = reading.quad.min(axis=0), reading.quad.max(axis=0)
    return (float(left), float(top), float(right - left), float(bottom - top))


def _shaped(
    place: int, reading: TextReading, width: int, height: int, start_list: StartList | None
) -> Candidate | None:
    """The reading as a candidate, if it has a bib's shape and is not cut by the photo's edge."""
    text = reading.text.upper()
    start = len(text) - len(text.lstrip(FRINGE))
    text = text.strip(FRINGE)
    if not _is_number(text) and not (start_list and _is_listed(text, start_list)):
        return None
    confidences = reading.sign_confidences[start : start + len(text)]
    letters = [sure for sign, sure in zip(text, confidences, strict=True) if sign.isalpha()]
    if letters and min(letters) < LEAST_LETTER_CONFIDENCE:
        return None
    high = float(np.linalg.norm(reading.quad[3] - reading.quad[0]))
    long = float(np.linalg.norm(reading.quad[1] - reading.quad[0]))
    aspect = long / max(high, 1.0) / len(text)
    if not LEAST_DIGIT_ASPECT <= aspect <= MOST_DIGIT_ASPECT:
        return None
    x, y, w, h = box = box_of(reading)
    margin = MOST_BEYOND_EDGE * high
    if min(x, y) < -margin or x + w > width + margin or y + h > height + margin:
        return None
    return Candidate(
        text,
        confidence=sum(confidences) / len(confidences),
        confidences=confidences,
        weakest=min(confidences),
        box=box,
        height=high,
        reading=place,
        paper=reading.paper,
        hidden=reading.hidden,
    )


def _is_number(text: str) -> bool:
    return bool(NUMBER.fullmatch(text)) and not DISTANCE.fullmatch(text)


def _is_listed(text: str, start_list: StartList) -> bool:
    """Whether the list has the text; numbers only as they are: `12-34` may be an age."""
    bib = start_list.written(text)
    return bib == text or (bib is not None and not _is_number(bib))


def _voted(candidates: Sequence[Candidate]) -> list[Candidate]:
    """One candidate a place: several looks at the same text become the one most agree on.

    Every sign counts, because a look rather misses signs than makes them up.
    """
    left = sorted(candidates, key=lambda candidate: -candidate.confidence)
    winners = []
    while left:
        here = [other for other in left if same_place(left[0].box, other.box)]
        left = [other for other in left if other not in here]
        votes: dict[str, float] = {}
        for candidate in here:
            weight = candidate.confidence * len(candidate.bib)
            votes[candidate.bib] = votes.get(candidate.bib, 0.0) + weight
        bib = max(votes, key=lambda text: votes[text])
        # a look that cut off an end is sure of what is left
        longer = [
            candidate.bib
            for candidate in here
            if len(candidate.bib) > len(bib)
            and (candidate.bib.startswith(bib) or candidate.bib.endswith(bib))
            and candidate.weakest >= LEAST_END_CONFIDENCE
            and votes[candidate.bib] >= LEAST_END_VOTES * votes[bib]
        ]
        bib = max(longer, key=len, default=bib)
        winners.append(_together([candidate for candidate in here if candidate.bib == bib]))
    return winners


def _together(looks: Sequence[Candidate]) -> Candidate:
    """One candidate of looks that read the same: as sure as it is that not all of them are wrong.

    Its weakest sign stays as it is: what hides a sign hides it from all looks.
    """
    # of equally sure ones the widest: what is beside a tight one may be the number's own edge
    best = max(looks, key=lambda look: (round(look.confidence, 2), look.area))
    return replace(
        best,
        confidence=1 - math.prod(1 - look.confidence for look in looks),
        confidences=tuple(map(max, zip(*(look.confidences for look in looks), strict=True))),
        weakest=max(look.weakest for look in looks),
    )
