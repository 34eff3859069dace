"""What a number that is on no list may have been."""

from __future__ import annotations

import pytest

from fotofinish.bibs.misreadings import likeliest, slips_to


def suggest(read: str, listed: set[str], seen: set[str]) -> list[str]:
    return likeliest(slips_to(read, listed), seen)


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("1284", "1234"),  # a 3 that lost its gap
        ("7234", "1234"),
        ("234", "1234"),  # cut off
        ("12345", "1234"),  # a pin for a digit
        ("2134", "1234"),
        ("12B4", "1284"),
        ("B30483", "830483"),
        ("0042", "42"),
        ("12-34", "1234"),
    ],
)
def test_one_slip_away_is_found(read: str, meant: str) -> None:
    assert suggest(read, {meant, "99999", "5"}, set()) == [meant]


def test_look_alikes_come_first_and_among_them_who_has_no_photo() -> None:
    listed = {"1294", "1234", "1254", "1288"}
    assert suggest("1284", listed, {"1234"}) == ["1254", "1294", "1234"]


def test_what_is_far_away_is_not_suggested() -> None:
    assert suggest("1284", {"1999", "12", "4821"}, set()) == []
