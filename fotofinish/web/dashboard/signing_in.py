"""Signing in and out."""

from __future__ import annotations

import asyncio
import re

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fotofinish.organisations.accounts import find_password_hash, fits
from fotofinish.organisations.sessions import SESSION_DAYS, begin_session, end_session
from fotofinish.web.dashboard.guard import Attempts, from_our_own_page
from fotofinish.web.dashboard.shell import FOREIGN_FORM, Shell, read_form, text
from fotofinish.web.dashboard.visitors import COOKIE, Visitor
from fotofinish.web.services import services

WRONG = "E-mail or password is wrong."
WAIT = "Too many attempts. Wait a quarter of an hour and try again."
OWN_PAGES = re.compile(
    r"/(events/\d{1,19}(/(settings|upload|photos))?|events/new|developer)?(\?org=\d{1,19})?"
)
CHECKED_AT_ONCE = 2  # a check of argon2id holds 64 MB


class SigningIn:
    """The door: its form, and the memory of attempts that failed."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._attempts = Attempts()
        self._checks = asyncio.Semaphore(CHECKED_AT_ONCE)

    async def ask(self, request: Request) -> Response:
        """GET `/sign-in`."""
        return self._form(email="", after=_after(request.query_params.get("next", "")))

    async def sign_in(self, request: Request) -> Response:
        """POST `/sign-in`: check address and password and begin a session."""
        if not from_our_own_page(request):
            return self._form(403, email="", after="/", message=FOREIGN_FORM)
        form = await read_form(request)
        email = text(form, "email").replace("\0", "").strip().lower()[:320]
        password, after = text(form, "password")[:1024], _after(text(form, "next"))
        who = f"{request.client.host if request.client else ''} {email}"
        if not self._attempts.take(who):
            return self._form(429, email=email, after=after, message=WAIT)
        async with services(request).pool.connection() as connection:
            account, kept = await find_password_hash(connection, email)
        async with self._checks:
            # argon2id takes some 50 ms on purpose: not on the loop that serves everybody
            right = await asyncio.to_thread(fits, kept, password)
        if account is None or not right:
            return self._form(403, email=email, after=after, message=WRONG)
        self._attempts.forget(who)
        async with services(request).pool.connection() as connection:
            token = await begin_session(connection, account.id)
        response = RedirectResponse(after, 303)
        response.set_cookie(
            COOKIE,
            token,
            max_age=SESSION_DAYS * 24 * 3600,
            httponly=True,
            samesite="lax",
            secure=services(request).settings.public_url.startswith("https://"),
        )
        return response

    async def sign_out(self, request: Request, visitor: Visitor, form: FormData) -> Response:
        """POST `/sign-out`: end the session itself, not the cookie alone."""
        async with services(request).pool.connection() as connection:
            await end_session(connection, request.cookies[COOKIE])
        response = RedirectResponse("/sign-in", 303)
        response.delete_cookie(COOKIE)
        return response

    def _form(
        self, status: int = 200, *, email: str, after: str, message: str | None = None
    ) -> Response:
        return self._shell.render(
            "sign-in.html", status=status, email=email, after=after, message=message
        )


def _after(wanted: str) -> str:
    """Where to go after signing in: a page of ours and nothing else."""
    return wanted if OWN_PAGES.fullmatch(wanted) else "/"
