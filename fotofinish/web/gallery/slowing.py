"""Slows whoever tries one bib number after another, and hardly anybody else.

Two buckets: a browser's own, known by a signed cookie, which is enough for a family; and one for
all of a network address in an event, wide enough for a mobile carrier's customers. Who has used up
one waits a little before the answer; who goes on regardless is told to come back later. A third,
for wrong access codes, is one for all who stand before a gallery: new networks cost nothing. While
somebody keeps it empty, each site's network has a few tries an hour, so that others still come in.
All server processes obey one limit. Neither addresses nor browsers can be read from the buckets'
names.
"""

from __future__ import annotations

import hmac
import secrets

from starlette.requests import Request

from fotofinish.errors import RateExceeded
from fotofinish.events.guesses import Purse
from fotofinish.organisations.attempts import network_of, site_of
from fotofinish.organisations.rates import Rate
from fotofinish.web.services import services

OWN = Rate(0.2, 20)
STRANGERS = Rate(2, 60)
ADDRESS = Rate(5, 600)
WRONG_CODES = Rate(0.2, 100)
SPARE_CODES = Rate(1 / 600, 6)
# how much of a bucket a process takes along: little of what one browser spends over several
OWN_AHEAD, STRANGERS_AHEAD, ADDRESS_AHEAD, CODES_AHEAD = 0.1, 0.05, 0.05, 0.05
SPARE_AHEAD = 0
PURPOSE = b"fotofinish: visitors of galleries, version 1"
VISITOR = "visitor"


async def slow(request: Request, event_id: int, cost: int = 1) -> None:
    """Take the cost of a search from whoever asks; waits if need be, raises RateExceeded."""
    ours = services(request)
    key = ours.settings.signing_key()
    network = network_of(request.client.host if request.client else "")
    visitor = visitor_of(request)
    # whoever shows no cookie shares a bucket with all others of the address who do not
    own = (
        _purse(key, "visitor", visitor, OWN, OWN_AHEAD)
        if visitor
        else _purse(key, "new", network, STRANGERS, STRANGERS_AHEAD)
    )
    address = _purse(key, "address", network, ADDRESS, ADDRESS_AHEAD)
    await ours.guesses.spend(event_id, [own, address], cost)


async def count_code(request: Request, event_id: int) -> Purse:
    """Count an access code before it is looked at (many at once are many); raises RateExceeded.

    Gives what it was taken from, for `forget_code`.
    """
    ours = services(request)
    key = ours.settings.signing_key()
    everybody = _purse(key, "codes", "", WRONG_CODES, CODES_AHEAD)
    try:
        await ours.guesses.spend(event_id, [everybody], 1)
    except RateExceeded:
        site = site_of(request.client.host if request.client else "")
        spare = _purse(key, "spare codes", site, SPARE_CODES, SPARE_AHEAD)
        await ours.guesses.spend(event_id, [spare], 1)
        return spare
    return everybody


def forget_code(request: Request, event_id: int, purse: Purse) -> None:
    """The code that was counted was the right one."""
    services(request).guesses.give_back(event_id, purse, 1)


def visitor_of(request: Request) -> str | None:
    """The name we gave this browser, if it shows it."""
    return unsign(services(request).settings.signing_key(), request.cookies.get(VISITOR))


def sign(signing_key: bytes, value: str) -> str:
    """The value with a signature that only this server can make."""
    mark = hmac.digest(signing_key, PURPOSE + value.encode(), "sha256").hex()[:40]
    return f"{value}.{mark}"


def unsign(signing_key: bytes, signed: str | None) -> str | None:
    """The value, if we signed it."""
    if not signed or not signed.isascii():
        return None
    value = signed.rpartition(".")[0]
    return value if hmac.compare_digest(sign(signing_key, value), signed) else None


def _purse(key: bytes, kind: str, who: str, rate: Rate, ahead: float) -> Purse:
    text = f"{kind}\0{who}".encode("utf-8", "replace")
    return Purse(hmac.digest(key, PURPOSE + text, "sha256")[:16], rate, ahead)


def new_visitor() -> str:
    """A name for a browser that says nothing of its owner."""
    return secrets.token_urlsafe(9)
