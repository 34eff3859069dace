"""Agreement of a number that was read with the start list."""

from __future__ import annotations


def agree(bib: str, start_list: frozenset[str]) -> str | None:
    """The bib on the list that was meant: itself, or the only one that differs in one sign.

    None when the list has no such bib, or several.
    """
    if bib in start_list:
        return bib
    near = {
        candidate
        for index in range(len(bib))
        for sign in "0123456789"
        if (candidate := bib[:index] + sign + bib[index + 1 :]) in start_list
    }
    return near.pop() if len(near) == 1 else None
