"""From text to bibs: which of the texts in a photo are numbers that people wear.

Knows shapes and places, no pixels: the text comes from `fotofinish/vision/text.py`, the faces from
`fotofinish/vision/faces.py`. `docs/recognition.md` says where the figures come from.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fotofinish.bibs.mending import agreed

if TYPE_CHECKING:  # the web process must not load the models' runtime
    from fotofinish.vision.faces import FaceReading
    from fotofinish.vision.text import TextReading

Box = tuple[float, float, float, float]

# One to six digits; a category letter may stand before or behind two or more, apart or not
NUMBER = re.compile(r"#?(?P<bib>\d{1,6}|[A-Z]{1,2}[ -]?\d{2,6}|\d{2,6}[ -]?[A-Z])")
# Signs of no meaning at the ends: what folds, pins and borders of a bib are read as
FRINGE = " '°*!#"
# The fewer the digits, the likelier is a fragment of something else, or mere texture: the least
# confidence (mean, weakest sign) of numbers of one, two, and three and more digits
LEAST_CONFIDENCE = {1: (0.98, 0.98), 2: (0.95, 0.9)}
# (three of four looks agree: see MORE_LOOKS in vision/text.py)
LEAST_CONFIDENCE_LONG = (0.65, 0.5)
# Letters are confused with digits (S and 5, B and 8): only sure ones are believed
LEAST_LETTER_CONFIDENCE = 0.95
# Without a face there is less reason to believe; people are seen from behind or the side, though
LEAST_CONFIDENCE_ALONE = 0.95
LEAST_DIGITS_ALONE = 2
# A number that is on the start list is believed sooner, but only when the list has few of all the
# numbers of its length: a list of half of them agrees with every second misreading
LEAST_CONFIDENCE_LISTED = 0.5
MOST_OF_ALL_NUMBERS = 0.1
# Only a number with an unsure sign is mended: one that was read well is another than all listed
MENDED_BELOW = 0.95
# How sure every sign of the longer of two looks must be to be believed over the shorter
LEAST_END_CONFIDENCE = 0.8
# A bib hangs between chest and hip. Face boxes are from brow to chin and as wide as the face:
# measured from the face's centre in widths and heights of it, bibs lie within 1 across and 1.2 to
# 4.5 down when upright; the margin is for bent and twisted bodies
MOST_ACROSS = 1.5
LEAST_DOWN, MOST_DOWN = 1.0, 5.5
# Digits are 5 to 10 cm high, a face 18 to 20
LEAST_HEIGHT, MOST_HEIGHT = 0.18, 1.2
# What is looked at closer, in heights of the face: four and a half wide (256 pixels of 56 a face:
# digits of 25, the detector's best), from the collar down
TORSO_WIDTH, TORSO_TOP = 256 / 56, 0.8
# A face so high has digits of 12 to 35 pixels below it, which are found in the whole photo
ENOUGH_FACE = 64.0
# Digits are half as wide as high; "1" is narrower, the quad's margin makes short numbers wider
LEAST_DIGIT_ASPECT, MOST_DIGIT_ASPECT = 0.25, 1.2
# A quad is a quarter of its height larger than its digits on each side: when it reaches out of the
# photo further than this, digits are cut
MOST_BEYOND_EDGE = 0.15
# Somebody whose number is this much smaller than the largest is three times further away: legible
# by chance, in the background
LEAST_OF_LARGEST = 1 / 3
# A number shorter than another counts when it is at least this large beside it: see _whole
LEAST_OF_LONGER = 0.5
# What else is printed on a bib has at most half the height, and so at most this area
LEAST_OF_SAME_PERSON = 0.4


@dataclass(frozen=True, slots=True)
class BibReading:
    """A bib number on a photo; `box` is x, y, w, h in pixels of what was read."""

    bib: str
    confidence: float
    box: Box


@dataclass(frozen=True, slots=True)
class Candidate:
    """A text of the shape of a bib number, and the face (its place in the list) above it."""

    bib: str
    confidence: float
    weakest: float
    box: Box
    height: float
    face: int | None = None

    @property
    def area(self) -> float:
        """Of its box, in pixels."""
        return self.box[2] * self.box[3]


def bibs_from(
    readings: Sequence[TextReading],
    faces: Sequence[FaceReading],
    width: int,
    height: int,
    start_list: frozenset[str] | None,
) -> list[BibReading]:
    """The bibs of a photo of `width` by `height` pixels, each number once, surest first.

    With a start list, only numbers on it come out, in the list's own writing; without one, `None`.
    """
    shaped = [found for reading in readings if (found := _shaped(reading, width, height))]
    voted = _voted(shaped)
    placed = [_placed(candidate, faces) for candidate in voted]
    worn = [
        candidate
        for candidate in placed
        if candidate.face is not None or _stands_alone(candidate, readings)
    ]
    sure = _whole([candidate for candidate in worn if _sure(candidate)])
    if start_list is not None:
        sure = _listed(worn, sure, start_list)
    return _each_once(_prominent(_one_a_person(sure)))


def enough_scale(faces: Sequence[FaceReading]) -> float | None:
    """How much larger or smaller the photo may be looked at, for the bibs of these people.

    None without faces. People so small that their number would not count are disregarded.
    """
    heights = [face.box[3] for face in faces]
    if not heights:
        return None
    least = LEAST_OF_LARGEST * max(heights)
    return ENOUGH_FACE / min(height for height in heights if height >= least)


def torsos_without_number(
    readings: Sequence[TextReading], faces: Sequence[FaceReading], width: int, height: int
) -> list[Box]:
    """Where to look closer: the chests (x, y, w, h, 4 to 5) of people of whom no number was read.

    Leaves out people so small that their number would not count, and chests outside the photo.
    """
    shaped = [found for reading in readings if (found := _shaped(reading, width, height))]
    numbered = {_placed(candidate, faces).face for candidate in shaped if _sure(candidate)}
    least = LEAST_OF_LARGEST * max((face.box[3] for face in faces), default=0.0)
    torsos = []
    for index, face in enumerate(faces):
        x, y, w, h = face.box
        if index in numbered or h < least or y + (1 + LEAST_DOWN) * h > height:
            continue
        wide = TORSO_WIDTH * h
        torsos.append((x + w / 2 - wide / 2, y + TORSO_TOP * h, wide, wide * 5 / 4))
    return torsos


def _shaped(reading: TextReading, width: int, height: int) -> Candidate | None:
    """The reading as a candidate, if it has a bib's shape and is not cut by the photo's edge."""
    text = reading.text.upper()
    start = len(text) - len(text.lstrip(FRINGE))
    text = text.strip(FRINGE)
    match = NUMBER.fullmatch(text)
    if match is None:
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
    x, y, w, h = box = _box(reading)
    margin = MOST_BEYOND_EDGE * high
    if min(x, y) < -margin or x + w > width + margin or y + h > height + margin:
        return None
    mean = sum(confidences) / len(confidences)
    return Candidate(match["bib"], mean, min(confidences), box, high)


def _voted(candidates: Sequence[Candidate]) -> list[Candidate]:
    """One candidate a place: several looks at the same text become the one most agree on.

    Every sign counts, because a look rather misses signs than makes them up.
    """
    left = sorted(candidates, key=lambda candidate: -candidate.confidence)
    winners = []
    while left:
        here = [other for other in left if _same_place(left[0].box, other.box)]
        left = [other for other in left if other not in here]
        votes: dict[str, float] = {}
        for candidate in here:
            weight = candidate.confidence * len(candidate.bib)
            votes[candidate.bib] = votes.get(candidate.bib, 0.0) + weight
        bib = max(votes, key=lambda text: votes[text])
        # a look that cut off an end is sure of what is left: the longer of two sure ones is right
        longer = [
            candidate.bib
            for candidate in here
            if len(candidate.bib) > len(bib)
            and (candidate.bib.startswith(bib) or candidate.bib.endswith(bib))
            and candidate.weakest >= LEAST_END_CONFIDENCE
        ]
        bib = max(longer, key=len, default=bib)
        winners.append(
            max(
                (candidate for candidate in here if candidate.bib == bib),
                key=lambda candidate: candidate.confidence,
            )
        )
    return winners


def _placed(candidate: Candidate, faces: Sequence[FaceReading]) -> Candidate:
    """The candidate with the face that it hangs under best, if any."""
    x, y, w, h = candidate.box
    best, least = None, float("inf")
    for index, face in enumerate(faces):
        left, top, wide, high = face.box
        across = abs(x + w / 2 - left - wide / 2) / wide
        down = (y + h / 2 - top - high / 2) / high
        if not (across <= MOST_ACROSS and LEAST_DOWN <= down <= MOST_DOWN):
            continue
        if not LEAST_HEIGHT <= candidate.height / high <= MOST_HEIGHT:
            continue
        distance = across + abs(down - 2.5) / 2
        if distance < least:
            best, least = index, distance
    return replace(candidate, face=best)


def _stands_alone(candidate: Candidate, readings: Sequence[TextReading]) -> bool:
    """Whether it looks like a bib without a face: no year, and no part of more text."""
    digits = sum(sign.isdigit() for sign in candidate.bib)
    if digits < LEAST_DIGITS_ALONE or re.fullmatch(r"(19|20)\d\d", candidate.bib):
        return False
    if candidate.confidence < LEAST_CONFIDENCE_ALONE:
        return False
    return not any(_continues(candidate, _box(reading)) for reading in readings if reading.text)


def _continues(candidate: Candidate, box: Box) -> bool:
    """Whether the other text is of one piece with it: of its height, and right beside or below."""
    x, y, w, h = candidate.box
    if _same_place(candidate.box, box) or not 0.6 <= box[3] / h <= 1.6:
        return False
    across = max(box[0] - (x + w), x - (box[0] + box[2]))
    down = max(box[1] - (y + h), y - (box[1] + box[3]))
    return max(across, down) < h and min(across, down) < 0


def _sure(candidate: Candidate) -> bool:
    digits = sum(sign.isdigit() for sign in candidate.bib)
    mean, weakest = LEAST_CONFIDENCE.get(digits, LEAST_CONFIDENCE_LONG)
    return candidate.confidence >= mean and candidate.weakest >= weakest


def _whole(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates without those that are likely parts of numbers.

    People who are half hidden stand behind others: a number with fewer signs than one printed much
    larger in the same photo is rather a part of one than a short one.
    """
    return [
        candidate
        for candidate in candidates
        if not any(
            len(other.bib) > len(candidate.bib)
            and candidate.height < LEAST_OF_LONGER * other.height
            for other in candidates
        )
    ]


def _listed(
    worn: Sequence[Candidate], sure: Sequence[Candidate], start_list: frozenset[str]
) -> list[Candidate]:
    """Of the sure candidates those that the start list knows, mended where one bib can be meant.

    Those that are not sure come in as well when finding them on the list is no chance.
    """
    lengths = Counter(map(len, start_list))
    listed = []
    for candidate in worn:
        if candidate in sure:
            mend = candidate.weakest < MENDED_BELOW
            bib = agreed(candidate.bib, start_list, mend=mend)
        elif candidate.confidence >= LEAST_CONFIDENCE_LISTED:
            length = len(candidate.bib)
            telling = lengths[length] <= MOST_OF_ALL_NUMBERS * 10**length
            bib = agreed(candidate.bib, start_list, mend=False) if telling else None
        else:
            bib = None
        if bib is not None:
            listed.append(replace(candidate, bib=bib))
    return listed


def _one_a_person(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates without those printed much smaller than another under the same face.

    Those are years, kilometres and sponsors. Two of one size stay: somebody without a face may
    stand behind.
    """
    largest: dict[int, float] = {}
    for candidate in candidates:
        if candidate.face is not None:
            largest[candidate.face] = max(largest.get(candidate.face, 0.0), candidate.area)
    return [
        candidate
        for candidate in candidates
        if candidate.face is None
        or candidate.area >= LEAST_OF_SAME_PERSON * largest[candidate.face]
    ]


def _prominent(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates without those far smaller than the largest."""
    largest = max((candidate.height for candidate in candidates), default=0.0)
    return [candidate for candidate in candidates if candidate.height >= LEAST_OF_LARGEST * largest]


def _each_once(candidates: Iterable[Candidate]) -> list[BibReading]:
    best: dict[str, BibReading] = {}
    for candidate in sorted(candidates, key=lambda candidate: -candidate.confidence):
        best.setdefault(
            candidate.bib, BibReading(candidate.bib, candidate.confidence, candidate.box)
        )
    return list(best.values())


def _same_place(one: Box, other: Box) -> bool:
    """Whether two boxes lie on each other for the greater part of the smaller."""
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if across <= 0 or down <= 0:
        return False
    return across * down > 0.5 * min(one[2] * one[3], other[2] * other[3])


def _box(reading: TextReading) -> Box:
    (left, top), (right, bottom) = reading.quad.min(axis=0), reading.quad.max(axis=0)
    return (float(left), float(top), float(right - left), float(bottom - top))
