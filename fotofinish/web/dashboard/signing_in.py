"""Signing in and out."""

from __future__ import annotations

import re

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fotofinish.organisations.accounts import find_password_hash, fits
from fotofinish.organisations.attempts import give_back, guesser, take_attempt
from fotofinish.organisations.first_owner import has_accounts
from fotofinish.organisations.sessions import end_session
from fotofinish.web.dashboard.entering import DEVICE_COOKIE, let_in
from fotofinish.web.dashboard.shell import UNSENT, Shell
from fotofinish.web.dashboard.visitors import COOKIE, Visitor
from fotofinish.web.forms import FOREIGN_FORM, from_our_own_page, read_form, text
from fotofinish.web.services import services

WRONG = "E-mail or password is wrong."
SIGNED_OUT = (
    "You were signed out in the meantime, and nothing was changed. Sign in, then do it once more."
)
WAIT = (
    "Too many attempts. Wait a quarter of an hour and try again, "
    "or use a browser in which you signed in before."
)
# a path on this server: no host (//, /\), no control signs; signing in again leads nowhere
OWN_PAGE = re.compile(r"/(?!sign-)(?:[\w.~%-]+(?:/[\w.~%-]+)*/?)?(?:\?[\w.~%=&+:,-]*)?", re.ASCII)
LONGEST = 2000


class SigningIn:
    """The door and its form."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    async def ask(self, request: Request) -> Response:
        """GET `/sign-in`."""
        async with services(request).pool.connection() as connection:
            bare = not await has_accounts(connection)
        after = _after(request.query_params.get("next", ""))
        message = SIGNED_OUT if UNSENT in request.query_params else None
        return self._form(email="", after=after, message=message, bare=bare)

    async def sign_in(self, request: Request) -> Response:
        """POST `/sign-in`: check address and password and begin a session."""
        if not from_our_own_page(request):
            return self._form(403, email="", after="/", message=FOREIGN_FORM)
        form = await read_form(request)
        email = text(form, "email").replace("\0", "").strip().lower()[:320]
        password, after = text(form, "password")[:1024], _after(text(form, "next"))
        ours = services(request)
        async with ours.pool.connection() as connection:
            account, kept = await find_password_hash(connection, email)
            who = guesser(
                ours.settings.signing_key(),
                email,
                request.client.host if request.client else "",
                account=account.id if account else None,
                device=request.cookies.get(DEVICE_COOKIE, ""),
            )
            if not await take_attempt(connection, who):
                return self._form(429, email=email, after=after, message=WAIT)
        right = await ours.password_checks.ask(fits, kept, password)
        if account is None or not right:
            return self._form(403, email=email, after=after, message=WRONG)
        async with ours.pool.connection() as connection:
            await give_back(connection, who)
        return await let_in(request, account.id, after)

    async def sign_out(self, request: Request, visitor: Visitor, form: FormData) -> Response:
        """POST `/sign-out`: end the session itself, not the cookie alone."""
        async with services(request).pool.connection() as connection:
            await end_session(connection, request.cookies[COOKIE])
        response = RedirectResponse("/sign-in", 303)
        response.delete_cookie(COOKIE)
        return response

    def _form(
        self,
        status: int = 200,
        *,
        email: str,
        after: str,
        message: str | None = None,
        bare: bool = False,
    ) -> Response:
        return self._shell.render(
            "sign-in.html", status=status, email=email, after=after, message=message, bare=bare
        )


def _after(wanted: str) -> str:
    """Where to go after signing in: a page of ours and nothing else."""
    return wanted if len(wanted) <= LONGEST and OWN_PAGE.fullmatch(wanted) else "/"
