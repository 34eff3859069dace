"""The way into a gallery that is not for everybody: a link with a key, or an access code.

Who has shown one keeps a signed pass in a cookie. It is made from the key or the code's hash, so a
new key or code makes all passes worthless.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fotofinish.errors import NotAllowed, NotFound
from fotofinish.events.gallery import GalleryChoices, code_fits, find_choices
from fotofinish.events.published import PublishedEvent, find_published
from fotofinish.web.forms import FOREIGN_FORM, from_our_own_page, read_form, text
from fotofinish.web.gallery.cookies import keep_cookie
from fotofinish.web.gallery.slowing import (
    count_code,
    forget_code,
    sign,
    slow,
    unsign,
    visitor_of,
)
from fotofinish.web.services import services

COOKIE = "gallery"
KEPT = 90 * 24 * 3600
COST = 6  # searches: three guesses at once, or one in three seconds of who hides each time
UNKNOWN = "There is no such event."
WITHIN = re.compile(
    r"(?:/find|/photo/[0-9a-f-]{36})?(?:\?[!-~]{0,1000})?"
)  # pages, behind the slug


def pass_of(event: PublishedEvent, choices: GalleryChoices) -> str | None:
    """What the pass of this gallery says; None where nothing opens it."""
    secret = {"link": choices.link_token, "code": choices.code_hash}.get(choices.access)
    if secret is None:
        return None
    return f"{event.id}/{hashlib.sha256(secret.encode()).hexdigest()[:32]}"


def holds_pass(request: Request, wanted: str) -> bool:
    """Whether the visitor's cookie is this gallery's pass."""
    held = unsign(services(request).settings.signing_key(), request.cookies.get(COOKIE))
    return held is not None and hmac.compare_digest(held, wanted)


def shows_key(request: Request, choices: GalleryChoices) -> bool:
    """Whether the address carries the gallery's key."""
    given = request.query_params.get("key", "")
    token = choices.link_token
    if choices.access != "link" or not token:
        return False
    return hmac.compare_digest(given.encode(), token.encode())


def give_pass(request: Request, answer: Response, event: PublishedEvent, wanted: str) -> None:
    """Put the pass into the visitor's cookie."""
    signed = sign(services(request).settings.signing_key(), wanted)
    keep_cookie(request, answer, COOKIE, signed, KEPT, event=event)


def wanted_page(request: Request) -> str:
    """The page that was asked for, as it is written behind the slug, to go to with the code."""
    if request.method != "GET":
        return ""
    page = request.url.path.removeprefix(f"/e/{request.path_params['slug']}")
    asked = [(name, value) for name, value in request.query_params.multi_items() if name != "wrong"]
    return _within(page + (f"?{urlencode(asked)}" if asked else ""))


def _within(page: str) -> str:
    """The page if it is one of this gallery's, else its start: an address is from outside."""
    return page if WITHIN.fullmatch(page) else ""


async def enter(request: Request) -> Response:
    """POST `/e/{slug}/enter` with `code` and `page`: in with a pass, or back to the question.

    A browser that does not show its name, which it was given with the form, may keep no pass
    either: where the question comes again, it says so.
    """
    if not from_our_own_page(request):
        raise NotAllowed(FOREIGN_FORM)
    async with services(request).pool.connection() as connection:
        event = await find_published(connection, request.path_params["slug"])
        if event is None:
            raise NotFound(UNKNOWN)
        choices = await find_choices(connection, event.id)
    wanted = pass_of(event, choices)
    form = await read_form(request)
    code, page = text(form, "code")[:100], _within(text(form, "page"))
    if choices.access != "code" or wanted is None or choices.code_hash is None:
        return RedirectResponse(f"/e/{event.slug}{page}", 303)
    await slow(request, event.id, COST)
    purse = await count_code(request, event.id)
    right = await services(request).password_checks.ask(code_fits, choices.code_hash, code)
    joint = "&" if "?" in page else "?"
    if not right:
        return RedirectResponse(f"/e/{event.slug}{page}{joint}wrong=code", 303)
    forget_code(request, event.id, purse)
    doubt = "" if visitor_of(request) else f"{joint}wrong=cookies"
    answer = RedirectResponse(f"/e/{event.slug}{page}{doubt}", 303)
    give_pass(request, answer, event, wanted)
    return answer
