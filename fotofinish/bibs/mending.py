"""Agreement of a number that was read with the start list, and the mending of one misread digit."""

from __future__ import annotations

DIGITS = "0123456789"


def agreed(bib: str, start_list: frozenset[str], *, mend: bool) -> str | None:
    """The bib on the list that was meant: itself, or (`mend`) the only one with one other digit.

    The list's bibs are upper case without white space around them. White space and hyphens inside
    what was read do not count. None when the list has no such bib, or several.
    """
    plain = bib.replace(" ", "").replace("-", "")
    for written in (bib, plain):
        if written in start_list:
            return written
    if not mend:
        return None
    near = {
        changed
        for index, sign in enumerate(plain)
        for digit in DIGITS
        if digit != sign and (changed := plain[:index] + digit + plain[index + 1 :]) in start_list
    }
    return near.pop() if len(near) == 1 else None
