"""The start list as the reader asks it: which bib was meant, and whether that is no chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

DIGITS, LETTERS = "0123456789", 26.0
# A list of more than so many of all the numbers of a shape agrees with every second misreading
MOST_OF_ALL_NUMBERS = 0.1


class StartList:
    """The bibs of who takes part: upper case, without white space around them."""

    def __init__(self, bibs: Iterable[str]) -> None:
        self._bibs = frozenset(bibs)
        # without white space and hyphens; None where that may be either of several
        self._plain: dict[str, str | None] = {}
        for bib in self._bibs:
            plain = plain_bib(bib)
            self._plain[plain] = None if plain in self._plain else bib
        self._shapes = Counter(map(_shape, self._plain))
        numbers = [bib for bib in self._bibs if bib.isdecimal()]
        zeros = any(number.startswith("0") for number in numbers)
        self._padded = 0 if zeros else max(map(len, numbers), default=0)

    def written(self, text: str) -> str | None:
        """The bib on the list that the text says; white space and hyphens do not count.

        Neither do zeros that make it as long as the longest number, where the list has none, as
        spreadsheets leave them out. None when the list has no such bib, or several and none just as
        the text is.
        """
        if text in self._bibs:
            return text
        plain = plain_bib(text)
        if plain.isdecimal() and len(plain) == self._padded:
            plain = plain.lstrip("0")
        return self._plain.get(plain)

    def agreed(self, bib: str, unsure: Collection[int] = ()) -> str | None:
        """The bib on the list that was meant: itself, or the only one with one other digit.

        `unsure`: the places (in `bib`) of digits that may be others; only these are mended.
        """
        if (written := self.written(bib)) is not None:
            return written
        near = {
            changed
            for place in unsure
            for digit in DIGITS
            if digit != bib[place]
            and (changed := plain_bib(bib[:place] + digit + bib[place + 1 :])) in self._plain
        }
        return self._plain[near.pop()] if len(near) == 1 else None

    def is_telling(self, bib: str) -> bool:
        """Whether few of all bibs of this one's shape are on the list: finding it is no chance."""
        shape = _shape(plain_bib(bib))
        possible = 10.0 ** shape.count("9") * LETTERS ** shape.count("A")
        return self._shapes[shape] <= MOST_OF_ALL_NUMBERS * possible


def plain_bib(bib: str) -> str:
    """Without the white space and hyphens in which a list and a bib may differ."""
    return bib.replace(" ", "").replace("-", "")


def _shape(plain: str) -> str:
    """Each digit as 9, each letter as A."""
    return "".join("9" if sign.isdecimal() else "A" for sign in plain)
