"""Where a bib hangs on a body, measured from its face; knows boxes (x, y, w, h) alone."""

from __future__ import annotations

from fotofinish.arrays import Box

# in heights of a face's box, from its centre: the middle of what is possible
TYPICAL_DOWN = 2.5


def place_on_body(face: Box, box: Box) -> tuple[float, float]:
    """The bib's centre from the face's, in widths across (absolute) and heights down."""
    across = abs(box[0] + box[2] / 2 - face[0] - face[2] / 2) / max(face[2], 1.0)
    down = (box[1] + box[3] / 2 - face[1] - face[3] / 2) / max(face[3], 1.0)
    return across, down


def off_its_place(across: float, down: float) -> float:
    """How far something is from where a face's own bib hangs, in widths of the face."""
    return across + abs(down - TYPICAL_DOWN) / 2
