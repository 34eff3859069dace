"""Which bib of the start list a number that is on no list may have been: for a person to decide.

The machine mends by itself only what can mean one bib alone (`listed.py`); here are all that are
one slip away, the likeliest first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set

MOST = 3
SIGNS = "0123456789"
# digits whose shapes differ by one stroke or an open gap, in the sans-serif type of bibs
ALIKE = frozenset(
    {"08", "06", "09", "17", "14", "27", "38", "35", "39", "49", "56", "58", "68", "69", "89"}
)
# letters that are read for digits, and digits for letters
LETTERS = {"O": "0", "Q": "0", "D": "0", "I": "1", "L": "1", "Z": "2", "S": "5", "G": "6", "B": "8"}


def slips_to(bib: str, listed: Set[str]) -> dict[str, int]:
    """Every bib on the list one slip away from `bib`, with how unlikely that slip is."""
    found: dict[str, int] = {}
    for slip, candidate in _slips(bib):
        if candidate in listed and candidate != bib:
            found[candidate] = min(slip, found.get(candidate, slip))
    return found


def likeliest(slips: Mapping[str, int], seen: Set[str]) -> list[str]:
    """At most three of them, by what `slips_to` says.

    Look-alikes come first, then cut-off or doubled signs, then any other digit; among equals
    those that are on no photo yet (not `seen`).
    """
    return sorted(slips, key=lambda one: (slips[one], one in seen, len(one), one))[:MOST]


def _slips(bib: str) -> Iterator[tuple[int, str]]:
    """Every number one slip away, with how unlikely the slip is."""
    plain = bib.replace(" ", "").replace("-", "")
    yield 0, plain
    yield 0, "".join(LETTERS.get(sign, sign) for sign in plain)
    yield 0, plain.lstrip("0")
    for at, sign in enumerate(plain):
        for other in SIGNS:
            alike = "".join(sorted((sign, other))) in ALIKE or LETTERS.get(sign) == other
            yield (0 if alike else 2), plain[:at] + other + plain[at + 1 :]
        # a fold, a pin or the bib's edge read as one more sign; worse in the middle
        yield (1 if at in (0, len(plain) - 1) else 2), plain[:at] + plain[at + 1 :]
        if at:
            yield 2, plain[: at - 1] + sign + plain[at - 1] + plain[at + 1 :]
    for at in range(len(plain) + 1):
        for sign in SIGNS:
            yield (1 if at in (0, len(plain)) else 2), plain[:at] + sign + plain[at:]
