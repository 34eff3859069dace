"""Which face of a photo wears which of its bibs, by where they are; knows boxes alone.

Says "unclear" rather than guess: what is believed here is evidence about other photos.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fotofinish.arrays import Box
from fotofinish.bibs.bodies import off_its_place, place_on_body

# Measured from the centre of a face's box in widths and heights of it. Bibs of people who stand or
# run upright lie within the inner limits; what lies within the outer ones may be somebody's who
# bends or turns, so that neither that face nor another is believed to wear it
INNER_ACROSS, INNER_DOWN = 1.0, (1.2, 4.5)
OUTER_ACROSS, OUTER_DOWN = 1.5, (1.0, 5.5)
# digits are 5 to 10 cm high and a face 18 to 20; the box of tilted digits is higher
HEIGHT = (0.15, 1.6)
# how much nearer than the second face (half a face's width) the wearer must be
MARGIN = 0.5


@dataclass(frozen=True, slots=True)
class Wearing:
    """What a face wears: `bib`, or None; `unclear` when a bib near it may be its own or not."""

    bib: str | None
    unclear: bool


def what_faces_wear(faces: Sequence[Box], tags: Sequence[tuple[str, Box | None]]) -> list[Wearing]:
    """For each face (x, y, w, h) the bib it surely wears; `tags` are the photo's bibs with boxes.

    A tag without a box (given by hand) belongs to the only face of its photo, or to any of those
    that wear nothing.
    """
    worn: list[list[str]] = [[] for _ in faces]
    unclear, unplaced = [False] * len(faces), False
    for bib, box in tags:
        if box is None:
            if len(faces) == 1:
                worn[0].append(bib)
            else:
                unplaced = True
            continue
        distances = sorted(
            (distance, index)
            for index, face in enumerate(faces)
            if (distance := _distance(face, box)) is not None
        )
        if not distances:
            continue
        nearest = distances[0][1]
        alone = len(distances) == 1 or distances[1][0] - distances[0][0] >= MARGIN
        if alone and _hangs_below(faces[nearest], box):
            worn[nearest].append(bib)
        else:
            for _, index in distances:
                unclear[index] = True
    wearing = []
    for bibs, near_others in zip(worn, unclear, strict=True):
        doubt = near_others or len(bibs) > 1 or (unplaced and not bibs)
        wearing.append(Wearing(None if doubt or not bibs else bibs[0], doubt))
    return wearing


def _distance(face: Box, box: Box) -> float | None:
    """How far the bib is from where a face's own bib hangs; None when it cannot be its own."""
    across, down = place_on_body(face, box)
    high = box[3] / max(face[3], 1.0)
    if across > OUTER_ACROSS or not OUTER_DOWN[0] <= down <= OUTER_DOWN[1]:
        return None
    if not HEIGHT[0] <= high <= HEIGHT[1]:
        return None
    return off_its_place(across, down)


def _hangs_below(face: Box, box: Box) -> bool:
    across, down = place_on_body(face, box)
    return across <= INNER_ACROSS and INNER_DOWN[0] <= down <= INNER_DOWN[1]
