"""The dashboard's routes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from fotofinish.errors import NotAllowed, NotFound
from fotofinish.events.overview import EventSummary, list_summaries
from fotofinish.organisations.accounts import Account, find_password_hash, fits
from fotofinish.organisations.sessions import (
    SESSION_DAYS,
    Membership,
    begin_session,
    end_session,
    find_session,
    memberships_of,
)
from fotofinish.web.dashboard.guard import Failures, from_our_own_page
from fotofinish.web.services import services

HERE = Path(__file__).parents[1]
COOKIE = "fotofinish_session"
STATIC = {"dashboard.css": "text/css", "copy.js": "text/javascript"}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
WRONG = "E-mail or password is wrong."
WAIT = "Too many attempts. Wait a quarter of an hour and try again."


@dataclass(frozen=True, slots=True)
class Overview:
    """What the first page shows."""

    account: Account
    organisations: list[Membership]
    current: Membership | None
    events: list[EventSummary]


def dashboard_routes() -> list[Route]:
    """Every route of the dashboard, with what they share."""
    pages = _Pages()
    return [
        Route("/", pages.overview, methods=["GET"]),
        Route("/sign-in", pages.sign_in_form, methods=["GET"]),
        Route("/sign-in", pages.sign_in, methods=["POST"]),
        Route("/sign-out", pages.sign_out, methods=["POST"]),
        Route("/static/{name}", static, methods=["GET"]),
    ]


async def static(request: Request) -> Response:
    """A style sheet or script of ours; names are a closed list."""
    name = request.path_params["name"]
    if name not in STATIC:
        raise NotFound("There is nothing at this address.")
    return FileResponse(
        HERE / "static" / name,
        media_type=STATIC[name],
        headers={"Cache-Control": "public, max-age=300", "X-Content-Type-Options": "nosniff"},
    )


class _Pages:
    """Templates and the memory of failed sign-ins, shared by the routes."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=select_autoescape(),
            undefined=StrictUndefined,
        )
        self._failures = Failures()

    async def sign_in_form(self, request: Request) -> Response:
        """The form."""
        return self._render("sign-in.html", email="", message=None)

    async def sign_in(self, request: Request) -> Response:
        """Check address and password and begin a session."""
        self._check_origin(request)
        form = await request.form(max_files=0, max_fields=4)
        email = str(form.get("email", "")).strip().lower()[:320]
        password = str(form.get("password", ""))[:1024]
        who = f"{request.client.host if request.client else ''} {email}"
        if self._failures.too_many(who):
            return self._render("sign-in.html", 429, email=email, message=WAIT)
        async with services(request).pool.connection() as connection:
            account, kept = await find_password_hash(connection, email)
        # argon2id takes some 50 ms on purpose: not on the loop that serves everybody
        right = await asyncio.to_thread(fits, kept, password)
        if account is None or not right:
            self._failures.note(who)
            return self._render("sign-in.html", 403, email=email, message=WRONG)
        self._failures.forget(who)
        async with services(request).pool.connection() as connection:
            token = await begin_session(connection, account.id)
        response = RedirectResponse("/", 303)
        response.set_cookie(
            COOKIE,
            token,
            max_age=SESSION_DAYS * 24 * 3600,
            httponly=True,
            samesite="lax",
            secure=services(request).settings.public_url.startswith("https://"),
        )
        return response

    async def sign_out(self, request: Request) -> Response:
        """End the session."""
        self._check_origin(request)
        async with services(request).pool.connection() as connection:
            await end_session(connection, request.cookies.get(COOKIE, ""))
        response = RedirectResponse("/sign-in", 303)
        response.delete_cookie(COOKIE)
        return response

    async def overview(self, request: Request) -> Response:
        """The organisations of whoever is signed in, and the events of the one selected."""
        seen = await self._overview(request)
        if seen is None:
            return RedirectResponse("/sign-in", 303)
        return self._render("events.html", seen=seen)

    async def _overview(self, request: Request) -> Overview | None:
        token = request.cookies.get(COOKIE)
        if not token:
            return None
        async with services(request).pool.connection() as connection:
            account = await find_session(connection, token)
            if account is None:
                return None
            organisations = await memberships_of(connection, account.id)
            wanted = request.query_params.get("org")
            current = next((o for o in organisations if str(o.org_id) == wanted), None)
            if wanted is not None and current is None:
                raise NotFound("There is no such organisation.")
            current = current or next(iter(organisations), None)
            events = await list_summaries(connection, current.org_id) if current else []
        return Overview(account, organisations, current, events)

    def _check_origin(self, request: Request) -> None:
        if not from_our_own_page(request):
            raise NotAllowed("This form was not sent from a page of this server.")

    def _render(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        html = self._templates.get_template(template).render(**values)
        return HTMLResponse(html, status, headers=HEADERS)
