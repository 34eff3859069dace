"""Whose bib a face's owner wears, by how like it is to faces that wear bibs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from fotofinish.linking.deciding import owner_of


def owner(similar: Mapping[str, Sequence[float]], worn_on: int = 1) -> str | None:
    """The bib, `worn_on` being on how many photos "12" is worn."""
    found = owner_of(similar, {"12": worn_on})
    return found and found.bib


@pytest.mark.parametrize(
    ("cosines", "agree"),
    [
        ([0.9], False),
        ([0.51, 0.51], True),
        ([0.9, 0.49], False),
        ([0.46, 0.46, 0.46], True),
        ([0.9, 0.46, 0.44], False),
    ],
)
def test_two_photos_must_agree_surely_or_three(cosines: list[float], agree: bool) -> None:
    assert owner({"12": cosines}) == ("12" if agree else None)


def test_it_must_be_the_owner_on_half_of_the_photos_with_the_bib() -> None:
    assert owner({"12": [0.6, 0.6]}, worn_on=4) == "12"
    assert owner({"12": [0.6, 0.6]}, worn_on=5) is None


@pytest.mark.parametrize(("rival", "contradicts"), [(0.51, True), (0.49, False)])
def test_the_wearer_of_another_bib_contradicts_when_nearly_as_like(
    rival: float, contradicts: bool
) -> None:
    assert owner({"12": [0.7, 0.6], "13": [rival]}) == (None if contradicts else "12")


def test_three_photos_outvote_one_misread_bib_and_six_two() -> None:
    assert owner({"12": [0.6, 0.6, 0.6], "13": [0.6]}) == "12"
    assert owner({"12": [0.6] * 5, "13": [0.6, 0.6]}) is None
    assert owner({"12": [0.6] * 6, "13": [0.6, 0.6]}) == "12"


def test_the_confidence_is_the_mean_of_the_photos_that_agree() -> None:
    found = owner_of({"12": [0.8, 0.6, 0.3]}, {"12": 3})
    assert found is not None
    assert found.confidence == pytest.approx(0.7)
