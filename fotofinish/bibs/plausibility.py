"""From text to bibs: which of the texts in a photo are numbers that people wear.

Knows shapes and places, no pixels: the text comes from `fotofinish/vision/text.py`, the faces from
`fotofinish/vision/faces.py`. `docs/recognition.md` says where the figures come from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fotofinish.arrays import Box
from fotofinish.bibs.candidates import (
    LEAST_DOWN,
    Candidate,
    box_of,
    candidates_from,
    placed,
    same_place,
    shaped_from,
)
from fotofinish.bibs.listed import StartList
from fotofinish.vision.thresholds import MIN_QUALITY

if TYPE_CHECKING:  # the web process must not load the models' runtime
    from fotofinish.vision.faces import FaceReading
    from fotofinish.vision.text import TextReading


# How sure (mean, weakest sign) numbers of one, two, and more digits must be: the fewer there are,
# the likelier is a fragment of something else, or mere texture. Two networks agreeing in three of
# four looks each are sure by 0.75
LEAST_CONFIDENCE = {1: (0.9, 0.9), 2: (0.85, 0.85)}
LEAST_CONFIDENCE_LONG = (0.7, 0.55)
# Without a face there is less reason to believe; people are seen from behind or the side, though
LEAST_CONFIDENCE_ALONE = 0.95
LEAST_DIGITS_ALONE = 2
# Texts overlap by so much of the lower one's height when they stand on one line
SAME_LINE = 0.3
UNITS = {"KM", "K", "M", "MI", "MILE", "MILES"}
# A number that is on the start list is believed sooner, when finding it there is no chance
LEAST_CONFIDENCE_LISTED = 0.5
# Only unsure digits are mended: a number that was read well is another than all listed
MENDED_BELOW = 0.95
# A second network reads numbers with an unsure sign, and all of so few digits
SURE_SIGN, SHORT = 0.95, 2
# What is looked at closer, in heights of the face: four and a half wide (256 pixels of 56 a face:
# digits of 25, the detector's best), from the collar down
TORSO_WIDTH, TORSO_TOP = 256 / 56, 0.8
# What is looked at once more when that showed no number, of people at least half as high as the
# largest: so much less, for bibs that are smaller than others or badly lit
CLOSER, LEAST_CLOSER = 1.7, 1 / 2
# A face so high has digits of 12 to 35 pixels below it, which are found in the whole photo
ENOUGH_FACE = 64.0
# Somebody whose number and face are this much smaller than the largest is three times further away:
# legible by chance, in the background. Folds and tight quads make one number alone look smaller
LEAST_OF_LARGEST = 1 / 3
# A number shorter than another counts when it is at least this large beside it: see _likely_part
LEAST_OF_LONGER = 0.5
# Papers of one race are equally wide, and numbers stand in their middle: each digit fewer leaves
# a quarter of a height of paper at each end. A quarter of that must be seen, since there are folds
# and broad digits; beside parts of numbers there is none. One digit fewer is within what numbers
# differ by
FEWER_DIGITS, LEAST_PAPER = 2, 0.0625
# How likely something must hide digits of a number that is shorter than another: of drawn ends that
# are whole one in a hundred looks so, of real ones too. Alone it is no reason, since numbers that
# fill their paper look alike where an arm is beside them
LIKELY_HIDDEN = 0.75
# A face so small (pixels), or too bad to be matched (covered, blurred), nobody would recognise: its
# owner is background beside somebody whose number is this much larger
LEAST_FACE, LEAST_BESIDE = 32.0, 0.75
# Somebody whose face is that bad because it is turned away by 35 degrees or more (see
# `FaceReading.turned`), or who is seen without any, is not whom a photo is of that shows a larger
# number under a face
TURNED_AWAY = 0.3
# What else is printed on a bib has at most half the height, and so at most this area
LEAST_OF_SAME_PERSON = 0.4


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
    start_list: StartList | None,
) -> list[BibReading]:
    """The bibs of a photo of `width` by `height` pixels, each number once, surest first.

    With a start list, only bibs on it come out, of any shape and in the list's own writing; without
    one, `None`.
    """
    worn = _worn(readings, faces, width, height, start_list)
    sure = _whole(_sure_ones(worn))
    if start_list is not None:
        sure = _listed(worn, sure, start_list)
    return _each_once(_prominent(_one_a_person(sure), faces, height))


def worn_numbers(
    readings: Sequence[TextReading], faces: Sequence[FaceReading], width: int, height: int
) -> list[int]:
    """Which readings (their places) are numbers that people wear, if they are whole."""
    return [candidate.reading for candidate in _worn(readings, faces, width, height)]


def shorter_numbers(
    readings: Sequence[TextReading], faces: Sequence[FaceReading], width: int, height: int
) -> list[int]:
    """Which readings (their places) may be parts of numbers: bibs but for a longer one beside."""
    sure = _sure_ones(_worn(readings, faces, width, height))
    longest = max(map(_digits, sure), default=0)
    return [candidate.reading for candidate in sure if _digits(candidate) < longest]


def enough_scale(faces: Sequence[FaceReading], height: int) -> float | None:
    """How much larger or smaller a photo of this height may be looked at, for these people's bibs.

    None without faces. People so small that their number would not count are disregarded.
    """
    if not faces:
        return None
    least = LEAST_OF_LARGEST * _largest_face(faces, height)
    return ENOUGH_FACE / min(face.box[3] for face in faces if face.box[3] >= least)


def torsos_without_number(
    readings: Sequence[TextReading],
    faces: Sequence[FaceReading],
    width: int,
    height: int,
    *,
    closer: bool = False,
) -> list[Box]:
    """Where to look closer: the chests (x, y, w, h, 4 to 5) of people of whom no number was read.

    Leaves out people so small that their number would not count, and chests outside the photo.
    `closer`: where to look a second time, at less of the larger people.
    """
    shaped = shaped_from(readings, width, height)
    numbered = {placed(candidate, faces).face for candidate in shaped if _sure(candidate)}
    largest = _largest_face(faces, height)
    least = (LEAST_CLOSER if closer else LEAST_OF_LARGEST) * largest
    torsos = []
    for index, face in enumerate(faces):
        x, y, w, h = face.box
        if index in numbered or h < least or not _shows_chest(face, height):
            continue
        wide = TORSO_WIDTH * h / (CLOSER if closer else 1)
        torsos.append((x + w / 2 - wide / 2, y + TORSO_TOP * h, wide, wide * 5 / 4))
    return torsos


def doubtful_numbers(
    readings: Sequence[TextReading], faces: Sequence[FaceReading], width: int, height: int
) -> list[int]:
    """Which readings (their places) may be numbers that people wear, but need a second opinion."""
    worn = _worn(readings, faces, width, height)
    return [
        candidate.reading
        for candidate in shaped_from(readings, width, height)
        if (candidate.weakest < SURE_SIGN or _digits(candidate) <= SHORT)
        and any(same_place(candidate.box, other.box) for other in worn)
    ]


def _worn(
    readings: Sequence[TextReading],
    faces: Sequence[FaceReading],
    width: int,
    height: int,
    start_list: StartList | None = None,
) -> list[Candidate]:
    return [
        candidate
        for candidate in candidates_from(readings, faces, width, height, start_list)
        if candidate.face is not None or _stands_alone(candidate, readings, faces)
    ]


def _stands_alone(
    candidate: Candidate, readings: Sequence[TextReading], faces: Sequence[FaceReading]
) -> bool:
    """Whether it looks like a bib without a face: no year, and no part of more text."""
    if _digits(candidate) < LEAST_DIGITS_ALONE or re.fullmatch(r"(19|20)\d\d", candidate.bib):
        return False
    if candidate.confidence < LEAST_CONFIDENCE_ALONE:
        return False
    return not any(_continues(candidate, reading, faces) for reading in readings if reading.text)


def _continues(candidate: Candidate, reading: TextReading, faces: Sequence[FaceReading]) -> bool:
    """Whether the other text is of one piece with it: of its height, and right beside it.

    Above and below the numbers of bibs stand names and sponsors, and of other numbers their unit.
    Where faces are seen, text there is reason enough: it is rather a clock than somebody's back.
    """
    x, y, w, h = candidate.box
    box = box_of(reading)
    if same_place(candidate.box, box) or not 0.6 <= box[3] / h <= 1.6:
        return False
    across = max(box[0] - (x + w), x - (box[0] + box[2]))
    down = max(box[1] - (y + h), y - (box[1] + box[3]))
    if max(across, down) >= h:
        return False
    if faces:
        return min(across, down) < 0
    return down < -SAME_LINE * min(h, box[3]) or (across < 0 and reading.text.upper() in UNITS)


def _sure(candidate: Candidate) -> bool:
    mean, weakest = LEAST_CONFIDENCE.get(_digits(candidate), LEAST_CONFIDENCE_LONG)
    return candidate.confidence >= mean and candidate.weakest >= weakest


def _sure_ones(candidates: Sequence[Candidate]) -> list[Candidate]:
    return [candidate for candidate in candidates if _sure(candidate)]


def _digits(candidate: Candidate) -> int:
    return sum(sign.isdigit() for sign in candidate.bib)


def _whole(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates without those that are likely parts of numbers."""
    return [
        candidate
        for candidate in candidates
        if not any(_likely_part(candidate, other) for other in candidates)
    ]


def _likely_part(candidate: Candidate, longer: Candidate) -> bool:
    """Whether it is rather what is seen of a number like the other one.

    People who are half hidden stand behind others: a number with fewer digits than one printed much
    larger in the same photo is rather a part of one than a short one. So is one that begins with
    0 where a longer one does not, one at whose end something stands in front, or one that lacks
    the paper of a short one.
    """
    fewer = _digits(longer) - _digits(candidate)
    if fewer <= 0:
        return False
    if candidate.height < LEAST_OF_LONGER * longer.height:
        return True
    if candidate.bib.startswith("0") and not longer.bib.startswith("0"):
        return True
    if candidate.hidden is not None and candidate.hidden >= LIKELY_HIDDEN:
        return True
    if fewer < FEWER_DIGITS or candidate.paper is None:
        return False
    return candidate.paper < LEAST_PAPER * fewer


def _listed(
    worn: Sequence[Candidate], sure: Sequence[Candidate], start_list: StartList
) -> list[Candidate]:
    """Of the sure candidates those that the start list knows, mended where one bib can be meant.

    Those that are not sure come in as well when finding them on the list is no chance.
    """
    listed = []
    for candidate in worn:
        if candidate in sure:
            bib = start_list.agreed(candidate.bib, _unsure_digits(candidate))
        elif candidate.confidence >= LEAST_CONFIDENCE_LISTED:
            bib = start_list.agreed(candidate.bib) if start_list.is_telling(candidate.bib) else None
        else:
            bib = None
        if bib is not None:
            listed.append(replace(candidate, bib=bib))
    return listed


def _unsure_digits(candidate: Candidate) -> list[int]:
    return [
        place
        for place, (sign, sure) in enumerate(zip(candidate.bib, candidate.confidences, strict=True))
        if sign.isdecimal() and sure < MENDED_BELOW
    ]


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


def _prominent(
    candidates: Sequence[Candidate], faces: Sequence[FaceReading], height: int
) -> list[Candidate]:
    """The candidates without those in the background, and those whom the photo is not of."""
    largest = max((candidate.height for candidate in candidates), default=0.0)
    largest_face = _largest_face(faces, height)
    under_a_face = max((one.height for one in candidates if one.face is not None), default=0.0)
    prominent = []
    for candidate in candidates:
        face = None if candidate.face is None else faces[candidate.face]
        near = candidate.height >= LEAST_OF_LARGEST * largest
        near = near or (face is not None and face.box[3] >= LEAST_OF_LARGEST * largest_face)
        if near and candidate.height >= _least_beside(face) * under_a_face:
            prominent.append(candidate)
    return prominent


def _least_beside(face: FaceReading | None) -> float:
    """How high the number of somebody with this face must be, of the largest under a face."""
    if face is None or (face.quality < MIN_QUALITY and face.turned > TURNED_AWAY):
        return 1.0
    if face.quality < MIN_QUALITY or face.box[3] < LEAST_FACE:
        return LEAST_BESIDE
    return 0.0


def _largest_face(faces: Sequence[FaceReading], height: int) -> float:
    """The height of the largest face of whom the photo shows the chest; 0 without any faces.

    Who looks in from the edge can show no number, and makes nobody else the background.
    """
    heights = [face.box[3] for face in faces if _shows_chest(face, height)]
    return max(heights or [face.box[3] for face in faces], default=0.0)


def _shows_chest(face: FaceReading, height: int) -> bool:
    return face.box[1] + (1 + LEAST_DOWN) * face.box[3] <= height


def _each_once(candidates: Iterable[Candidate]) -> list[BibReading]:
    best: dict[str, BibReading] = {}
    for candidate in sorted(candidates, key=lambda candidate: -candidate.confidence):
        best.setdefault(
            candidate.bib, BibReading(candidate.bib, candidate.confidence, candidate.box)
        )
    return list(best.values())
