"""What the photo pages say that they did: told in the address, read by the page that comes next."""

from __future__ import annotations

from urllib.parse import urlencode

from fotofinish.bibs.numbers import MOST_SIGNS
from fotofinish.web.dashboard.wording import counted

SAID = {
    "add": "Added {bib} to {photos}.",
    "remove": "Removed {bib} from {photos}.",
    "hide": "Hid {photos} from participants.",
    "show": "Showing {photos} to participants again.",
    "left": "Turned {photos} to the left. Reading follows.",
    "right": "Turned {photos} to the right. Reading follows.",
    "again": "Reading {photos} again.",
    "delete": "Deleted {photos} for good.",
    "added-before": "Added {bib} to the photo before. This is the next one.",
    "deleted-before": "Deleted the photo before for good. This is the next one.",
    "confirm": "Confirmed. No photo comes after this one.",
}

# said where nothing was changed; by itself, that there are no such photos
GONE = "These photos are gone."
NONE = {
    "remove": "None of the chosen photos carries {bib}.",
    "hide": "These photos are hidden already, or gone.",
    "show": "Participants see these photos already, or they are gone.",
}


def done(what: str, photos: int = 1, bib: str = "") -> str:
    """The query that makes the next page say it."""
    return urlencode({"done": f"{what}:{photos}:{bib}"})


def notice_of(given: str, *, one: str = "1 photo") -> str | None:
    """The sentence for a `done` of the address, None where it says nothing of photos."""
    what, _, rest = given.partition(":")
    many, _, bib = rest.partition(":")
    if what not in SAID or not many.isascii() or not many.isdigit() or len(many) > 4:
        return None
    bib = bib[:MOST_SIGNS]
    if not int(many):
        return NONE.get(what, GONE).format(bib=bib)
    photos = one if many == "1" else counted(int(many), "photo")
    return SAID[what].format(photos=photos, bib=bib)
