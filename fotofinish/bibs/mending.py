"""Agreement of a number that was read with the start list, and the mending of one misread digit."""

from __future__ import annotations

from collections.abc import Collection

DIGITS = "0123456789"


def agreed(bib: str, start_list: frozenset[str], unsure: Collection[int] = ()) -> str | None:
    """The bib on the list that was meant: itself, or the only one with one other digit.

    `unsure`: the places (in `bib`) of digits that may be others; only these are mended. The list's
    bibs are upper case without white space around them. White space and hyphens inside what was
    read do not count. None when the list has no such bib, or several.
    """
    for written in (bib, _plain(bib)):
        if written in start_list:
            return written
    near = {
        changed
        for place in unsure
        for digit in DIGITS
        if digit != bib[place]
        and (changed := _plain(bib[:place] + digit + bib[place + 1 :])) in start_list
    }
    return near.pop() if len(near) == 1 else None


def _plain(bib: str) -> str:
    return bib.replace(" ", "").replace("-", "")
