"""One's own account: the sessions that are open, and the password."""

from __future__ import annotations

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fotofinish.errors import InvalidValue
from fotofinish.organisations.accounts import (
    MIN_PASSWORD,
    check_password,
    find_password_hash,
    fits,
    set_password,
)
from fotofinish.organisations.attempts import give_back, insider, take_attempt
from fotofinish.organisations.sessions import end_other_sessions, end_own_session, list_sessions
from fotofinish.web.dashboard.entering import let_in
from fotofinish.web.dashboard.shell import Shell, frame_of
from fotofinish.web.dashboard.visitors import COOKIE, Visitor
from fotofinish.web.forms import text
from fotofinish.web.services import services

WRONG = "The current password is wrong."
DIFFERENT = "The two new passwords are not the same."
WAIT = "Too many attempts. Wait a quarter of an hour and try again."


class AccountPage:
    """Pages about whoever is signed in, and about nobody else."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    async def show(self, request: Request, visitor: Visitor) -> Response:
        """GET `/account`."""
        return await self._render(request, visitor)

    async def end(self, request: Request, visitor: Visitor, form: FormData) -> Response:
        """POST `/account/sessions/{session_id}/end`."""
        async with services(request).pool.connection() as connection:
            await end_own_session(connection, visitor.account.id, request.path_params["session_id"])
        return RedirectResponse("/account?done=ended", 303)

    async def end_others(self, request: Request, visitor: Visitor, form: FormData) -> Response:
        """POST `/account/sessions/end-others`."""
        async with services(request).pool.connection() as connection:
            await end_other_sessions(connection, visitor.account.id, request.cookies[COOKIE])
        return RedirectResponse("/account?done=others-ended", 303)

    async def set_password(self, request: Request, visitor: Visitor, form: FormData) -> Response:
        """POST `/account/password`: ends every session and begins this browser's anew."""
        new, ours = text(form, "password"), services(request)
        if new != text(form, "again"):
            return await self._render(request, visitor, 422, DIFFERENT)
        who = insider(ours.settings.signing_key(), visitor.account.id)
        async with ours.pool.connection() as connection:
            may_try = await take_attempt(connection, who)
            _, kept = await find_password_hash(connection, visitor.account.email)
        if not may_try:
            return await self._render(request, visitor, 429, WAIT)
        if not await ours.password_checks.ask(fits, kept, text(form, "current")[:1024]):
            return await self._render(request, visitor, 403, WRONG)
        try:
            check_password(new)
        except InvalidValue as error:
            return await self._render(request, visitor, 422, error.message)
        async with ours.pool.connection() as connection:
            await give_back(connection, who)
            await set_password(connection, visitor.account.email, new)
        return await let_in(request, visitor.account.id, "/account?done=password")

    async def _render(
        self, request: Request, visitor: Visitor, status: int = 200, fault: str | None = None
    ) -> Response:
        async with services(request).pool.connection() as connection:
            sessions = await list_sessions(connection, visitor.account.id, request.cookies[COOKIE])
        return self._shell.render(
            "account.html",
            frame_of(request, visitor, visitor.organisation(None)),
            status=status,
            sessions=sessions,
            shortest=MIN_PASSWORD,
            fault=fault,
        )
