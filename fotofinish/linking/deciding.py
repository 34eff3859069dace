"""Whose bib a face's owner wears, judged from how like it is to faces that wear bibs.

Knows similarities alone. The constants are measured by `benchmarks/links.py`; see
`docs/recognition.md`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# Cosines (0.42 is where a selfie matches: one false in 10,000 single comparisons). A link is made
# without anybody asking, from every face of an event, so it needs agreement: two photos that are
# each surer than any false pair of 380,000, or three that all are above 1 in 250,000
TWO_AGREE, THREE_AGREE = 0.5, 0.45
# faces below this quality are neither evidence nor linked: blurred ones are like each other, 50
# times as often as good ones are
LEAST_QUALITY = 0.4
# the wearers of another bib count against it up to this far below
MARGIN = 0.1
RIVAL = THREE_AGREE - MARGIN
# one misread bib on a photo of the same person does not outvote three that were read right
OUTVOTED = 3
# of the photos on which the bib is worn, how many must show this person: a bib that most often
# hangs on somebody else is another's
LEAST_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Owner:
    """The bib that somebody wears; `confidence` is the mean cosine of the photos that agree."""

    bib: str
    confidence: float


def owner_of(similar: Mapping[str, Sequence[float]], worn_on: Mapping[str, int]) -> Owner | None:
    """The bib that the face's owner wears elsewhere, None when it is not sure.

    `similar`: for each bib the cosines (`RIVAL` and above) of faces that wear it, the best of each
    photo; `worn_on`: on how many photos a face wears it.
    """
    agreeing = {bib: found for bib, cosines in similar.items() if (found := _agreeing(cosines))}
    if not agreeing:
        return None
    best = max(agreeing, key=lambda bib: (len(agreeing[bib]), agreeing[bib][0], bib))
    support = agreeing[best]
    if len(support) < LEAST_SHARE * worn_on.get(best, 0):
        return None
    for bib, cosines in similar.items():
        near = [cosine for cosine in cosines if cosine > support[1] - MARGIN]
        if bib != best and near and len(support) < OUTVOTED * len(near):
            return None
    return Owner(best, min(1.0, sum(support) / len(support)))


def rivals_above(similar: Mapping[str, Sequence[float]]) -> float:
    """The cosine up to which wearers of another bib do not matter to `owner_of`.

    `similar` may hold those that agree (`THREE_AGREE` and above) alone. Infinite where no bib has
    enough of them.
    """
    second_best = [found[1] for cosines in similar.values() if (found := _agreeing(cosines))]
    return min(second_best, default=math.inf) - MARGIN


def _agreeing(cosines: Sequence[float]) -> list[float]:
    """The cosines of the photos that agree, best first; empty when there are too few."""
    ordered = sorted(cosines, reverse=True)
    three = [cosine for cosine in ordered if cosine >= THREE_AGREE]
    if len(three) >= 3 or (len(three) == 2 and three[1] >= TWO_AGREE):
        return three
    return []
