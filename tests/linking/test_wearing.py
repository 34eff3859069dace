"""Which face of a photo wears which of its bibs, by where they are."""

from __future__ import annotations

import pytest

from fotofinish.linking.wearing import Wearing, what_faces_wear

FACE = (450.0, 200.0, 80.0, 100.0)
SURE, UNCLEAR, NOTHING = Wearing("12", False), Wearing(None, True), Wearing(None, False)


def a_bib(across: float, down: float, high: float = 50) -> tuple[float, float, float, float]:
    """A box whose centre is so many widths and heights of the face from the face's centre."""
    x, y, w, h = FACE
    return (x + w / 2 + across * w - 60, y + h / 2 + down * h - high / 2, 120, high)


@pytest.mark.parametrize(
    ("across", "down", "high", "wearing"),
    [
        (0, 2.5, 50, SURE),
        (0.95, 2.5, 50, SURE),
        (-0.95, 2.5, 50, SURE),
        (1.05, 2.5, 50, UNCLEAR),
        (1.45, 2.5, 50, UNCLEAR),
        (1.55, 2.5, 50, NOTHING),
        (0, 1.25, 50, SURE),
        (0, 1.15, 50, UNCLEAR),
        (0, 0.95, 50, NOTHING),
        (0, 4.45, 50, SURE),
        (0, 4.55, 50, UNCLEAR),
        (0, 5.55, 50, NOTHING),
        (0, 2.5, 16, SURE),
        (0, 2.5, 14, NOTHING),
        (0, 2.5, 155, SURE),
        (0, 2.5, 165, NOTHING),
    ],
)
def test_a_bib_is_worn_within_the_proportions_of_a_body(
    across: float, down: float, high: float, wearing: Wearing
) -> None:
    assert what_faces_wear([FACE], [("12", a_bib(across, down, high))]) == [wearing]


@pytest.mark.parametrize(("apart", "clear"), [(1.3, True), (1.2, False)])
def test_the_second_face_must_be_half_a_face_further_away(apart: float, clear: bool) -> None:
    second = (FACE[0] + apart * FACE[2], *FACE[1:])
    # 0.4 across from the first face, so apart - 0.4 from the second
    worn = what_faces_wear([FACE, second], [("12", a_bib(0.4, 2.5))])
    assert worn == ([SURE, NOTHING] if clear else [UNCLEAR, UNCLEAR])


def test_somebody_with_two_bibs_wears_neither_surely() -> None:
    tags = [("12", a_bib(0, 2.5)), ("13", a_bib(0, 4))]
    assert what_faces_wear([FACE], tags) == [UNCLEAR]


def test_a_bib_without_a_place_is_that_of_the_only_face() -> None:
    assert what_faces_wear([FACE], [("12", None)]) == [SURE]
    beside = (900.0, *FACE[1:])
    assert what_faces_wear([FACE, beside], [("12", None)]) == [UNCLEAR, UNCLEAR]
    worn = what_faces_wear([FACE, beside], [("13", None), ("12", a_bib(0, 2.5))])
    assert worn == [SURE, UNCLEAR]
