"""Selfies of participants: searched with their consent, owned by their browser, deleted at once."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from uuid import UUID, uuid4

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fotofinish.errors import (
    InvalidRequest,
    NoRoom,
    NotAllowed,
    NotFound,
    RateExceeded,
    ReaderBusy,
    TooLarge,
)
from fotofinish.events.published import PublishedEvent, find_published
from fotofinish.faces.selfies import delete_search, find_agreed_search
from fotofinish.settings import Settings
from fotofinish.web.forms import FOREIGN_FORM, from_our_own_page, read_file_form
from fotofinish.web.gallery.cookies import keep_cookie
from fotofinish.web.gallery.door import UNKNOWN
from fotofinish.web.gallery.opening import OpenGallery
from fotofinish.web.gallery.searches import SWITCHED_OFF
from fotofinish.web.gallery.slowing import sign, unsign
from fotofinish.web.services import services

# Raise it with every change to the text in templates/gallery/selfie.html: it is kept with each
# search, together with the language in which the text was read.
CONSENT_VERSION = "1"
AGREED = re.compile(rf"{CONSENT_VERSION}-[a-z]{{2}}")
COOKIE = "selfie"
SELFIE_COST = 2
DAY = 24 * 3600


def agreed_version(form: FormData) -> str | None:
    """Which text the box was ticked under; None when it was not, or under another text."""
    given = form.get("consent")
    if not isinstance(given, str) or not AGREED.fullmatch(given):
        return None
    return given


def kept_days(settings: Settings, event: PublishedEvent) -> int:
    """How long a selfie search is kept: as long as the event says, never longer than settings."""
    return min(settings.selfie_retention_days, event.retention_days or 10**6)


def own_search(request: Request, event: PublishedEvent) -> UUID | None:
    """The search that this browser made here last, gone or not."""
    key = services(request).settings.signing_key()
    value = unsign(key, request.cookies.get(COOKIE)) or ""
    event_id, _, request_id = value.partition("/")
    return UUID(request_id) if event_id == str(event.id) else None


async def kept_search(request: Request, event: PublishedEvent) -> UUID | None:
    """The search that this browser made here, while it is kept."""
    mine = own_search(request, event)
    if mine is None:
        return None
    async with services(request).pool.connection() as connection:
        return mine if await find_agreed_search(connection, event.id, mine) else None


def just_deleted(request: Request) -> bool:
    """Whether the page is the one that `forget_selfie` leads to."""
    return request.query_params.get("done") == "deleted"


async def read_selfie(request: Request, gallery: OpenGallery) -> Response | str:
    """Search by the form's selfie: the way to the result, or what is wrong (a word).

    Without consent no template is computed: the picture is let go unread. The search takes the
    place of the browser's earlier one, so that what a browser can delete is all that is kept.
    """
    event, ours = gallery.event, services(request)
    if not from_our_own_page(request):
        raise NotAllowed(FOREIGN_FORM)
    if not event.selfie_search:
        raise NotAllowed(SWITCHED_OFF)
    try:
        form = await read_file_form(request, ours.settings.max_selfie_bytes)
        picture = await _picture(form)
    except TooLarge:
        return "too-large"
    except NoRoom:
        return "busy"
    agreed = agreed_version(form)
    if agreed is None:
        return "no-consent"
    if not picture:
        return "no-picture"
    request_id, days = uuid4(), kept_days(ours.settings, event)
    try:
        search = await ours.selfies.search(
            event.id,
            request_id,
            picture,
            threshold=event.match_threshold,
            keep_days=days,
            consented_at=datetime.now(UTC),
            consent_version=agreed,
        )
    except InvalidRequest:
        return "unreadable"
    except (ReaderBusy, RateExceeded):
        return "busy"
    needless = own_search(request, event) if search.has_face else request_id
    if needless is not None:
        async with ours.pool.connection() as connection:
            await delete_search(connection, event.id, needless)
    if not search.has_face:
        return "no-face"
    answer = RedirectResponse(f"/e/{event.slug}/find?selfie={request_id}", 303)
    signed = sign(ours.settings.signing_key(), f"{event.id}/{request_id}")
    keep_cookie(request, answer, COOKIE, signed, days * DAY, event=event)
    return answer


async def forget_selfie(request: Request) -> Response:
    """POST `/e/{slug}/selfie/delete`: by the browser that made it, in a closed gallery too.

    Pressed again in another window, it says what it said there.
    """
    if not from_our_own_page(request):
        raise NotAllowed(FOREIGN_FORM)
    async with services(request).pool.connection() as connection:
        event = await find_published(connection, request.path_params["slug"])
        if event is None:
            raise NotFound(UNKNOWN)
        request_id = own_search(request, event)
        if request_id is not None:
            await delete_search(connection, event.id, request_id)
    answer = RedirectResponse(f"/e/{event.slug}?done=deleted", 303)
    answer.delete_cookie(COOKIE, path=f"/e/{event.slug}")
    return answer


async def _picture(form: FormData) -> bytes:
    """The first picture in the form: one input is for the camera, one for files."""
    for given in form.getlist("selfie"):
        if isinstance(given, UploadFile):
            picture = await given.read()
            if picture:
                return picture
    return b""
