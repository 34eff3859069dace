"""Who may call: API key, organisation and event, decided before anything else is looked at.

A stranger gets the same answer for an event that does not exist and for another organisation's.
"""

from __future__ import annotations

import re

from starlette.requests import Request

from fotofinish.errors import InvalidValue, NotAllowed, NotAuthenticated
from fotofinish.events.access import Access, Claim, find_access
from fotofinish.organisations.keys import digest
from fotofinish.organisations.organisations import MAX_ID
from fotofinish.organisations.rates import Kind
from fotofinish.web.services import services

KEY_HEADER = "X-API-Key"
NO_KEY = f"Send your API key in the header {KEY_HEADER}."
WRONG_KEY = "This API key is not valid."
OTHER_ORGANISATION = "This API key does not belong to this organisation."
NO_EVENT = "This organisation has no such event."
SWITCHED_OFF = {
    "bib": "Search by bib number is switched off for this event.",
    "selfie": "Search by selfie is switched off for this event.",
    "timeline": "Search by time is switched off for this event.",
}


def identify(request: Request) -> Claim:
    """What header and address claim, not yet checked; raises NotAuthenticated without a key."""
    key = request.headers.get(KEY_HEADER, "").strip()
    if not key:
        raise NotAuthenticated(NO_KEY)
    ids = request.path_params
    return Claim(digest(key), _id(ids["org_id"]), _id(ids.get("event_id", "")))


async def admit(request: Request) -> Access:
    """Check the caller's key and organisation; raises NotAuthenticated or NotAllowed."""
    claim = identify(request)
    async with services(request).pool.connection() as connection:
        access = await find_access(connection, claim)
    return check_key(request, claim, access)


async def admit_to_event(request: Request) -> Access:
    """Check the event as well: what is returned has one. Raises as `check_event` does."""
    return check_event(request, await admit(request))


def check_key(request: Request, claim: Claim, access: Access | None) -> Access:
    """Raise NotAllowed unless the key is in force and its organisation's is the one claimed."""
    if access is None:
        raise NotAllowed(WRONG_KEY)
    if access.org_id != claim.org_id:
        raise NotAllowed(OTHER_ORGANISATION)
    if access.unnoted:
        services(request).key_uses.note(access.key_id)
    request.state.org_id = access.org_id
    return access


def check_event(request: Request, access: Access) -> Access:
    """Raise NotAllowed unless the event is the organisation's; InvalidValue for an event id that
    is no number at all."""
    if access.event_id is None:
        if not re.fullmatch(r"[+-]?[0-9]+", request.path_params["event_id"]):
            raise InvalidValue("path.event_id: Input should be a positive integer")
        raise NotAllowed(NO_EVENT)
    return access


def require_search(access: Access, kind: str) -> None:
    """Raise NotAllowed unless this search ("bib", "selfie", "timeline") is on for the event."""
    switches = {"bib": access.bib_search, "selfie": access.selfie_search}
    if not access.event_enabled or not switches.get(kind, True):
        raise NotAllowed(SWITCHED_OFF[kind])


async def check_rate(request: Request, access: Access, kind: Kind = "request") -> None:
    """Raise RateExceeded when the key makes too many requests, or too many searches.

    The last check: called once all that is cheap to refuse is refused, and before the work.
    """
    await services(request).rates.spend(access.key_id, kind)


def _id(text: str) -> int | None:
    if text.isascii() and text.isdigit() and len(text) <= 19 and 0 < int(text) <= MAX_ID:
        return int(text)
    return None
