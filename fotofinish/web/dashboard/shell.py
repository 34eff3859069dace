"""What all pages share: templates, headers, sign-in before anything else, errors as pages."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Match

from fotofinish.errors import FotofinishError, NotAllowed, NotAuthenticated, TooLarge
from fotofinish.organisations.sessions import Membership
from fotofinish.web.dashboard import wording
from fotofinish.web.dashboard.guard import form_token_fits
from fotofinish.web.dashboard.visitors import COOKIE, Visitor, find_visitor, may
from fotofinish.web.forms import FOREIGN_FORM, from_our_own_page, read_form, text
from fotofinish.web.page_headers import SAFETY, page_policy
from fotofinish.web.static_files import WEB, StaticFiles

LONGEST_PATH = 200  # of a page that a form is sent from
UNSENT = "unsent"
TOKEN_HEADER = "X-Form-Token"
NOTICES = {
    "created": "The event is there. Now put photos in.",
    "saved": "Saved.",
    "request-hide": "The photo is hidden, and the request answered.",
    "request-keep": "The photo stays, and the request is answered.",
    "listed": "The start list is in. Readings are checked against it from now on.",
    "unlisted": "The start list is gone. Every number that is read counts again.",
    "corrected": "The photos carry the right number now.",
    "marked": "The logo is there. Choose “Logo” and save, and all previews are drawn with it.",
    "redrawing": "Saved. Previews are drawn again in the background.",
    "retried": "The photos wait to be processed again.",
    "switched-on": "The key is on again.",
    "switched-off": "The key is off: calls with it are refused from now on.",
    "deleted": "The key is deleted.",
    "event-deleted": "The event is deleted. Its files follow within minutes.",
    "role": "The role is changed, from this moment on.",
    "removed": "They no longer work here. Their open pages stop working.",
    "revoked": "The invitation is taken back.",
    "joined": "Welcome. You work for this organisation now.",
    "password": "Your password is changed. All other sessions have ended.",
    "ended": "The session has ended.",
    "others-ended": "All other sessions have ended.",
}

Handler = Callable[[Request, Visitor], Awaitable[Response]]
FormHandler = Callable[[Request, Visitor, FormData], Awaitable[Response]]
OpenHandler = Callable[[Request, Visitor | None], Awaitable[Response]]
OpenFormHandler = Callable[[Request, Visitor | None, FormData], Awaitable[Response]]
FormReader = Callable[[Request], Awaitable[FormData]]
Refusal = Callable[[Request, Visitor, FotofinishError], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around a page: who is signed in, and the organisation it is about."""

    visitor: Visitor
    current: Membership | None
    notice: str | None = None

    def may(self, role: str) -> bool:
        """Whether the visitor's role in this organisation reaches as far as `role`."""
        return may(self.current, role)


class Shell:
    """Renders pages, and turns handlers into endpoints that ask who is there first."""

    def __init__(self) -> None:
        self.static = StaticFiles(WEB / "static")
        self._templates = Environment(
            loader=FileSystemLoader(WEB / "templates"),
            autoescape=select_autoescape(),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals["static"] = self.static.address
        for write in (
            wording.grouped,
            wording.counted,
            wording.day,
            wording.ago,
            wording.lasting,
            wording.local,
            wording.browser,
            wording.bytes,
        ):
            self._templates.filters[write.__name__] = write

    def render(
        self,
        template: str,
        frame: Frame | None = None,
        *,
        status: int = 200,
        pictures: Iterable[str] = (),
        reached: Iterable[str] = (),
        **values: Any,
    ) -> HTMLResponse:
        """A page; `pictures` are addresses of images that it may load from elsewhere, `reached`
        where its scripts may send to besides this server."""
        html = self._templates.get_template(template).render(frame=frame, **values)
        policy = page_policy(pictures, reached)
        return HTMLResponse(html, status, headers={**SAFETY, "Content-Security-Policy": policy})

    def page(self, handler: Handler) -> Endpoint:
        """A page for whoever is signed in; others are asked to sign in, and come back."""

        @functools.wraps(handler)
        async def endpoint(request: Request) -> Response:
            visitor = await find_visitor(request)
            if visitor is None:
                return to_sign_in(request)
            try:
                return await handler(request, visitor)
            except FotofinishError as error:
                return self._error_page(request, error, visitor)

        return endpoint

    def open_page(self, handler: OpenHandler) -> Endpoint:
        """A page for everybody, signed in or not."""

        @functools.wraps(handler)
        async def endpoint(request: Request) -> Response:
            visitor = await find_visitor(request)
            try:
                return await handler(request, visitor)
            except FotofinishError as error:
                return self._error_page(request, error, visitor)

        return endpoint

    def open_form(self, handler: OpenFormHandler) -> Endpoint:
        """A form for everybody, from a page of ours; with the session's token if there is one."""

        @functools.wraps(handler)
        async def endpoint(request: Request) -> Response:
            if not from_our_own_page(request):
                return self._error_page(request, NotAllowed(FOREIGN_FORM), None)
            visitor = await find_visitor(request)
            form = await read_form(request)
            try:
                if visitor and not form_token_fits(
                    request.cookies[COOKIE], text(form, "form_token")
                ):
                    raise NotAllowed(FOREIGN_FORM)
                return await handler(request, visitor, form)
            except FotofinishError as error:
                return self._error_page(request, error, visitor)

        return endpoint

    def form(
        self, handler: FormHandler, read: FormReader | None = None, refuse: Refusal | None = None
    ) -> Endpoint:
        """A form sent by whoever is signed in, from a page of ours, with the session's token.

        `read` is for forms that carry a file, `refuse` shows the page when that is too large.
        """

        @functools.wraps(handler)
        async def endpoint(request: Request) -> Response:
            if not from_our_own_page(request):
                return self._error_page(request, NotAllowed(FOREIGN_FORM), None)
            visitor = await find_visitor(request)
            if visitor is None:
                return to_sign_in(request, page_before(request), unsent=True)
            try:
                try:
                    form = await (read or read_form)(request)
                except TooLarge as error:
                    if refuse is None:
                        raise
                    return await refuse(request, visitor, error)
                if not form_token_fits(request.cookies[COOKIE], text(form, "form_token")):
                    raise NotAllowed(FOREIGN_FORM)
                return await handler(request, visitor, form)
            except FotofinishError as error:
                return self._error_page(request, error, visitor)

        return endpoint

    def call(self, handler: Handler) -> Endpoint:
        """A call of a page's script: as a form, with the token in a header; errors as JSON."""

        @functools.wraps(handler)
        async def endpoint(request: Request) -> Response:
            if not from_our_own_page(request):
                raise NotAllowed(FOREIGN_FORM)
            visitor = await find_visitor(request)
            if visitor is None:
                raise NotAuthenticated(
                    "You are signed out. Sign in again in another tab; then go on."
                )
            if not form_token_fits(request.cookies[COOKIE], request.headers.get(TOKEN_HEADER, "")):
                raise NotAllowed(FOREIGN_FORM)
            return await handler(request, visitor)

        return endpoint

    def _error_page(
        self, request: Request, error: FotofinishError, visitor: Visitor | None
    ) -> Response:
        if error.status >= 500:
            raise error
        reached = visitor is not None and "org_id" in visitor.state
        return self.render(
            "error.html",
            Frame(visitor, _organisation_of(visitor)) if visitor else None,
            status=error.status,
            message=error.message,
            hint=None,
            event_id=request.path_params.get("event_id") if reached else None,
        )


def frame_of(request: Request, visitor: Visitor, current: Membership | None) -> Frame:
    """The frame of a page, with the notice that the form before it left."""
    if current is not None:
        request.state.org_id = current.org_id
    return Frame(visitor, current, NOTICES.get(request.query_params.get("done", "")))


def _organisation_of(visitor: Visitor) -> Membership | None:
    """The organisation that the request has reached, or the only one there is."""
    if "org_id" in visitor.state:
        return visitor.organisation(visitor.state["org_id"])
    return visitor.organisations[0] if len(visitor.organisations) == 1 else None


def to_sign_in(request: Request, wanted: str | None = None, *, unsent: bool = False) -> Response:
    """The way to the sign-in page, which leads back here, or to the page that is wanted, and says
    so when a form came to nothing (`unsent`)."""
    wanted = wanted or request.url.path + (f"?{request.url.query}" if request.url.query else "")
    asked = [] if wanted == "/" else [f"next={quote(wanted, safe='')}"]
    query = "&".join([*asked, UNSENT] if unsent else asked)
    return RedirectResponse(f"/sign-in?{query}" if query else "/sign-in", 303)


def page_before(request: Request) -> str:
    """The page of ours that a form was sent from; the first page where the browser tells none.

    Where that page answered a form itself, and its address has none, the nearest one above it.
    """
    page = urlsplit(request.headers.get("referer", ""))
    if page.netloc != request.headers.get("host") or len(page.path) > LONGEST_PATH:
        return "/"
    if page.query and _is_page(request, page.path):
        return f"{page.path}?{page.query}"
    path = page.path
    while path and not _is_page(request, path):
        path = path.rpartition("/")[0]
    return path or "/"


def _is_page(request: Request, path: str) -> bool:
    asked = {**request.scope, "method": "GET", "path": path}
    return any(route.matches(asked)[0] is Match.FULL for route in request.app.routes)
