"""What a bib number may be, and the form in which two are compared. `007` and `7` are different."""

from __future__ import annotations

import re
import unicodedata

MAX_BIB_LENGTH = 64  # of what is searched for; printed ones are shorter
MOST_SIGNS = 20
PRINTED = re.compile(r"[^\W_]+(?:[ ./-][^\W_]+)*")


def normalise_bib(bib: str) -> str:
    """Without surrounding white space and regard to case or width: how bibs are kept and looked
    up.

    Start lists and people type full-width digits (`１２`) where their keyboards have them first.
    """
    return unicodedata.normalize("NFKC", bib).strip().upper()


def printed_bib(bib: str) -> bool:
    """Whether it can stand on a bib: a few letters and digits, here and there a mark between."""
    return len(bib) <= MOST_SIGNS and bib.count(" ") <= 1 and PRINTED.fullmatch(bib) is not None
